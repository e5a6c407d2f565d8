"""What can be done where the database stops a directive by something that is not in the rows."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from ...catalog.postgresql import sqlstate
from ...catalog.postgresql.sqlstates import (
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    QUERY_CANCELED,
    UNIQUE_VIOLATION,
)

__all__ = ["way_out"]

_WAYS_OUT = {
    # by a person too, who knows
    QUERY_CANCELED: "If a statement_timeout ended it, put op.execute('SET statement_timeout = 0') above it",
    LOCK_NOT_AVAILABLE: (
        "Another session held a lock for longer than lock_timeout: run the upgrade again when that has ended"
    ),
}

_NO_REPLICA_IDENTITY = (
    "If it is published and has no replica identity, put op.execute('ALTER TABLE ... REPLICA IDENTITY FULL') above it, "
    "and the same with DEFAULT below"
)

_NOT_UNIQUE = "UNIQUE constraint failed"
"""The beginning of SQLite's message (build.c: sqlite3UniqueConstraint)."""


def way_out(
    error: BaseException | None, *, needs: str, changes_rows: bool = False, restores: bool = False
) -> str:
    """Return a sentence, with what separates it in front; empty: there is none but what the database says.

    :param needs: what the role needs, such as "SELECT on the table".
    :param changes_rows: whether rows were to be deleted or updated, and not only read.
    :param restores: whether rows were to come back that something unique keeps out.
    """
    if not isinstance(error, DBAPIError):
        return ""
    state = sqlstate(error) or ""
    if restores and (state == UNIQUE_VIOLATION or str(error.orig).startswith(_NOT_UNIQUE)):
        return ". Put this line below the one that drops what is unique"
    hint = _WAYS_OUT.get(state)
    if state == INSUFFICIENT_PRIVILEGE:
        hint = f"The role that migrates needs {needs}"
    if state == OBJECT_NOT_IN_PREREQUISITE_STATE and changes_rows:
        hint = _NO_REPLICA_IDENTITY
    return "" if hint is None else f". {hint}"
