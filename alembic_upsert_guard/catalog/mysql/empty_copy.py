"""An empty temporary copy of a table, on which the server prints an expression or refuses an index."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ...databases import MARIADB, database_for
from ...sqltext import quoted
from ..contract import NormalizedSql, not_normalized
from ..reading import execute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from ...inference import Candidate, Element
    from ..contract import TableName

__all__ = ["empty_copy", "normalize"]

_EMPTY_COPY = "upsert_guard_empty_copy"


def normalize(
    connection: Connection, table: TableName, arbiter: Candidate, offered: Sequence[Candidate]
) -> NormalizedSql:
    """Return the arbiter in the server's spelling: as it prints the expressions of a temporary table without rows.

    MariaDB has no expressions in indexes: there, and where all are columns, nothing is asked.
    """
    if (
        all(e.column is not None for e in arbiter.elements)
        or database_for(connection.dialect) is MARIADB
    ):
        return not_normalized(arbiter, offered)
    printed = _printed_expressions(connection, table, arbiter.elements)
    if printed is None:
        return not_normalized(arbiter, offered, compared=False)
    left = iter(printed)
    elements = tuple(
        e if e.column is not None else replace(e, expression=next(left)) for e in arbiter.elements
    )
    return not_normalized(replace(arbiter, elements=elements), offered)


def _printed_expressions(
    connection: Connection, table: TableName, elements: Sequence[Element]
) -> list[str] | None:
    """The expressions among the elements as the server prints them; None: it does not take them, or says nothing."""
    listed = ", ".join(f"({element.expression})" for element in elements if element.column is None)
    try:
        with empty_copy(connection, table, f"KEY its_own ({listed})") as name:
            rows = execute(connection, f"SHOW INDEX FROM {name}").mappings().all()
    except DBAPIError:
        return None
    return [str(row["Expression"]) for row in sorted(rows, key=lambda row: row["Seq_in_index"])]


@contextmanager
def empty_copy(connection: Connection, table: TableName, index: str) -> Iterator[str]:
    """Have an empty temporary copy of the table with this index, by its name; the caller's transaction stays open.

    Other DDL would commit it: https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html

    :param index: as it is written in CREATE TABLE.
    :raises sqlalchemy.exc.DBAPIError: the server does not make the index, or no temporary table for this user.
    """
    relation = quoted(connection.dialect, *table)
    execute(
        connection,
        f"CREATE TEMPORARY TABLE {_EMPTY_COPY} ({index}) SELECT * FROM {relation} LIMIT 0",
    )
    try:
        yield _EMPTY_COPY
    finally:
        execute(connection, f"DROP TEMPORARY TABLE {_EMPTY_COPY}")
