"""``upsert-guard check --database URL``, where no Alembic can be imported, and ``check --code`` where it can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import create_engine, make_url

from alembic_upsert_guard.command.database_url import (
    DatabaseURLError,
    connect_to,
    importlib,
)
from alembic_upsert_guard.command.secrets import secrets_of, without
from tests.cli.commands import MEMBERS, SCHEMA, guard, report
from tests.project import Ran
from tests.served.judging import statements_in

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from tests.project import Project

NO_ALEMBIC = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "alembic":
            raise ImportError("alembic is imported")

sys.meta_path.insert(0, Absent())
"""

SERVED = 'supabase.table("accounts").upsert(row, on_conflict="email").execute()\n'
UNSERVED = 'supabase.table("accounts").upsert(row, on_conflict="tenant,email").execute()\n'
TYPESCRIPT = "await supabase.from('accounts').upsert(rows, { onConflict: 'tenant,email' });\n"
FUNCTION = (
    "CREATE FUNCTION forget(t int) RETURNS void LANGUAGE sql AS "
    "'INSERT INTO accounts (tenant, email) VALUES (t, '''') ON CONFLICT (tenant) DO NOTHING'"
)


@dataclass
class Folder:
    """A project without Alembic, models and pyproject.toml, and a database."""

    path: Path
    url: str

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)

    def sql(self, *statements: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def run(self, *arguments: str) -> Ran:
        """Run the command in a process of its own, in which Alembic is not to be had."""
        ran = subprocess.run(
            [sys.executable, "-m", "alembic_upsert_guard", *arguments],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(self.path / "absent")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in ran.stdout + ran.stderr, ran.stderr
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def check(self, *arguments: str, database: str | None = None) -> Ran:
        return self.run("check", "--database", database or self.url, *arguments)

    def report(self, *arguments: str) -> dict[str, list[dict[str, object]]]:
        """The JSON of a check, held against its schema."""
        ran = self.check(*arguments, "--format", "json")
        assert ran.code in (0, 1), ran.said
        document: dict[str, list[dict[str, object]]] = json.loads(ran.out)
        Draft202012Validator(SCHEMA).validate(document)
        for member, names in MEMBERS.items():
            assert all(
                [name for name in each if name != "deduplication"] == names
                for each in document.get(member, [])
            )
        return document


@pytest.fixture
def folder(tmp_path: Path, url: str) -> Folder:
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "sitecustomize.py").write_text(NO_ALEMBIC)
    made = Folder(tmp_path, url)
    made.sql("CREATE TABLE accounts (id serial PRIMARY KEY, tenant int, email text UNIQUE)")
    return made


def test_code_is_judged_without_alembic_models_or_configuration(folder: Folder) -> None:
    """An error at its place with the SQL to run, nothing of what is served; run, it is clean."""
    folder.write("api.py", SERVED + UNSERVED)
    ran = folder.check("--code", "api.py")
    assert ran.code == 1
    assert ran.out == (
        "api.py:2:40: error[unserved-upsert]: the upsert into accounts (tenant, email) fails with 42P10: nothing is "
        "unique on exactly these elements; nearest is unique constraint accounts_email_key (email): one column too "
        "few (tenant)\n"
        "  |\n"
        f"2 | {UNSERVED}"
        "  |                                        ^^^^^^^^^^^\n"
        "  help: Run:\n"
        "        ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email);\n"
        "\n"
        "2 upserts in 1 file: 1 error.\n"
    )
    folder.sql(
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email)"
    )
    assert folder.check("--code", "api.py").out == "2 upserts in 1 file: nothing to do.\n"


def test_every_source_in_json(folder: Folder) -> None:
    """Sites in Python and TypeScript with their resolutions, and those in functions."""
    folder.write("api.py", SERVED)
    folder.write("page.ts", TYPESCRIPT)
    folder.sql(FUNCTION)
    document = folder.report("--code", "api.py", "page.ts", "--functions")
    assert document["keys"] == []
    sites = [(s["source"], s["path"], s["resolution"]) for s in document["call_sites"]]
    assert sites == [
        ("code", "api.py", "served"),
        ("code", "page.ts", "unserved"),
        ("functions", "public.forget(integer)", "unserved"),
    ]
    assert [f["code"] for f in document["findings"]] == ["unserved-upsert", "unserved-function"]


def test_the_hint_for_a_function_is_sql_too(folder: Folder) -> None:
    """Run, the function's upsert is served."""
    folder.sql(FUNCTION)
    (finding,) = folder.report("--functions")["findings"]
    statements = statements_in(str(finding["hint"]))
    assert statements == ["ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant UNIQUE (tenant);"]
    folder.sql(*statements)
    assert folder.report("--functions")["findings"] == []


def test_a_function_that_names_no_constraint_of_the_table(folder: Folder) -> None:
    """An index of that name is none; made a constraint, as the hint says, it is one."""
    folder.sql("CREATE UNIQUE INDEX mine ON accounts (tenant)")
    folder.sql(
        "CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO accounts (tenant) VALUES (1) ON CONFLICT ON CONSTRAINT mine DO NOTHING; END $$"
    )
    (finding,) = folder.report("--functions")["findings"]
    assert (finding["code"], finding["severity"]) == ("missing-constraint", "error")
    folder.sql(*statements_in(str(finding["hint"])))
    assert folder.report("--functions")["findings"] == []


def test_models_by_their_name_have_their_keys_checked(folder: Folder) -> None:
    """And the hint for one of their tables is the declaration."""
    folder.write(
        "models.py",
        "from sqlalchemy import Column, Integer, MetaData, Table, Text\n"
        "from alembic_upsert_guard import UpsertKey\n"
        "metadata = MetaData()\n"
        'accounts = Table("accounts", metadata, Column("id", Integer, primary_key=True),\n'
        '    Column("tenant", Integer), Column("email", Text), UpsertKey("email", nulls="distinct"))\n',
    )
    folder.write("api.py", SERVED + UNSERVED)
    document = folder.report("--code", "api.py", "--metadata", "models:metadata")
    assert [key["verdict"] for key in document["keys"]] == ["satisfied"]
    (finding,) = document["findings"]
    assert str(finding["hint"]).startswith(
        'add UpsertKey("tenant", "email") to Table("accounts", ...) and run alembic revision --autogenerate'
    )


# -- suppressing


def test_a_comment_suppresses_it_where_it_is(folder: Folder) -> None:
    """A comment of this code that suppresses nothing is a finding, for this command only."""
    folder.write("api.py", UNSERVED.strip() + "  # upsert-guard: ignore[unserved-upsert]\n")
    assert folder.check("--code", "api.py").code == 0
    folder.write("api.py", SERVED.strip() + "  # upsert-guard: ignore[unserved-upsert]\n")
    (stale,) = folder.report("--code", "api.py")["findings"]
    assert (stale["code"], stale["location"]) == ("stale-ignore", {"path": "api.py", "line": 1})


def test_an_entry_suppresses_it_for_a_table(folder: Folder) -> None:
    """A check without --code cannot say that the entry matches nothing."""
    folder.write("api.py", UNSERVED)
    folder.sql("ALTER TABLE accounts ADD UNIQUE (tenant)", FUNCTION)
    folder.write(
        "pyproject.toml",
        '[[tool.upsert_guard.ignore]]\ncode = "unserved-upsert"\ntable = "accounts"\nreason = "later"\n',
    )
    assert folder.check("--code", "api.py").code == 0
    assert folder.report("--functions")["findings"] == []
    folder.write("api.py", SERVED)
    assert [f["code"] for f in folder.report("--code", "api.py")["findings"]] == ["stale-ignore"]


# -- the URL


@pytest.mark.parametrize("installed", ["psycopg2", "psycopg", "asyncpg"])
@pytest.mark.parametrize("name", ["postgresql", "postgres"])
def test_a_bare_url_takes_the_driver_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, name: str, installed: str
) -> None:
    """Whatever SQLAlchemy takes for it, and under the name that hosting services give."""
    monkeypatch.setattr(importlib, "import_module", only(installed))
    assert connect_to(f"{name}://u@h/d").drivername == f"postgresql+{installed}"


@pytest.mark.parametrize("name", ["mysql", "mariadb"])
def test_a_bare_url_of_mysql(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A URL without a driver takes the one that is installed."""
    monkeypatch.setattr(importlib, "import_module", only("pymysql"))
    assert connect_to(f"{name}://u@h/d").drivername == f"{name}+pymysql"


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("postgresql://u@h/d", "psycopg2-binary"),
        ("mysql://u@h/d", "pymysql"),
        ("postgresql+pg8000://u@h/d", "pg8000"),
        ("mysql+mysqldb://u@h/d", "mysqlclient"),
    ],
)
def test_a_missing_driver_is_named_with_its_pip_line(
    monkeypatch: pytest.MonkeyPatch, url: str, package: str
) -> None:
    """The message ends with what to type."""
    monkeypatch.setattr(importlib, "import_module", only("nothing"))
    with pytest.raises(DatabaseURLError, match=f"is( not)? installed: pip install {package}$"):
        connect_to(url)


def only(installed: str) -> object:
    """An ``import_module`` that finds one module."""

    def import_module(name: str) -> ModuleType:
        if name != installed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return sys

    return import_module


def test_sslmode_is_said_as_asyncpg_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own parameter is `ssl`."""
    monkeypatch.setattr(importlib, "import_module", only("asyncpg"))
    assert connect_to("postgresql://u@h/d?sslmode=require").query == {"ssl": "require"}


def test_a_bare_url_reaches_the_database(folder: Folder) -> None:
    """As it is in DATABASE_URL."""
    folder.write("api.py", SERVED)
    bare = make_url(folder.url).set(drivername="postgresql").render_as_string(hide_password=False)
    assert folder.check("--code", "api.py", database=bare).code == 0


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql://u:s3cr%2Ft@127.0.0.1:1/d",
        "postgresql+asyncpg://u:s3cr%2Ft@127.0.0.1:1/d",
        "postgresql+psycopg://u:s3cr%2Ft@127.0.0.1:1/d",
        "postgresql://u:s3cr@t@127.0.0.1:1/d",
        "postgresql://u:s3cr/t@127.0.0.1:1/d?nonsense=1",
        "postgresql://127.0.0.1:1/d?user=u&password=s3cr",
        "postgresql://u:s3cr@h:port/d",
        "nonsense://u:s3cr@h/d",
        "u:s3cr@h/d",
    ],
)
def test_the_password_is_in_no_message(folder: Folder, secret: str) -> None:
    """Exit 2 with one line, whatever is wrong; and where the option is misspelled too."""
    folder.write("api.py", SERVED)
    for option in ("--database", "--databse"):
        ran = folder.run("check", option, secret, "--code", "api.py")
        assert (ran.code, ran.out) == (2, "")
        assert "s3cr" not in ran.err, ran.err
        assert "error" in ran.err or ran.err.count("\n") == 1


def test_every_spelling_of_a_password_is_taken_out() -> None:
    """As it is in the URL, and as a driver decodes it."""
    secrets = secrets_of("postgresql://u:p%40ss%2Fw@h/d?sslpassword=two")
    assert without("p@ss/w p%40ss%2Fw two", secrets) == "*** *** ***"
    assert without("nothing", secrets_of("sqlite:///x")) == "nothing"


def test_a_password_that_is_a_word_or_a_letter_leaves_others_readable() -> None:
    """What says how a URL is written, or what pip installs, has them in the middle of words."""
    secrets = secrets_of("postgresql://postgres:postgres@h/d")
    assert without('postgresql://, user "postgres"', secrets) == 'postgresql://, user "***"'
    assert without("pip install p", secrets_of("mysql://u:p@h/d")) == "pip install ***"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name what is checked against the database: --code PATH..."),
        (["--code", "nowhere.py"], "there is no file or folder nowhere.py"),
        (["--metadata", "nowhere:metadata"], "--metadata nowhere:metadata: ModuleNotFoundError"),
    ],
)
def test_what_cannot_run_says_why(folder: Folder, arguments: list[str], message: str) -> None:
    """Exit 2, nothing on standard output."""
    ran = folder.check(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"upsert-guard: {message}")


# -- SQLite


def test_sqlite_by_its_file(folder: Folder) -> None:
    """Names in any case; nothing is written, and a file that is not there is not made."""
    database = Folder(folder.path, f"sqlite:///{folder.path}/app.db")
    database.sql("CREATE TABLE Accounts (id INTEGER PRIMARY KEY, Tenant int, email text UNIQUE)")
    before = (folder.path / "app.db").read_bytes()
    folder.write(
        "app.sql",
        "INSERT INTO accounts (email) VALUES ('a') ON CONFLICT (EMAIL) DO NOTHING;\n"
        "INSERT INTO accounts (email) VALUES ('a') ON CONFLICT (tenant, email) DO NOTHING;\n"
        "INSERT INTO accounts (email) VALUES ('a') ON CONFLICT (mail) DO NOTHING;\n",
    )
    document = database.report("--code", "app.sql")
    assert [s["resolution"] for s in document["call_sites"]] == ["served", "unserved", "unserved"]
    short, unknown = document["findings"]
    assert unknown["fact"] == (
        "the upsert into accounts (mail) fails: the table has no column mail"
    )
    assert (folder.path / "app.db").read_bytes() == before
    database.sql(*statements_in(str(short["hint"])))
    assert len(database.report("--code", "app.sql")["findings"]) == 1

    ran = folder.check("--code", "app.sql", database=f"sqlite:///{folder.path}/no.db")
    assert (ran.code, ran.err) == (
        2,
        f"upsert-guard: there is no database file {folder.path}/no.db\n",
    )
    assert not (folder.path / "no.db").exists()


# -- with Alembic


MODEL = """
    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str] = mapped_column(unique=True)
"""
ACCOUNTS = (
    "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL, "
    "CONSTRAINT accounts_email_key UNIQUE (email))"
)


def test_with_models_the_hint_is_the_declaration_and_the_command(project: Project) -> None:
    """Pasted and run, the finding is gone; what the models never declared is served all the same."""
    project.sql(ACCOUNTS)
    project.models(MODEL)
    (project.path / "api.py").write_text(SERVED + UNSERVED)

    checked = report(project, "check", "--code", "api.py")

    assert [s["resolution"] for s in checked.call_sites or ()] == ["served", "unserved"]
    (finding,) = checked.findings
    assert finding["hint"].startswith(
        'add UpsertKey("tenant", "email") to __table_args__ of class Account (models) and run alembic revision '
        "--autogenerate"
    )
    project.models(
        MODEL.replace(
            '"accounts"\n', '"accounts"\n        __table_args__ = (UpsertKey("tenant", "email"),)\n'
        )
    )
    project.revise()
    project.upgrade()
    assert guard(project, "check", "--code", "api.py").out == (
        "1 upsert key, 2 upserts in 1 file: nothing to do.\n"
    )


def test_a_table_without_a_model_has_the_sql(project: Project) -> None:
    """There is no key to add to a model that does not exist."""
    project.sql("CREATE TABLE logs (id serial PRIMARY KEY, line text)")
    (project.path / "app.sql").write_text(
        "INSERT INTO logs (line) VALUES ('a') ON CONFLICT (line) DO NOTHING;"
    )
    (finding,) = report(project, "check", "--code", "app.sql").findings
    assert finding["hint"] == "run:\nALTER TABLE logs ADD CONSTRAINT uq_logs_line UNIQUE (line);"


def test_functions_beside_the_declared_keys(project: Project) -> None:
    """The hint is the declaration, as `upsert-guard functions` has it."""
    project.sql(ACCOUNTS, FUNCTION)
    project.models(MODEL)
    (finding,) = report(project, "check", "--functions").findings
    assert finding["hint"].startswith('add UpsertKey("tenant") to the model of accounts')
    assert report(project, "check").findings == []


def test_metadata_goes_with_a_url(project: Project) -> None:
    """Without one, env.py says which metadata is meant."""
    ran = guard(project, "check", "--metadata", "models:Base")
    assert (ran.code, ran.out) == (2, "")
    assert "--metadata goes with --database" in ran.err
