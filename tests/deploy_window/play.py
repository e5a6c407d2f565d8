"""One change played: its revisions are generated and run, and the code before and after the deploy upserts between."""

from __future__ import annotations

import logging
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from itertools import product
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, func, inspect, select, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from .changes import COLUMNS, FAILS, SOME, TABLE, WORKS, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alembic.script import Script
    from sqlalchemy import MetaData, Table
    from sqlalchemy.engine import Connection, Engine

    from .changes import Change, Outcome, Target

_ENV = """
from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], target_metadata=given["metadata"], **given["options"])
with context.begin_transaction():
    context.run_migrations()
"""
_TEMPLATE = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
'''
_NO_WAITING: dict[str, dict[str, Any]] = {
    "postgresql": {"options": "-c lock_timeout=200ms"},
    "sqlite": {"timeout": 0},
}
"""The code waits for a lock of an upgrade, which in one process would be for ever."""
_DDL = frozenset({"ALTER", "CREATE", "DROP"})
ROW = dict.fromkeys(COLUMNS, 1)


@dataclass(frozen=True, kw_only=True)
class Mode:
    """How the upgrade is run."""

    url: str
    autocommit: bool = False
    concurrently: bool = False
    contract: str = "separate"

    @property
    def database(self) -> str:
        return self.url.split("+")[0].split(":")[0]

    @property
    def is_seen(self) -> bool:
        """Whether others see what each statement leaves, and have to find an arbiter there.

        Under AUTOCOMMIT Alembic's copy of a table of SQLite leaves no table between DROP TABLE and RENAME.
        """
        if self.database == "sqlite":
            return not self.autocommit
        return self.autocommit or self.database == "mariadb"

    @property
    def label(self) -> str:
        how = "AUTOCOMMIT" if self.autocommit else "transaction"
        return f"{self.database}, {how}{', concurrently' if self.concurrently else ''}"


@dataclass
class Played:
    """What came of one change."""

    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    """By code (old, new) and schema (before, between, after)."""
    log: str = ""
    watched: int = 0
    """How often code upserted between two statements of an upgrade."""
    broken: list[str] = field(default_factory=list)
    """What should not have come."""


class Project:
    """An Alembic project whose commands are called in this process."""

    def __init__(self, folder: Path, mode: Mode) -> None:
        versions = folder / "migrations" / "versions"
        versions.mkdir(parents=True)
        (folder / "migrations" / "env.py").write_text(_ENV)
        (folder / "migrations" / "script.py.mako").write_text(_TEMPLATE)
        self._folder, self._mode = folder, mode
        self.engine = create_engine(mode.url, poolclass=NullPool)

    def run(self, what: Any, new: MetaData, *arguments: Any, **options: Any) -> Any:
        """Call one of Alembic's commands."""
        config = Config(stdout=StringIO())
        config.set_main_option("script_location", str(self._folder / "migrations"))
        level = {"isolation_level": "AUTOCOMMIT"} if self._mode.autocommit else {}
        with self.engine.connect().execution_options(**level) as connection:
            config.attributes["connection"] = connection
            config.attributes["metadata"] = new
            config.attributes["options"] = {
                "render_as_batch": self._mode.database == "sqlite",
                "upsert_guard_concurrently": self._mode.concurrently,
                "upsert_guard_contract": self._mode.contract,
            }
            with redirect_stdout(StringIO()):
                done = what(config, *arguments, **options)
            connection.commit()
        return done

    def uniques(self) -> list[str]:
        inspector = inspect(self.engine)
        constraints = inspector.get_unique_constraints(TABLE)
        indexes = [each for each in inspector.get_indexes(TABLE) if each["unique"]]
        return sorted(f"{each['name']} {each['column_names']}" for each in (*constraints, *indexes))


def play(change: Change, mode: Mode, folder: Path) -> Played:
    """Play the change on an empty database; whatever is left in it is the caller's."""
    change = change.on(mode.database)
    project, played = Project(folder, mode), Played()
    other = create_engine(
        mode.url, poolclass=NullPool, connect_args=_NO_WAITING.get(mode.database, {})
    )
    try:
        with _logged(played):
            _play(change, mode, project, other, played)
    finally:
        metadata(change.before).drop_all(other)
        with other.begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        project.engine.dispose()
        other.dispose()
    return played


def _play(change: Change, mode: Mode, project: Project, other: Engine, played: Played) -> None:
    before, new = metadata(change.before), metadata(change.after)
    watch = _Watch(other, before.tables[TABLE], change, played)
    before.create_all(other)
    with other.begin() as connection:
        connection.execute(watch.table.insert().values(**ROW))
    was = project.uniques()
    first, *later = _revisions(project.run(command.revision, new, "r", autogenerate=True))
    watch.look("before")
    if later:
        with watch.over(project.engine, mode, "before", "between"):
            project.run(command.upgrade, new, first.revision)
        watch.look("between")
    with watch.over(project.engine, mode, "between" if later else "before", "after"):
        project.run(command.upgrade, new, "head")
    watch.look("after")
    project.run(command.check, new)
    became = project.uniques()
    project.run(command.downgrade, new, "base")
    if project.uniques() != was:
        played.broken.append(f"a downgrade ends with {project.uniques()} and not {was}")
    project.run(command.upgrade, new, "head")
    if project.uniques() != became:
        played.broken.append(f"a second upgrade ends with {project.uniques()} and not {became}")


@dataclass(frozen=True)
class _Watch:
    """The code before and after the deploy, on a connection of its own."""

    other: Engine
    table: Table
    change: Change
    played: Played

    def look(self, schema: str) -> None:
        """Note what comes of both on the schema that is there."""
        for code, target in self.change.codes.items():
            if target is not None:
                with self.other.connect() as connection:
                    self.played.outcomes[code, schema] = outcome(connection, self.table, target)

    @contextmanager
    def over(self, engine: Engine, mode: Mode, start: str, end: str) -> Iterator[None]:
        """Have code that works on both schemas upsert after each statement of DDL that others can see."""
        expected = self.change.expected
        targets = [
            target
            for code, target in self.change.codes.items()
            if target and FAILS not in (expected[code, start], expected[code, end])
        ]

        def look(_: Any, __: Any, statement: str, *___: Any) -> None:
            if statement.split(maxsplit=1)[0].upper() in _DDL:
                for target in targets:
                    self._upsert_after(statement, target)

        if not mode.is_seen:
            yield
            return
        event.listen(engine, "after_cursor_execute", look)
        try:
            yield
        finally:
            event.remove(engine, "after_cursor_execute", look)

    def _upsert_after(self, statement: str, target: Target) -> None:
        try:
            with self.other.connect() as connection:
                found = outcome(connection, self.table, target)
        except OperationalError:  # the table is locked: the code waits
            return
        self.played.watched += 1
        if found is FAILS:
            self.played.broken.append(f"{target.label} has no arbiter after {statement}")


def _revisions(made: Script | list[Script | None] | None) -> list[Script]:
    scripts = made if isinstance(made, list) else [made]
    return [script for script in scripts if script is not None]


@contextmanager
def _logged(played: Played) -> Iterator[None]:
    log, stream = logging.getLogger("alembic.autogenerate.upsert_guard"), StringIO()
    handler, level = logging.StreamHandler(stream), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        played.log = stream.getvalue()


def outcome(connection: Connection, table: Table, target: Target) -> Outcome:
    """What comes of upserts on the target, beside the one row that is there; nothing is left of them."""
    allowed = [
        dict(zip(COLUMNS, values, strict=True)) for values in product((1, 2), (1, 2), (0, 1, 2))
    ]
    taken = {name: 1 if name in target.columns or target.where else 3 for name in COLUMNS}
    try:
        if _rows_after(connection, table, target, taken) != 1:
            return FAILS
    except DBAPIError as error:
        _reraise_locks(error)
        return FAILS
    for row in allowed:
        is_new = any(row[name] != 1 for name in target.columns) or (target.where and row["c"] == 0)
        if not is_new:
            continue
        try:
            if _rows_after(connection, table, target, row) != 2:
                return SOME
        except DBAPIError as error:
            _reraise_locks(error)
            return SOME
    return WORKS


def _reraise_locks(error: DBAPIError) -> None:
    if "lock" in str(error.orig):
        raise error


def _rows_after(connection: Connection, table: Table, target: Target, row: dict[str, int]) -> int:
    """The number of rows after one upsert, which is undone."""
    with connection.begin() as transaction:
        connection.execute(_upsert(connection.dialect.name, table, target, row))
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        transaction.rollback()
    return int(count)


def _upsert(dialect: str, table: Table, target: Target, row: dict[str, int]) -> Any:
    if dialect in ("mysql", "mariadb"):
        return mysql.insert(table).values(**row).on_duplicate_key_update(note=1)
    insert: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[dialect]
    where = None if target.where is None else text(target.where)
    return (
        insert(table)
        .values(**row)
        .on_conflict_do_update(
            index_elements=list(target.columns), index_where=where, set_={"note": 1}
        )
    )
