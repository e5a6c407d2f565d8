"""Whether a revision on SQLite has changed the schema for good, whatever becomes of its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.schema import ExecutableDDLElement

from .unique_build import is_copy

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

__all__ = ["has_committed_ddl", "is_in_transaction", "note_ddl"]

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


def has_committed_ddl(connection: Connection) -> bool:
    """Return whether the revision that runs has changed the schema outside a transaction."""
    return bool(getattr(connection, _COMMITTED, False))
