"""The preflight in a script (``--sql``): statements for the database's shell, which refuse in the same cases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..findings import told_of_key
from ..sqltext import named, string_literal, wrapped_in_do
from .preflight import RowsOfKey, has_children_sql, listing_sql, totals_sql

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = ["script_check"]


def script_check(dialect: Dialect, key: RowsOfKey) -> list[str] | None:
    """Return the statements of the check, each without its terminator; None: the dialect has no way to refuse."""
    if dialect.name == "postgresql":
        return [_do_block(dialect, key)]
    if dialect.name == "sqlite":
        return _failing_insert(dialect, key)
    return None


def _do_block(dialect: Dialect, key: RowsOfKey) -> str:
    told = _told(dialect, key)
    does_not_hold = string_literal(dialect, f"{told} does not hold: ")
    hint = string_literal(dialect, f"List them all: {listing_sql(dialect, key)}")
    refusals = (
        "    IF duplicate_groups > 0 THEN\n"
        "        RAISE EXCEPTION USING ERRCODE = 'unique_violation',\n"
        f"            MESSAGE = {does_not_hold} || duplicate_groups || ' duplicate groups, '\n"
        "                || surplus_rows || ' surplus rows',\n"
        f"            HINT = {hint};\n"
        "    END IF;\n"
    )
    if key.nulls == "forbid":
        refusals += (
            "    IF null_rows > 0 THEN\n"
            "        RAISE EXCEPTION USING ERRCODE = 'not_null_violation',\n"
            f"            MESSAGE = {does_not_hold} || null_rows || ' rows with NULL in the key',\n"
            f"            HINT = {hint};\n"
            "    END IF;\n"
        )
    if key.nulls == "warn":
        warning = string_literal(dialect, f"{told}: ")
        refusals += (
            "    IF null_rows > 0 THEN\n"
            f"        RAISE WARNING USING MESSAGE = {warning} || null_rows\n"
            "            || ' rows with NULL in the key: no upsert ever matches them';\n"
            "    END IF;\n"
        )
    return wrapped_in_do(
        "    duplicate_groups bigint;\n    surplus_rows bigint;\n    null_rows bigint;\n",
        f"    IF {has_children_sql(dialect, key.table)} THEN\n"
        f"        {_into(totals_sql(dialect, replace(key, only=True)))}"
        "    ELSE\n"
        f"        {_into(totals_sql(dialect, key))}"
        "    END IF;\n" + refusals,
    )


def _into(totals: str) -> str:
    return f"SELECT * INTO duplicate_groups, surplus_rows, null_rows FROM ({totals}) AS totals;\n"


def _failing_insert(dialect: Dialect, key: RowsOfKey) -> list[str]:
    """SQLite raises errors in triggers alone; a CHECK that fails names itself, and its name is our message."""
    table = "temp.upsert_guard_check"
    message = named(dialect, f"{_told(dialect, key)} does not hold")
    offending = "coalesce(duplicate_groups, 0)"
    if key.nulls == "forbid":
        offending += " + coalesce(null_rows, 0)"
    return [
        f"DROP TABLE IF EXISTS {table}",
        f"CREATE TEMP TABLE upsert_guard_check (offending INTEGER, CONSTRAINT {message} CHECK (offending = 0))",
        f"INSERT INTO {table} SELECT {offending} FROM ({totals_sql(dialect, key)})",
        f"DROP TABLE {table}",
    ]


def _told(dialect: Dialect, key: RowsOfKey) -> str:
    return told_of_key(named(dialect, *key.table), key.target.labels, key.target.predicate)
