"""What is refused before a build, and what is left of one that the database refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.util import CommandError
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import AddConstraint

from ...catalog.postgresql import constraint_in_the_way
from ...catalog.reading import execute
from ...rows import lost_with_the_table
from ...sqltext import named

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ...catalog import TableName

__all__ = ["abort", "refuse_lost_references", "refuse_taken_name", "without_values"]


def abort(connection: Connection) -> None:
    """Leave the transaction as the failed statement did, for a revision that catches the error and goes on."""
    try:
        execute(connection, "ROLLBACK TO SAVEPOINT upsert_guard_of_none")
    except DBAPIError:
        return


def refuse_lost_references(connection: Connection, table: TableName) -> None:
    """Refuse a batch that would delete rows of other tables: it drops the table once it is copied."""
    lost = lost_with_the_table(connection, table)
    if lost:
        name = named(connection.dialect, *table)
        listed = ", ".join(f"{reference} {count}" for reference, count in lost.items())
        raise CommandError(
            f"the batch copies {name} and drops it, and with PRAGMA foreign_keys=ON the rows that refer to it go "
            f"along: {listed}; no row was changed. Leave the PRAGMA off in env.py, or declare the key with "
            "as_index=True, which needs no batch. What the revision changed above the batch is done where SQLite "
            "commits each change of the schema, such as a column that it added: undo that before the next upgrade"
        )


def refuse_taken_name(connection: Connection, table: TableName, statement: Any) -> None:
    """Refuse a constraint whose name another one of the table has, for which it would be taken."""
    if not isinstance(statement, AddConstraint):
        return
    constraint = statement.element
    if not isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint) or not constraint.name:
        return
    name = str(constraint.name)
    other = constraint_in_the_way(connection, table, name)
    if other:
        raise CommandError(
            f"{name} on {named(connection.dialect, *table)} was not made, nothing was changed: that is "
            f"the name of another constraint of the table, {other}. Give one of the two another name"
        )


def without_values(error: BaseException) -> None:
    """Take the message out of the driver's error: SQLAlchemy raises ours from it, and its details have a value."""
    error.args = ("its message may hold a value of a row: reveal=True shows it",)
    error.__cause__ = error.__context__ = None
    error.__suppress_context__ = True
