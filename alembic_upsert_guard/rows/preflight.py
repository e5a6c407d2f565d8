"""The preflight: the rows that would break a key, before any DDL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..databases import MARIADB, MYSQL, POSTGRESQL, SQLITE, Database, database_for
from ..findings import RowsReport
from ..sqltext import named
from . import mysql, sqlite
from .groups import RowFacts, read_groups
from .postgresql.preflight import read_on_postgresql
from .statements import RowsOfKey, listing_sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection

__all__ = ["read_rows"]


def read_rows(connection: Connection, key: RowsOfKey, *, sample: int, reveal: bool) -> RowsReport:
    """Return which rows of the database break `key`; nothing is changed, whatever the transaction.

    Where no two rows share a key the rows are read once. Memory is bounded on both sides, whatever the rows are.

    :param sample: groups shown at most.
    :param reveal: False: no value leaves the database.
    :raises HiddenRowsError: row level security hides rows from this role.
    :raises sqlalchemy.exc.DBAPIError: the table or a column is not there, or an expression fails on a row.
    """
    dialect = connection.dialect
    shown = sample if reveal else 0
    key, found = _READERS.get(database_for(dialect), _read_any)(connection, key, shown)
    return RowsReport(
        table=named(dialect, *key.table),
        elements=key.target.labels,
        where=key.target.predicate,
        nulls=key.nulls,
        groups=found.groups,
        surplus=found.surplus,
        null_rows=found.null_rows,
        listing=listing_sql(
            dialect,
            replace(key, spelled=found.listed, composite=found.composite),
            has_nulls=bool(found.null_rows),
        ),
        sample=found.sample,
        identity=found.identity,
        reveal=reveal,
        order_by=found.order_by,
        obstacle=found.obstacle,
        past_obstacle=found.past_obstacle,
        doubt=found.doubt,
    )


def _read_any(connection: Connection, key: RowsOfKey, shown: int) -> tuple[RowsOfKey, RowFacts]:
    return key, read_groups(connection, key, shown)


def _read_mysql(connection: Connection, key: RowsOfKey, shown: int) -> tuple[RowsOfKey, RowFacts]:
    obstacle = mysql.index_obstacle(connection, key)
    if obstacle is not None:
        return key, RowFacts(obstacle=obstacle)
    return _read_any(connection, key, shown)


def _read_sqlite(connection: Connection, key: RowsOfKey, shown: int) -> tuple[RowsOfKey, RowFacts]:
    obstacle = sqlite.index_obstacle(connection, key)
    if obstacle is not None:
        return key, RowFacts(obstacle=obstacle)
    return _read_any(connection, key, shown)


_READERS: dict[Database, Callable[[Connection, RowsOfKey, int], tuple[RowsOfKey, RowFacts]]] = {
    POSTGRESQL: read_on_postgresql,
    SQLITE: _read_sqlite,
    MYSQL: _read_mysql,
    MARIADB: _read_mysql,
}
"""Each returns the key as the report names it, and its rows."""
