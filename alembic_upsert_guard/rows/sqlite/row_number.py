"""What identifies a row of SQLite, whatever its table's primary key holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ...catalog.reading import execute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

__all__ = ["row_number"]


def row_number(connection: Connection, relation: str, columns: Iterable[str]) -> str | None:
    """Return the name of the row's own number; None: there is none, and then no NULL in the primary key either.

    Elsewhere SQLite takes NULL in a primary key, and more than one of it.

    :param columns: the table's, one of which may have taken a name of the number.
    """
    taken = {column.casefold() for column in columns}
    number = next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)
    if number is None:
        return None
    try:
        execute(connection, f"SELECT {number} FROM {relation} LIMIT 0").close()
    except DBAPIError:
        return None  # WITHOUT ROWID
    return number
