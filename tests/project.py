"""A throw-away Alembic project, driven through the real ``alembic`` command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fork_server import ForkServer, Running

_INI = """
[alembic]
script_location = %(here)s/migrations
sqlalchemy.url =

[loggers]
keys = root,alembic
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARNING
handlers = console
qualname =
[logger_alembic]
level = INFO
handlers =
qualname = alembic
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic
[formatter_generic]
format = %(levelname)-5.5s [%(name)s] %(message)s
"""

_ENV = """
import os
from logging.config import fileConfig
from alembic import context
from sqlalchemy import create_engine, pool
import models

fileConfig(context.config.config_file_name)
url = os.environ["PROJECT_URL"]
options = dict(target_metadata=models.Base.metadata{options})

if context.is_offline_mode():
    context.configure(
        url=url, literal_binds=True, dialect_opts={"paramstyle": "named"}, **options
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
"""

_TEMPLATE = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
'''

_MODELS = """
from __future__ import annotations
import sqlalchemy as sa
from sqlalchemy import *
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from alembic_upsert_guard import UpsertKey, declare_upsert_key


class Base(DeclarativeBase):
    {base}


"""


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that it printed."""
        return self.out + self.err

    def detected(self) -> list[str]:
        """Our own log lines, without level and logger."""
        return re.findall(r"\[alembic\.autogenerate\.upsert_guard\] (.*)", self.err)


@dataclass(frozen=True)
class Begun:
    """A command that runs."""

    process: Running

    def until_it_logs(self, words: str) -> None:
        """Wait until `words` are in its log."""
        self.process.until_it_logs(words)

    def done(self) -> bool:
        return self.process.done()

    def result(self) -> Ran:
        """Wait for its end."""
        return Ran(*self.process.result())


ALEMBIC_RESTORES = pytest.mark.since(
    15, "SQLAlchemy reflects NULLS DISTINCT on older servers too, which cannot parse it"
)
"""Tests whose downgrade makes a constraint again that Alembic dropped from a table without any key."""

_OFFERS = (
    "# rows that share a key stop the next line",
    "# op.deduplicate_upsert_key(",
    "# where rows were archived by the line offered",
    "# op.restore_deduplicated_rows(",
)


@dataclass(frozen=True)
class Revision:
    """A generated revision."""

    path: Path
    text: str
    ran: Ran
    contract: Revision | None = None
    """The one of the same command that drops what the code before the deploy upserts on."""

    def written(self, function: str) -> list[str]:
        """The lines of ``upgrade`` or ``downgrade``, as written, without Alembic's own comments."""
        body = re.split(rf"def {function}\([^\n]*\n", self.text)[1].split("\n\n\n")[0]
        return [
            line.strip()
            for line in body.splitlines()
            if line.strip() and not line.strip().startswith(("# ###", '"""'))
        ]

    def lines(self, function: str) -> list[str]:
        """The same without what is offered to mend the rows with."""
        return [line for line in self.written(function) if not line.startswith(_OFFERS)]

    def calls(self, function: str) -> list[str]:
        """The directives of ``upgrade`` or ``downgrade`` by name, ``with`` blocks included, in order."""
        lines = (line.removeprefix("with ") for line in self.lines(function))
        return [line.split("(")[0] for line in lines if line.startswith(("op.", "batch_op."))]

    @property
    def is_empty(self) -> bool:
        return self.lines("upgrade") == ["pass"]


@dataclass
class Project:
    """An Alembic project in a folder: models, an env.py as ``alembic init`` writes it, revisions."""

    path: Path
    url: str
    options: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    server: ForkServer | None = None

    def __post_init__(self) -> None:
        (self.path / "migrations" / "versions").mkdir(parents=True)
        (self.path / "alembic.ini").write_text(_INI)
        (self.path / "migrations" / "script.py.mako").write_text(_TEMPLATE)
        self.configure()
        self.models("")
        self.engine = create_engine(self.url)
        self._revisions = 0

    def dispose(self) -> None:
        self.engine.dispose()

    def configure(self, **options: str) -> None:
        """Write env.py; `options` are the arguments of ``context.configure()``, as Python source."""
        listed = "".join(f", {name}={source}" for name, source in options.items())
        env = _ENV.replace("{options}", listed)
        (self.path / "migrations" / "env.py").write_text(env)

    def models(self, body: str, base: str = "pass") -> None:
        """Write the models' module: `body` after the imports and ``Base``."""
        source = _MODELS.replace("{base}", base) + textwrap.dedent(body)
        (self.path / "models.py").write_text(source)

    def sql(self, *statements: str) -> None:
        """Execute what a DBA would."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def sql_outside_a_transaction(self, statement: str) -> None:
        """Execute what refuses to run in a transaction, such as CREATE INDEX CONCURRENTLY."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace `old`, which must be there, in a file of the project."""
        text_before = (self.path / file).read_text()
        assert old in text_before, text_before
        (self.path / file).write_text(text_before.replace(old, new))

    def alembic(self, *arguments: str, stdin: int | None = None) -> Ran:
        """Run the ``alembic`` command, in a process of its own."""
        return self.python("-m", "alembic", *arguments, stdin=stdin)

    def application(self, source: str) -> Ran:
        """Run Python code that imports the models, as the application does; it must go through."""
        ran = self.python("-c", textwrap.dedent(source))
        assert ran.code == 0, ran.said
        return ran

    def begin(self, *arguments: str) -> Begun:
        """Start the ``alembic`` command, to be looked at while it runs."""
        assert self.server is not None
        return Begun(self.server.begin(["-m", "alembic", *arguments], self.path, self._environment))

    def python(self, *arguments: str, stdin: int | None = None, forked: bool = True) -> Ran:
        """Run Python with these arguments, in a process of its own.

        :param forked: with the imports done; never where standard input or what only the interpreter reads matters.
        """
        read_at_start = (self.path / "sitecustomize.py").exists() or any(
            name.startswith("PYTHON") for name in self.environment
        )
        forked = forked and stdin is None and not read_at_start and arguments[0] in ("-m", "-c")
        if self.server and forked:
            return Ran(*self.server.begin([*arguments], self.path, self._environment).result())
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=self._environment,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    @property
    def _environment(self) -> dict[str, str]:
        ours = {"PROJECT_URL": self.url, "PYTHONPATH": "."}
        return {**os.environ, **ours, **self.environment}

    def check(self) -> Ran:
        return self.alembic("check")

    def revise(self) -> Revision:
        """Run ``alembic revision --autogenerate``; the revision must come out."""
        self._revisions += 1
        known = set((self.path / "migrations" / "versions").glob("*.py"))
        ran = self.alembic(
            "revision", "--autogenerate", "-m", "r", "--rev-id", f"r{self._revisions:02}"
        )
        assert ran.code == 0, ran.said
        new = set((self.path / "migrations" / "versions").glob("*.py")) - known
        contract = {path for path in new if path.stem.endswith("_after_the_deploy")}
        (path,) = new - contract
        of_contract = [Revision(each, each.read_text(), ran) for each in contract]
        return Revision(path, path.read_text(), ran, *of_contract)

    def upgrade(self, *arguments: str) -> Ran:
        """Run ``alembic upgrade head``, which must go through."""
        ran = self.alembic(*arguments, "upgrade", "head")
        assert ran.code == 0, ran.said
        return ran

    def downgrade(self) -> Ran:
        """Run ``alembic downgrade -1``, which must go through."""
        ran = self.alembic("downgrade", "-1")
        assert ran.code == 0, ran.said
        return ran

    def uniques(self) -> list[str]:
        """Everything unique in the database, as the database prints it."""
        if self.url.startswith("sqlite"):
            return self._uniques_of_sqlite()
        if self.url.startswith(("mysql", "mariadb")):
            return self._uniques_of_mysql()
        return [
            row[0]
            for row in self.rows("""
                SELECT pg_get_indexdef(i.indexrelid) || coalesce(' / ' || pg_get_constraintdef(c.oid), '')
                       || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
                FROM pg_index i JOIN pg_class k ON k.oid = i.indexrelid
                JOIN pg_class t ON t.oid = i.indrelid AND t.relname <> 'alembic_version'
                JOIN pg_namespace n ON n.oid = k.relnamespace AND n.nspname !~ '^pg_'
                LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
                WHERE i.indisunique ORDER BY n.nspname, 1
            """)
        ]

    def _uniques_of_mysql(self) -> list[str]:
        tables = self.rows(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "
            "AND TABLE_NAME <> 'alembic_version' ORDER BY TABLE_NAME"
        )
        return [
            f"{table} {line.strip().removesuffix(',')}"
            for (table,) in tables
            for line in self.rows(f"SHOW CREATE TABLE `{table}`")[0][1].splitlines()
            if line.strip().startswith(("UNIQUE", "PRIMARY"))
        ]

    def _uniques_of_sqlite(self) -> list[str]:
        return [
            row[0]
            for row in self.rows("""
                SELECT m.name || CASE l.origin WHEN 'c' THEN ' ' || s.sql ELSE ' ' || l.origin || ' ('
                       || (SELECT group_concat(name, ', ') FROM pragma_index_info(l.name)) || ')' END
                FROM sqlite_master m JOIN pragma_index_list(m.name) l
                LEFT JOIN sqlite_master s ON s.type = 'index' AND s.name = l.name
                WHERE m.type = 'table' AND m.name <> 'alembic_version' AND l."unique" ORDER BY 1
            """)
        ]


def goes_red(project: Project, *told: str) -> Revision:
    """``alembic check`` fails and says each of `told`; the revision that then comes out."""
    check = project.check()
    assert check.code != 0, check.said
    for words in told:
        assert words in check.out
    return project.revise()


def goes_round(project: Project, revision: Revision) -> None:
    """Upgrade; clean; the second revision is empty; down, and it is as it was; up, and it is as it became."""
    before = project.uniques()
    project.upgrade()
    after = project.uniques()
    check = project.check()
    assert check.code == 0, check.said
    second = project.revise()
    assert second.is_empty, second.text
    second.path.unlink()
    if revision.contract:
        project.downgrade()
    project.downgrade()
    assert project.uniques() == before
    project.upgrade()
    assert project.uniques() == after
