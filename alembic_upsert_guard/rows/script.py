"""The preflight in a script (``--sql``): statements for the database's shell, which refuse in the same cases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..findings import told_of_key
from ..sqltext import named, quoted, string_literal, wrapped_in_do
from .statements import RowsOfKey, listing_sql, totals_sql

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
    relation = string_literal(dialect, quoted(dialect, *key.table))
    hint = string_literal(dialect, f"List them all: {listing_sql(dialect, key)}")
    found = [
        _counted("duplicate_groups", "duplicate group"),
        _counted("surplus_rows", "surplus row"),
    ]
    refused = "duplicate_groups > 0"
    if key.nulls == "forbid":
        found.append(_counted("null_rows", "row", " with NULL in the key"))
        refused += " OR null_rows > 0"
    listed = ", ".join(found)
    return wrapped_in_do(
        "    duplicate_groups bigint;\n    surplus_rows bigint;\n    null_rows bigint;\n",
        f"    IF row_security_active({relation}::regclass) THEN\n"
        "        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',\n"
        f"            MESSAGE = {string_literal(dialect, f'{told} cannot be checked: ')}\n"
        "                || 'row level security hides rows from ' || current_user || '; nothing was changed';\n"
        "    END IF;\n"
        f"    IF {_HAS_CHILDREN.format(relation=relation)} THEN\n"
        f"        {_into(totals_sql(dialect, replace(key, only=True)))}"
        "    ELSE\n"
        f"        {_into(totals_sql(dialect, key))}"
        "    END IF;\n"
        f"    IF {refused} THEN\n"
        "        RAISE EXCEPTION USING\n"
        "            ERRCODE = CASE WHEN duplicate_groups > 0 THEN 'unique_violation' ELSE 'not_null_violation' END,\n"
        f"            MESSAGE = {string_literal(dialect, f'{told} does not hold: ')}\n"
        f"                || concat_ws(', ', {listed}) || '; nothing was changed',\n"
        f"            HINT = {hint};\n"
        "    END IF;\n" + (_null_warning(dialect, told) if key.nulls == "warn" else ""),
    )


_HAS_CHILDREN = (
    "EXISTS (SELECT FROM pg_inherits JOIN pg_class parent ON parent.oid = inhparent "
    "WHERE parent.oid = {relation}::regclass AND parent.relkind = 'r')"
)
"""Tables inherit from this one; not partitions, which its index spans."""


def _counted(variable: str, noun: str, rest: str = "") -> str:
    """The number in words as the report online has it; NULL for none."""
    number = f"ltrim(to_char({variable}, '999,999,999,999,999'))"
    plural = f"CASE {variable} WHEN 1 THEN '' ELSE 's' END"
    return f"CASE WHEN {variable} > 0 THEN {number} || ' {noun}' || {plural} || '{rest}' END"


def _null_warning(dialect: Dialect, told: str) -> str:
    return (
        "    IF null_rows > 0 THEN\n"
        f"        RAISE WARNING USING MESSAGE = {string_literal(dialect, f'{told}: ')}\n"
        f"            || {_counted('null_rows', 'row')}\n"
        "            || ' with NULL in the key: no upsert ever matches them';\n"
        "    END IF;\n"
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
