"""The preflight in a script (``--sql``): statements for the database's shell, which refuse in the same cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..catalog import mysql
from ..databases import MARIADB, MYSQL, POSTGRESQL, SQLITE, Database, database_for
from ..programs import Call, call
from ..sqltext import named, quoted
from .statements import RowsOfKey, listing_sql, totals_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Dialect

__all__ = ["script_check"]


def script_check(dialect: Dialect, key: RowsOfKey, label: str) -> Sequence[str | Call] | None:
    """Return the statements of the check, each without its terminator; None: the dialect has no way to refuse.

    :param label: what has to hold, as messages name it.
    """
    check = _CHECKS.get(database_for(dialect))
    return None if check is None else check(dialect, key, label)


def _call(dialect: Dialect, key: RowsOfKey, label: str) -> list[Call]:
    parameters: dict[str, str | list[str] | None] = {
        "key_label": label,
        "relation_name": quoted(dialect, *key.table),
        "elements": key.elements(dialect),
        "predicate": key.target.predicate,
        "nulls": key.nulls,
        "listing": listing_sql(dialect, key),
    }
    return [call("check", dialect, parameters)]


def _failing_insert(dialect: Dialect, key: RowsOfKey, label: str) -> list[str]:
    """SQLite raises errors in triggers only; a CHECK that fails names itself, and its name is our message."""
    table = "temp.upsert_guard_check"
    message = named(dialect, f"{label} does not hold")
    offending = "coalesce(duplicate_groups, 0)"
    if key.nulls == "forbid":
        offending += " + coalesce(null_rows, 0)"
    return [
        f"DROP TABLE IF EXISTS {table}",
        f"CREATE TEMP TABLE upsert_guard_check (offending INTEGER, CONSTRAINT {message} CHECK (offending = 0))",
        f"INSERT INTO {table} SELECT {offending} FROM ({totals_sql(dialect, key)})",
        f"DROP TABLE {table}",
    ]


def _failing_name(dialect: Dialect, key: RowsOfKey, label: str) -> list[str]:
    offending = _offending(key)
    query = (
        f"SELECT {offending} > 0 AS fails, {offending} AS offending "
        f"FROM ({totals_sql(dialect, key)}) AS totals"
    )
    message = mysql.text_literal(dialect, f" rows break {label}; what ran above the check stays")
    return mysql.failing_statements(dialect, query, f"concat(offending, {message})")


def _offending(key: RowsOfKey) -> str:
    """The number of rows that the check refuses, as SQL over the totals."""
    if key.nulls == "forbid":
        return "coalesce(surplus_rows, 0) + coalesce(null_rows, 0)"
    return "coalesce(surplus_rows, 0)"


_CHECKS: dict[Database, Callable[[Dialect, RowsOfKey, str], Sequence[str | Call]]] = {
    POSTGRESQL: _call,
    SQLITE: _failing_insert,
    MYSQL: _failing_name,
    MARIADB: _failing_name,
}
