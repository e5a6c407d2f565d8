"""The race that no check of the rows can close: rows that arrive between it and the build of the index.

The build itself refuses them, in words of its own. Once a key's rows were checked on a connection, the unique indexes
and constraints made on its table there are watched, and the refusal is told as our report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import AddConstraint, CreateIndex

from ..catalog.reading import commits_each_statement, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, ExceptionContext

__all__ = ["watch_builds"]

_SAVEPOINT = "upsert_guard_build"


def watch_builds(
    connection: Connection, table: str, schema: str | None, told: Callable[[], Exception | None]
) -> None:
    """Raise what `told` returns where the database refuses to make something unique on the table.

    The watch ends with the connection.

    :param told: called when the transaction can be read from again; None: the database's own error stands.
    """
    watch = _Watch(connection, table, schema, told)
    event.listen(connection, "before_execute", watch.before)
    event.listen(connection, "after_execute", watch.after)


class _Watch:
    def __init__(
        self,
        connection: Connection,
        table: str,
        schema: str | None,
        told: Callable[[], Exception | None],
    ) -> None:
        self.connection = connection
        self.table = (schema, table)
        self.told = told
        # PostgreSQL answers nothing in a transaction that has failed
        self.needs_savepoint = connection.dialect.name == "postgresql"
        self.has_savepoint = False

    def before(self, _: Connection, statement: Any, *__: Any) -> None:
        if not self._is_ours(statement):
            return
        self.has_savepoint = self.needs_savepoint and not commits_each_statement(self.connection)
        if self.has_savepoint:
            execute(self.connection, f"SAVEPOINT {_SAVEPOINT}")
        # SQLAlchemy tells of errors by engine alone: for as long as this one statement takes
        event.listen(self.connection.engine, "handle_error", self.refused)

    def after(self, _: Connection, statement: Any, *__: Any) -> None:
        if not self._is_ours(statement):
            return
        event.remove(self.connection.engine, "handle_error", self.refused)
        if self.has_savepoint:
            execute(self.connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")

    def refused(self, context: ExceptionContext) -> Exception | None:
        if context.connection is not self.connection:
            return None
        event.remove(self.connection.engine, "handle_error", self.refused)
        if not isinstance(context.sqlalchemy_exception, IntegrityError):
            return None
        if self.has_savepoint:
            execute(self.connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        return self.told()

    def _is_ours(self, statement: Any) -> bool:
        if not isinstance(statement, CreateIndex | AddConstraint):
            return False
        made: Any = statement.element
        is_unique = isinstance(made, UniqueConstraint | PrimaryKeyConstraint) or (
            isinstance(made, Index) and made.unique
        )
        return is_unique and (made.table.schema, made.table.name) == self.table
