"""Whether an index on a key can be made on MySQL and MariaDB, before a row is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ..catalog.mysql import empty_copy, errno, server_message

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .statements import RowsOfKey

__all__ = ["index_obstacle"]

_NOT_INDEXABLE = frozenset(
    {
        1071,  # the key is longer than an index entry may be
        1167,  # the storage engine indexes no such column
        1170,  # TEXT or BLOB without a length
        3152,  # JSON
        3728,  # a geometry
        *range(
            3753, 3763
        ),  # functional key parts: what they return, what they name, what they call
    }
)
"""Errors that are about the key only: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html"""


def index_obstacle(connection: Connection, key: RowsOfKey) -> str | None:
    """Return the server's message for why no unique index can be made on the key; None: one can, or it does not say.

    It is asked to make one on an empty temporary copy of the table, for which a privilege may lack.
    """
    elements = [
        sql if element.column is not None else f"({sql})"
        for element, sql in zip(key.target.elements, key.elements(connection.dialect), strict=True)
    ]
    try:
        with empty_copy(connection, key.table, f"UNIQUE KEY its_own ({', '.join(elements)})"):
            return None
    except DBAPIError as error:
        return server_message(error) if errno(error) in _NOT_INDEXABLE else None
