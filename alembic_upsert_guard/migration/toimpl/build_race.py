"""The race that no check of the rows can close: rows that arrive between it and the build of the index.

The build itself refuses them, with the server's message. Once a key's rows were checked on a connection, the unique
indexes and constraints created on its table there are watched, and the refusal is reported as ours are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError
from sqlalchemy import Column, Index, Insert, PrimaryKeyConstraint, UniqueConstraint, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.schema import AddConstraint, CreateIndex

from ...catalog import TableName
from ...catalog.messages import message_of
from ...catalog.postgresql import constraint_in_the_way, sqlstate
from ...catalog.reading import commits_each_statement, execute
from ...databases import POSTGRESQL, database_for
from ...rows import lost_with_the_table
from ...sqltext import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, ExceptionContext

__all__ = ["watch_builds"]

_SAVEPOINT = "upsert_guard_build"

_OF_NO_ROW = frozenset({"08", "40", "53", "55", "57"})
"""Classes of SQLSTATE that are about connections, locks and resources: code that tries again looks for them."""


def watch_builds(
    connection: Connection,
    table: str,
    schema: str | None,
    columns: frozenset[str] | None,
    refusal: Callable[[str | None], Exception | None],
    *,
    label: str,
    reveal: bool,
) -> None:
    """Raise what `refusal` returns where the database refuses to make something unique on the table.

    The watch ends with the connection.

    :param columns: the key's, where it has only columns; None: anything unique on the table may be its.
    :param refusal: called when the database can be read from again, with the name of the INVALID index that the build
     left behind, None for none; returns None where the rows hold.
    :param label: the key, for the message of an error that is not about rows.
    :param reveal: False: no value of a row is in the error, whatever its kind, and in none that it is raised from.
    """
    watch = _Watch(
        connection=connection,
        table=(schema, table),
        columns=columns,
        refusal=refusal,
        label=label,
        reveal=reveal,
    )
    event.listen(connection, "before_execute", watch.before)
    event.listen(connection, "after_execute", watch.after)
    event.listen(connection, "rollback", watch.rolled_back)


@dataclass(eq=False, kw_only=True)
class _Watch:
    connection: Connection
    table: tuple[str | None, str]
    columns: frozenset[str] | None
    refusal: Callable[[str | None], Exception | None]
    label: str
    reveal: bool
    has_savepoint: bool = False
    listens: bool = False
    raised: Exception | None = None
    """What was raised in the place of an error whose values are held back."""
    building: str | None = None
    """The index that a build outside a transaction leaves behind when it fails."""

    @property
    def needs_savepoint(self) -> bool:
        """PostgreSQL answers nothing in a transaction that has failed."""
        return database_for(self.connection.dialect).errors_end_transactions

    def before(self, _: Connection, statement: Any, *__: Any) -> None:
        if not self._is_ours(statement):
            return
        if isinstance(statement, Insert):
            self._keep_what_refers_to_the_table()
        if self.needs_savepoint and isinstance(statement, AddConstraint):
            self._refuse_a_name_that_is_taken(statement.element)
        outside = commits_each_statement(self.connection)
        self.has_savepoint = self.needs_savepoint and not outside
        self.building = _built_concurrently(statement) if outside else None
        if self.has_savepoint:
            execute(self.connection, f"SAVEPOINT {_SAVEPOINT}")
        # SQLAlchemy reports errors only by engine: for as long as this one statement takes
        self.stop_listening()
        event.listen(self.connection.engine, "handle_error", self.refused)
        self.listens = True

    def after(self, _: Connection, statement: Any, *__: Any) -> None:
        if not self._is_ours(statement):
            return
        self.stop_listening()
        if self.has_savepoint:
            execute(self.connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")

    def rolled_back(self, *_: Any) -> None:
        self.stop_listening()
        if self.raised is not None:
            # SQLAlchemy has raised it from the driver's error meanwhile
            self.raised.__cause__ = self.raised.__context__ = None
            self.raised = None

    def stop_listening(self) -> None:
        if self.listens:
            event.remove(self.connection.engine, "handle_error", self.refused)
            self.listens = False

    def refused(self, context: ExceptionContext) -> Exception | None:
        # it cannot be removed from the list that is being gone through: the rollback does
        if context.connection is not self.connection or not self.listens:
            return None
        error = context.sqlalchemy_exception
        if not isinstance(error, DBAPIError) or context.is_disconnect:
            return None
        of_rows = isinstance(error, IntegrityError)
        if not of_rows and (self.reveal or (sqlstate(error) or "")[:2] in _OF_NO_ROW):
            return None
        if self.has_savepoint:
            execute(self.connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        try:
            refusal = self.refusal(self.building)
        except CommandError as failure:  # the rows cannot be read any more than the index be built
            refusal = failure
        if self.reveal:
            return refusal
        if refusal is None:
            message = message_of(error, reveal=False)
            refusal = CommandError(
                f"{self.label} was not made unique. The database says: {message}"
            )
        refusal.__cause__ = refusal.__context__ = None
        _empty(context.original_exception)
        self.raised = refusal
        return refusal

    def _keep_what_refers_to_the_table(self) -> None:
        """Refuse a batch that would delete rows of other tables: it drops the table once it is copied."""
        table = TableName(*self.table)
        lost = lost_with_the_table(self.connection, table)
        if lost:
            name = named(self.connection.dialect, *table)
            listed = ", ".join(f"{reference} {count}" for reference, count in lost.items())
            raise CommandError(
                f"the batch copies {name} and drops it, and with PRAGMA foreign_keys=ON the rows that refer to it go "
                f"along: {listed}; no row was changed. Leave the PRAGMA off in env.py, or declare the key with "
                "as_index=True, which needs no batch. What the revision changed above the batch is done where SQLite "
                "commits each change of the schema, such as a column that it added: undo that before the next upgrade"
            )

    def _refuse_a_name_that_is_taken(self, constraint: Any) -> None:
        table = TableName(*self.table)
        name = constraint.name
        other = name and constraint_in_the_way(self.connection, table, str(name))
        if other:
            raise CommandError(
                f"{name} on {named(self.connection.dialect, *table)} was not made, nothing was changed: that is "
                f"the name of another constraint of the table, {other}. Give one of the two another name"
            )

    def _is_ours(self, statement: Any) -> bool:
        if isinstance(statement, Insert):
            # batch mode on SQLite copies the rows into a table that has the constraint: ApplyBatchImpl
            schema, table = self.table
            copy: Any = statement.table
            return (copy.schema, copy.name) == (schema, f"_alembic_tmp_{table}"[:50])
        if not isinstance(statement, CreateIndex | AddConstraint):
            return False
        item: Any = statement.element
        is_unique = isinstance(item, UniqueConstraint | PrimaryKeyConstraint) or (
            isinstance(item, Index) and item.unique
        )
        if not is_unique or (item.table.schema, item.table.name) != self.table:
            return False
        columns = _columns(item)
        return columns is None or self.columns is None or columns == self.columns


def _columns(item: Any) -> frozenset[str] | None:
    """The columns that become unique; None: SQL is among them."""
    elements: Any = item.expressions if isinstance(item, Index) else item.columns
    if not all(isinstance(element, Column) for element in elements):
        return None
    return frozenset(element.name for element in elements)


def _built_concurrently(statement: Any) -> str | None:
    if not isinstance(statement, CreateIndex):
        return None
    index = statement.element
    return str(index.name) if index.dialect_options[POSTGRESQL.name]["concurrently"] else None


def _empty(error: BaseException) -> None:
    """Take the message out of the driver's error: SQLAlchemy raises ours from it, and its details have a value."""
    error.args = ("its message may hold a value of a row: reveal=True shows it",)
    error.__cause__ = error.__context__ = None
    error.__suppress_context__ = True
