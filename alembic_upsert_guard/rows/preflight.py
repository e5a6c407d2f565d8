"""The preflight: one read of the rows that would break a key, before any DDL.

Rows are grouped by the key's own columns and expressions, never by a cast: equality is then that of the index
(citext, numeric scale, padded char, collations), so the report and the index build agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect

from ..catalog.reading import execute
from ..findings import DuplicateGroup, RowsReport
from ..sqltext import named, quoted, string_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Dialect

    from ..catalog import TableName
    from ..inference import ConflictTarget

__all__ = ["RowsOfKey", "has_children_sql", "listing_sql", "read_rows", "totals_sql"]

_IDENTITIES = 5
"""Rows named for each group in the sample."""

_SAME = {"postgresql": "IS NOT DISTINCT FROM", "sqlite": "IS", "mysql": "<=>", "mariadb": "<=>"}
"""The operator that takes two NULLs as equal, by dialect."""


@dataclass(frozen=True, slots=True)
class RowsOfKey:
    """Which rows a key is about, and what NULL means among them."""

    table: TableName
    target: ConflictTarget
    nulls: str

    only: bool = False
    """Whether the table has inheritance children, whose rows its index does not hold (PostgreSQL)."""


def read_rows(connection: Connection, key: RowsOfKey, *, sample: int, reveal: bool) -> RowsReport:
    """Return what stands against `key` in the database. The rows are read once; a second time for the sample.

    :param sample: groups shown at most.
    :param reveal: False: no value leaves the database.
    :raises sqlalchemy.exc.DBAPIError: the table or a column is not there, or has no equality to group by.
    """
    dialect = connection.dialect
    if dialect.name == "postgresql":
        query = f"SELECT {has_children_sql(dialect, key.table)}"
        key = replace(key, only=bool(execute(connection, query).scalar()))
    totals = execute(connection, totals_sql(dialect, key)).one()
    identity: tuple[str, ...] = ()
    groups: tuple[DuplicateGroup, ...] = ()
    if totals.duplicate_groups and reveal and sample > 0:
        identity = _identity(connection, key.table)
        groups = _sample(connection, key, identity, sample)
    return RowsReport(
        table=named(dialect, *key.table),
        elements=key.target.labels,
        where=key.target.predicate,
        nulls=key.nulls,
        groups=int(totals.duplicate_groups or 0),
        surplus=int(totals.surplus_rows or 0),
        null_rows=int(totals.null_rows or 0),
        listing=listing_sql(dialect, key, nulls_stand=bool(totals.null_rows)),
        sample=groups,
        identity=identity,
        reveal=reveal,
    )


def has_children_sql(dialect: Dialect, table: TableName) -> str:
    """Return PostgreSQL's condition that tables inherit from this one; not partitions, which its index spans."""
    relation = string_literal(dialect, quoted(dialect, *table))
    return (
        "EXISTS (SELECT FROM pg_inherits JOIN pg_class parent ON parent.oid = inhparent "
        f"WHERE parent.oid = {relation}::regclass AND parent.relkind = 'r')"
    )


def totals_sql(dialect: Dialect, key: RowsOfKey) -> str:
    """Return the SELECT of one row: ``duplicate_groups``, ``surplus_rows``, ``null_rows`` (each NULL for none)."""
    return (
        "SELECT sum(CASE WHEN has_null = 0 THEN 1 END) AS duplicate_groups, "
        "sum(CASE WHEN has_null = 0 THEN row_count - 1 END) AS surplus_rows, "
        "sum(CASE WHEN has_null = 1 THEN row_count END) AS null_rows "
        f"FROM ({grouped_sql(dialect, key)}) AS offending"
    )


def grouped_sql(dialect: Dialect, key: RowsOfKey) -> str:
    """Return the SELECT of every key that breaks the rule: ``key_1 ...``, ``row_count``, ``has_null``."""
    elements = _elements(dialect, key)
    columns = ", ".join(f"{sql} AS key_{n}" for n, sql in enumerate(elements, 1))
    null = " OR ".join(f"{sql} IS NULL" for sql in elements)
    ordinals = ", ".join(str(n) for n in range(1, len(elements) + 1))
    if key.nulls == "not_distinct":
        has_null, having = "0", "count(*) > 1"
    else:
        has_null, having = f"CASE WHEN {null} THEN 1 ELSE 0 END", f"count(*) > 1 OR {null}"
    return (
        f"SELECT {columns}, count(*) AS row_count, {has_null} AS has_null "
        f"FROM {_source(dialect, key)}{_where(key)} GROUP BY {ordinals} HAVING {having}"
    )


def listing_sql(dialect: Dialect, key: RowsOfKey, *, nulls_stand: bool = True) -> str:
    """Return the SELECT that a person pastes to see every offending key.

    :param nulls_stand: whether rows with NULL in the key may be there, which has to be said where they do not offend.
    """
    elements = _elements(dialect, key)
    columns = ", ".join(elements)
    conditions = [] if key.target.predicate is None else [f"({key.target.predicate})"]
    having = "count(*) > 1"
    # what is refused is what is listed
    if key.nulls == "forbid":
        having += "".join(f" OR {sql} IS NULL" for sql in elements)
    elif key.nulls != "not_distinct" and nulls_stand:
        conditions += [f"{sql} IS NOT NULL" for sql in elements]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT {columns}, count(*) FROM {_source(dialect, key)}{where} "
        f"GROUP BY {columns} HAVING {having} ORDER BY count(*) DESC;"
    )


def _sample(
    connection: Connection, key: RowsOfKey, identity: Sequence[str], limit: int
) -> tuple[DuplicateGroup, ...]:
    rows = execute(connection, _sample_sql(connection.dialect, key, identity, limit)).all()
    return tuple(_groups(rows, len(key.target.elements), len(identity)))


def _sample_sql(dialect: Dialect, key: RowsOfKey, identity: Sequence[str], limit: int) -> str:
    """Some groups (most rows first), each joined with its first rows by identity."""
    table = f"{_source(dialect, key)}{_where(key)}"
    keys = [f"key_{n}" for n, _ in enumerate(key.target.elements, 1)]
    identities = [f"identity_{n}" for n, _ in enumerate(identity, 1)]
    selected = [f"{sql} AS {name}" for sql, name in zip(_elements(dialect, key), keys, strict=True)]
    selected += [
        f"{_identity_sql(dialect, column)} AS {name}"
        for column, name in zip(identity, identities, strict=True)
    ]
    carried = "".join(f", candidate.{name}" for name in identities)
    # NULLs meet only where the key takes them as equal: has_null = 0 leaves no others in the sample
    same = _SAME.get(dialect.name, "=") if key.nulls == "not_distinct" else "="
    met = " AND ".join(f"sample.{name} {same} candidate.{name}" for name in keys)
    group = ", ".join(f"sample.{name}" for name in keys)
    within = ", ".join(f"candidate.{name}" for name in identities) or group
    largest_first = f"ORDER BY row_count DESC, {', '.join(keys)}"
    return (
        f"SELECT * FROM (SELECT sample.*{carried}, "
        f"row_number() OVER (PARTITION BY {group} ORDER BY {within}) AS place "
        f"FROM (SELECT * FROM ({grouped_sql(dialect, key)}) AS offending WHERE has_null = 0 "
        f"{largest_first} LIMIT {int(limit)}) AS sample "
        f"JOIN (SELECT {', '.join(selected)} FROM {table}) AS candidate ON {met}) AS placed "
        f"WHERE place <= {_IDENTITIES} {largest_first}, place"
    )


def _groups(rows: Sequence[Any], width: int, identity_width: int) -> list[DuplicateGroup]:
    groups: list[DuplicateGroup] = []
    for row in rows:
        values, count = tuple(row[:width]), int(row.row_count)
        after_count_and_null = width + 2
        named_by = tuple(row[after_count_and_null : after_count_and_null + identity_width])
        if row.place == 1:
            groups.append(DuplicateGroup(values, count, (named_by,)))
        else:
            last = groups.pop()
            groups.append(DuplicateGroup(values, count, (*last.identities, named_by)))
    return groups


def _identity(connection: Connection, table: TableName) -> tuple[str, ...]:
    """The columns that tell rows apart; without a primary key, the database's own row identifier."""
    columns = inspect(connection).get_pk_constraint(table.name, table.schema)["constrained_columns"]
    if columns:
        return tuple(columns)
    return {"postgresql": ("ctid",), "sqlite": ("rowid",)}.get(connection.dialect.name, ())


def _identity_sql(dialect: Dialect, column: str) -> str:
    # drivers hand a tid out in forms of their own
    return "CAST(ctid AS text)" if column == "ctid" else named(dialect, column)


def _elements(dialect: Dialect, key: RowsOfKey) -> list[str]:
    return [
        named(dialect, e.column) if e.column is not None else str(e.expression)
        for e in key.target.elements
    ]


def _source(dialect: Dialect, key: RowsOfKey) -> str:
    return f"{'ONLY ' if key.only else ''}{named(dialect, *key.table)}"


def _where(key: RowsOfKey) -> str:
    return "" if key.target.predicate is None else f" WHERE {key.target.predicate}"
