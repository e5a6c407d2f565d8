"""Unique indexes and constraints that the database refuses to build for their rows: reported as a check reports them.

Of a declared key whose rows were checked, these are rows that arrived between the check and the build. Of any other
operation of a revision, whoever wrote it, they are rows that nobody looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
from .committed_ddl import is_in_transaction, note_ddl
from .running_build import RunningBuild
from .unique_build import builds_of, unread_sql

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, ExceptionContext

    from .running_build import AnyBuild, CheckedKey
    from .unique_build import UniqueBuild

__all__ = ["watch_any_build", "watch_builds"]

_SAVEPOINT = "upsert_guard_build"

_WATCH = "_upsert_guard_watch"
"""The attribute of a connection that holds what watches it, which is gone with it."""

_OF_NO_ROW = frozenset({"08", "40", "53", "55", "57"})
"""Classes of SQLSTATE that are about connections, locks and resources: code that tries again looks for them."""


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
class _Watch:
    keys: list[CheckedKey] = field(default_factory=list)
    any_build: AnyBuild | None = None
    running: RunningBuild | None = None
    """None: no statement is, or it makes nothing unique."""
    raised: Exception | None = None
    """What was raised in the place of an error whose values are held back."""

    def before(self, connection: Connection, statement: Any, *_: Any) -> None:
        if self.running is not None and not self.running.has_failed:
            return  # a statement of ours, about the one that runs
        self.stop_listening()
        builds, unread = self._builds_of(connection, statement)
        # else the copy's CREATE TABLE is committed, and its drop, which comes after the INSERT, is undone with that
        if is_in_transaction(connection):
            builds = tuple(replace(build, copy=None) for build in builds)
        keys = self.keys_of(builds)
        if not isinstance(statement, Insert):  # of a copy, before it is made
            self._check(builds, keys)
        is_build = isinstance(statement, Insert) or not (builds and builds[0].copies)
        has_builds = self.any_build is not None and bool(builds or unread)
        if not is_build or not (keys or has_builds):
            return
        for key in keys:
            if isinstance(statement, Insert):
                refuse_lost_references(connection, TableName(*key.table))
            if database_for(connection.dialect).errors_end_transactions:
                refuse_taken_name(connection, TableName(*key.table), statement)
        self.running = running = RunningBuild(
            connection=connection,
            statement=statement,
            builds=builds,
            keys=keys,
            any_build=self.any_build,
            outside=commits_each_statement(connection),
            unread=unread,
        )
        if running.has_savepoint:
            execute(connection, f"SAVEPOINT {_SAVEPOINT}")
        # SQLAlchemy reports errors only by engine: for as long as this one statement takes
        event.listen(connection.engine, "handle_error", self.refused)

    def _builds_of(
        self, connection: Connection, statement: Any
    ) -> tuple[tuple[UniqueBuild, ...], str | None]:
        """What the statement makes unique, and its SQL where only the database says that."""
        builds = builds_of(statement, connection.dialect)
        if self.any_build is None:
            return builds, None
        unread = unread_sql(statement, connection.dialect)
        if unread is not None and self.any_build.check is not None:
            builds = self.any_build.asked(unread, False)
        return builds, unread

    def _check(self, builds: tuple[UniqueBuild, ...], keys: tuple[CheckedKey, ...]) -> None:
        check = None if self.any_build is None else self.any_build.check
        for build in builds if check is not None else ():
            if check is not None and not any(key.checked and key.is_of(build) for key in keys):
                check(build)

    def keys_of(self, builds: tuple[UniqueBuild, ...]) -> tuple[CheckedKey, ...]:
        return tuple(key for key in self.keys if any(key.is_of(build) for build in builds))

    def after(self, connection: Connection, statement: Any, *_: Any) -> None:
        note_ddl(connection, statement)
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

    def _asked(self, running: RunningBuild) -> RunningBuild:
        """What runs, with what the database says that it makes unique."""
        assert running.any_build is not None  # noqa: S101 - else nothing is left unread
        builds = running.any_build.asked(str(running.unread), True)
        return replace(running, builds=builds, keys=self.keys_of(builds))

    def _refusal_of(self, running: RunningBuild, context: ExceptionContext) -> Exception | None:
        error = context.sqlalchemy_exception
        if not isinstance(error, DBAPIError) or context.is_disconnect:
            return None
        of_rows = error if isinstance(error, IntegrityError) else None
        if running.unread is not None:
            running = self._asked(running) if of_rows is not None else running
            if not running.builds:
                return None
        reveal = running.reveal
        if of_rows is None and (reveal or (sqlstate(error) or "")[:2] in _OF_NO_ROW):
            return None
        if running.has_savepoint:
            execute(running.connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        refusal = running.refusal(of_rows)
        # a batch drops its copy next, and its error would hide this one in a transaction that has failed
        if not running.keys and running.has_savepoint and not isinstance(running.statement, Insert):
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
