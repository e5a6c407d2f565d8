"""What can be done where the database stops a directive by something that is not in the rows."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from ...catalog.postgresql import sqlstate

__all__ = ["way_out"]

_WAYS_OUT = {
    # query_canceled: by a person too, who knows
    "57014": "If a statement_timeout ended it, put op.execute('SET statement_timeout = 0') above it",
    # lock_not_available
    "55P03": "Another session held a lock for longer than lock_timeout: run the upgrade again when that has ended",
    # object_not_in_prerequisite_state
    "55000": (
        "If it is published and has no replica identity, put op.execute('ALTER TABLE ... REPLICA IDENTITY FULL') above "
        "it, and the same with DEFAULT below"
    ),
}


_UNIQUE_VIOLATION = "23505"
_NOT_UNIQUE = "UNIQUE constraint failed"
"""The beginning of SQLite's message (build.c: sqlite3UniqueConstraint)."""


def way_out(error: BaseException | None, *, needs: str, restores: bool = False) -> str:
    """Return a sentence, with what separates it in front; empty: there is none but what the database says.

    :param needs: what the role needs, such as "SELECT on the table".
    :param restores: whether rows were to come back that something unique keeps out.
    """
    if not isinstance(error, DBAPIError):
        return ""
    state = sqlstate(error) or ""
    if restores and (state == _UNIQUE_VIOLATION or str(error.orig).startswith(_NOT_UNIQUE)):
        return ". Put this line below the one that drops what is unique"
    hint = f"The role that migrates needs {needs}" if state == "42501" else _WAYS_OUT.get(state)
    return "" if hint is None else f". {hint}"
