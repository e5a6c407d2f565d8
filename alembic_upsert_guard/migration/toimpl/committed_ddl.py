"""What a revision has changed for good, whatever becomes of its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.schema import ExecutableDDLElement

from ...catalog.reading import commits_each_statement
from ...databases import database_for
from ...findings import what_stays
from ..context import connection_of
from .unique_build import is_copy

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

__all__ = ["commits_ddl", "is_in_transaction", "note_ddl", "stays_above"]

_COMMITTED = "_upsert_guard_committed_ddl"
"""The attribute of a connection that says so."""


def is_in_transaction(connection: Connection) -> bool:
    """Whether what has run is undone with the statement that runs next; only sqlite3 tells when it is not.

    It begins a transaction before the first INSERT, UPDATE or DELETE, and not before a change of the schema.
    """
    return getattr(connection.connection.dbapi_connection, "in_transaction", True) is not False


def note_ddl(connection: Connection, statement: Any) -> None:
    """Note a statement that has run; what writes the version ends a revision."""
    table = getattr(statement, "table", None)
    if isinstance(statement, ExecutableDDLElement):
        changed = getattr(statement, "element", None)
        if not is_in_transaction(connection) and not is_copy(getattr(changed, "name", None)):
            setattr(connection, _COMMITTED, True)
    elif table is not None and "version_num" in getattr(table, "c", ()):
        setattr(connection, _COMMITTED, False)


def commits_ddl(context: MigrationContext) -> bool:
    """Return whether what the revision that runs has changed of the schema stays where it is stopped.

    On SQLite that is so where it was changed outside a transaction.
    """
    has_committed = bool(getattr(connection_of(context), _COMMITTED, False))
    return database_for(context.dialect).commits_ddl or has_committed


def stays_above(context: MigrationContext) -> str:
    """Return what is left of the revision where a directive is refused, as messages say it."""
    autocommit = commits_each_statement(connection_of(context))
    return what_stays("this line", autocommit=autocommit, commits_ddl=commits_ddl(context))
