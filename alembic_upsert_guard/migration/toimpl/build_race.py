"""Unique indexes and constraints that the database refuses to build for their rows: reported as a check reports them.

Of a declared key whose rows were checked, these are rows that arrived between the check and the build. Of any other
operation of a revision, whoever wrote it, they are rows that nobody looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError
from sqlalchemy import Insert, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from ...catalog import TableName
from ...catalog.messages import message_of
from ...catalog.postgresql import sqlstate
from ...catalog.reading import commits_each_statement, execute
from ...databases import database_for
from .build_obstacles import abort, refuse_lost_references, refuse_taken_name, without_values
from .unique_build import builds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection, ExceptionContext

    from .unique_build import UniqueBuild

__all__ = ["AnyBuild", "CheckedKey", "watch_any_build", "watch_builds"]

_SAVEPOINT = "upsert_guard_build"

_WATCH = "_upsert_guard_watch"
"""The attribute of a connection that holds what watches it, which is gone with it."""

_OF_NO_ROW = frozenset({"08", "40", "53", "55", "57"})
"""Classes of SQLSTATE that are about connections, locks and resources: code that tries again looks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedKey:
    """A key of a directive above: what is refused of it is its report."""

    table: tuple[str | None, str]
    """Schema and name, as the directive has them."""
    columns: frozenset[str] | None
    """The key's, where it has only columns; None: anything unique on the table may be its."""
    refusal: Callable[[str | None], Exception | None]
    """Called when the database can be read from again, with the name of the INVALID index that the build left behind,
    None for none; returns None where the rows hold."""
    label: str
    """The key, for the message of an error that is not about rows."""
    reveal: bool
    """False: no value of a row is in the error, whatever its kind, and in none that it is raised from."""
    checked: bool = True
    """Whether its rows were read, and held."""

    def is_of(self, build: UniqueBuild) -> bool:
        """Return whether the statement may build the key's arbiter."""
        if (build.schema, build.table_name) != self.table:
            return False
        columns = build.columns
        return columns is None or self.columns is None or columns == self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyBuild:
    """What is done about builds of no checked key."""

    refusal: Callable[[UniqueBuild, bool, IntegrityError], Exception | None]
    """As :attr:`CheckedKey.refusal`; whether the build ran outside a transaction; and the database's error."""
    check: Callable[[UniqueBuild], None] | None
    """Reads the rows before the build, and raises where they break it; None: they are not read."""
    reveal: bool
    """As :attr:`CheckedKey.reveal`, for errors about rows."""


def watch_builds(connection: Connection, key: CheckedKey) -> None:
    """Raise what the key's refusal is where the database refuses to make something unique on its table.

    The watch ends with the connection.
    """
    _watch_of(connection).keys.append(key)


def watch_any_build(connection: Connection, builds: AnyBuild) -> None:
    """Do so for whatever a statement makes unique; of several calls for a connection the last one counts."""
    _watch_of(connection).any_build = builds


def _watch_of(connection: Connection) -> _Watch:
    watch: _Watch | None = getattr(connection, _WATCH, None)
    if watch is None:
        watch = _Watch()
        setattr(connection, _WATCH, watch)
        event.listen(connection, "before_execute", watch.before)
        event.listen(connection, "after_execute", watch.after)
        event.listen(connection, "rollback", watch.rolled_back)
    return watch


@dataclass(eq=False, kw_only=True)
class _Running:
    """One statement that makes something unique, from its beginning to its end."""

    connection: Connection
    statement: Any
    builds: tuple[UniqueBuild, ...]
    keys: tuple[CheckedKey, ...]
    any_build: AnyBuild | None
    outside: bool
    """It runs outside a transaction."""
    has_failed: bool = False

    @property
    def has_savepoint(self) -> bool:
        """PostgreSQL answers nothing in a transaction that has failed."""
        ends = database_for(self.connection.dialect).errors_end_transactions
        return ends and not self.outside

    @property
    def reveal(self) -> bool:
        if self.keys:
            return all(key.reveal for key in self.keys)
        return self.any_build is None or self.any_build.reveal

    @property
    def label(self) -> str:
        return self.keys[-1].label if self.keys else self.builds[0].label

    @property
    def left_behind(self) -> str | None:
        return next((b.concurrently for b in self.builds if self.outside and b.concurrently), None)

    def refusal(self, error: IntegrityError | None) -> Exception | None:
        """Return what is raised in the place of the database's error; None: nothing is."""
        try:
            refusals: Iterator[Exception | None] = (k.refusal(self.left_behind) for k in self.keys)
            of_key = next((refusal for refusal in refusals if refusal is not None), None)
        except CommandError as failure:  # the rows cannot be read any more than the index be built
            return failure
        if of_key is not None or self.any_build is None or error is None:
            return of_key
        others = (self.any_build.refusal(b, self.outside, error) for b in self.builds)
        return next((refusal for refusal in others if refusal is not None), None)


@dataclass(eq=False, kw_only=True)
class _Watch:
    keys: list[CheckedKey] = field(default_factory=list)
    any_build: AnyBuild | None = None
    running: _Running | None = None
    """None: no statement is, or it makes nothing unique."""
    raised: Exception | None = None
    """What was raised in the place of an error whose values are held back."""

    def before(self, connection: Connection, statement: Any, *_: Any) -> None:
        if self.running is not None and not self.running.has_failed:
            return  # a statement of ours, about the one that runs
        self.stop_listening()
        builds = builds_of(statement, connection.dialect)
        keys = tuple(key for key in self.keys if any(key.is_of(build) for build in builds))
        check = None if self.any_build is None else self.any_build.check
        if check is not None and not isinstance(statement, Insert):  # of a copy, before it is made
            for build in builds:
                if not any(key.checked and key.is_of(build) for key in keys):
                    check(build)
        is_build = isinstance(statement, Insert) or not (builds and builds[0].copies)
        if not is_build or not (keys or (builds and self.any_build is not None)):
            return
        for key in keys:
            if isinstance(statement, Insert):
                refuse_lost_references(connection, TableName(*key.table))
            if database_for(connection.dialect).errors_end_transactions:
                refuse_taken_name(connection, TableName(*key.table), statement)
        self.running = running = _Running(
            connection=connection,
            statement=statement,
            builds=builds,
            keys=keys,
            any_build=self.any_build,
            outside=commits_each_statement(connection),
        )
        if running.has_savepoint:
            execute(connection, f"SAVEPOINT {_SAVEPOINT}")
        # SQLAlchemy reports errors only by engine: for as long as this one statement takes
        event.listen(connection.engine, "handle_error", self.refused)

    def after(self, connection: Connection, statement: Any, *_: Any) -> None:
        running = self.running
        if running is None or running.statement is not statement:
            return
        self.stop_listening()
        if running.has_savepoint:
            execute(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")

    def rolled_back(self, *_: Any) -> None:
        self.stop_listening()
        if self.raised is not None:
            # SQLAlchemy has raised it from the driver's error meanwhile
            self.raised.__cause__ = self.raised.__context__ = None
            self.raised = None

    def stop_listening(self) -> None:
        if self.running is not None:
            event.remove(self.running.connection.engine, "handle_error", self.refused)
            self.running = None

    def refused(self, context: ExceptionContext) -> Exception | None:
        # it cannot be removed from the list that is being gone through: the rollback does, or the next statement
        running = self.running
        if running is None or running.has_failed or context.connection is not running.connection:
            return None
        try:
            return self._refusal_of(running, context)
        finally:
            running.has_failed = True

    def _refusal_of(self, running: _Running, context: ExceptionContext) -> Exception | None:
        error = context.sqlalchemy_exception
        if not isinstance(error, DBAPIError) or context.is_disconnect:
            return None
        of_rows = error if isinstance(error, IntegrityError) else None
        reveal = running.reveal
        if of_rows is None and (reveal or (sqlstate(error) or "")[:2] in _OF_NO_ROW):
            return None
        if running.has_savepoint:
            execute(running.connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        refusal = running.refusal(of_rows)
        if not running.keys and running.has_savepoint:
            abort(running.connection)
        if reveal:
            return refusal
        if refusal is None:
            message = message_of(error, reveal=False)
            refusal = CommandError(
                f"{running.label} was not made unique. The database says: {message}"
            )
        refusal.__cause__ = refusal.__context__ = None
        without_values(context.original_exception)
        self.raised = refusal
        return refusal
