"""What is asked about the rows of a key, as SQL that every dialect takes.

Rows are grouped by the key's own columns and expressions, never by a cast: equality is then that of the index
(citext, numeric scale, padded char, collations), so the report and the index build agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..databases import database_for
from ..findings import describe_key
from ..sqltext import called, named, operator, where_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Dialect

    from ..catalog import TableName
    from ..inference import ConflictTarget, Nulls

__all__ = ["IDENTITIES", "RowsOfKey", "listing_sql", "sample_sql", "totals_sql"]

IDENTITIES = 5
"""Rows named for each group in the sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsOfKey:
    """Which rows a key is about, and what NULL means among them."""

    table: TableName
    target: ConflictTarget
    nulls: Nulls

    only: bool = False
    """Whether the table has inheritance children, whose rows its index does not hold (PostgreSQL)."""

    spelled: tuple[str, ...] = ()
    """The elements as the database groups by them, where it was asked; empty: as the target spells them."""

    composite: bool = False
    """Whether an element is of a composite type, of which IS NULL is true where its fields are all NULL, too."""

    percent: float | None = None
    """The percentage of the table's pages that is read, whichever they are; None: all of them (PostgreSQL)."""

    among: str | None = None
    """A condition that all the offending rows are known to meet; None: any row may offend."""

    def label(self, dialect: Dialect) -> str:
        """Return the key as messages name it."""
        return describe_key(named(dialect, *self.table), self.target.labels, self.target.predicate)

    def elements(self, dialect: Dialect) -> list[str]:
        """Return the SQL of each element, in declared order."""
        return list(self.spelled) or [
            named(dialect, e.column) if e.column is not None else str(e.expression)
            for e in self.target.elements
        ]

    def source(self, dialect: Dialect) -> str:
        """Return what follows FROM: the table with the conditions that narrow its rows down."""
        sampled = (
            ""
            if self.percent is None
            else f" TABLESAMPLE pg_catalog.system ({self.percent}) REPEATABLE (0)"
        )
        return f"{self.relation(dialect)}{sampled}{self._where()}"

    def _where(self) -> str:
        if self.among is None:
            return where_sql(self.target.predicate)
        if self.target.predicate is None:
            return where_sql(self.among)
        # in this order: the predicate may keep rows away that an element fails on
        return f" WHERE CASE WHEN {self.target.predicate} THEN {self.among} ELSE false END"

    def is_null(self, sql: str) -> str:
        """Return the condition that an index takes the element for NULL."""
        return f"{sql} IS NOT DISTINCT FROM NULL" if self.composite else f"{sql} IS NULL"

    def is_not_null(self, sql: str) -> str:
        """Return the condition that an index takes the element for a value."""
        return f"{sql} IS DISTINCT FROM NULL" if self.composite else f"{sql} IS NOT NULL"

    def relation(self, dialect: Dialect) -> str:
        """Return the table as FROM names it."""
        return f"{'ONLY ' if self.only else ''}{named(dialect, *self.table)}"


def totals_sql(dialect: Dialect, key: RowsOfKey) -> str:
    """Return the SELECT of one row: ``duplicate_groups``, ``surplus_rows``, ``null_rows`` (each NULL for none)."""
    total, equal, minus = (
        called(dialect, "sum"),
        operator(dialect, "="),
        operator(dialect, "-"),
    )
    return (
        f"SELECT {total}(CASE WHEN has_null {equal} 0 THEN 1 END) AS duplicate_groups, "
        f"{total}(CASE WHEN has_null {equal} 0 THEN row_count {minus} 1 END) AS surplus_rows, "
        f"{total}(CASE WHEN has_null {equal} 1 THEN row_count END) AS null_rows "
        f"FROM ({_grouped_sql(dialect, key)}) AS offending"
    )


def _grouped_sql(dialect: Dialect, key: RowsOfKey) -> str:
    """Return the SELECT of every key that breaks the rule: ``key_1 ...``, ``row_count``, ``has_null``."""
    elements = key.elements(dialect)
    columns = ", ".join(f"{sql} AS key_{n}" for n, sql in enumerate(elements, 1))
    null = " OR ".join(_is_null_key(dialect, key, sql) for sql in elements)
    ordinals = ", ".join(str(n) for n in range(1, len(elements) + 1))
    rows = f"{called(dialect, 'count')}(*)"
    several = f"{rows} {operator(dialect, '>')} 1"
    if key.nulls == "not_distinct":
        has_null, having = "0", several
    else:
        has_null, having = f"CASE WHEN {null} THEN 1 ELSE 0 END", f"{several} OR {null}"
    return (
        f"SELECT {database_for(dialect).grouping_hint}{columns}, {rows} AS row_count, {has_null} AS has_null "
        f"FROM {key.source(dialect)} GROUP BY {ordinals} HAVING {having}"
    )


def _is_null_key(dialect: Dialect, key: RowsOfKey, sql: str) -> str:
    """The condition, in a group, that its key has NULL in this element."""
    if database_for(dialect).groups_by_ordinal_only:  # so it is asked of the group
        return f"count({sql}) = 0"
    return key.is_null(sql)


def listing_sql(dialect: Dialect, key: RowsOfKey, *, has_nulls: bool = True) -> str:
    """Return the SELECT that a person pastes to see every offending key.

    :param has_nulls: whether rows with NULL in the key may be there, which matters where they do not offend.
    """
    elements = key.elements(dialect)
    columns = ", ".join(elements)
    having = "count(*) > 1"
    # what is refused is what is listed
    if key.nulls == "forbid":
        having += "".join(f" OR {_is_null_key(dialect, key, sql)}" for sql in elements)
    elif key.nulls != "not_distinct" and has_nulls:
        # of groups: the planner may ask a condition without an aggregate of rows that the predicate keeps away
        having = " AND ".join(f"count({sql}) > 1" for sql in elements)
    are_columns = all(element.column is not None for element in key.target.elements)
    # a constant behind GROUP BY would be taken for a position
    group = columns if are_columns else ", ".join(str(n) for n, _ in enumerate(elements, 1))
    return (
        f"SELECT {columns}, count(*) FROM {key.relation(dialect)}{where_sql(key.target.predicate)} "
        f"GROUP BY {group} HAVING {having} ORDER BY count(*) DESC;"
    )


def sample_sql(dialect: Dialect, key: RowsOfKey, identity: Sequence[str], limit: int) -> str:
    """Return the SELECT of some groups (most rows first, then by key), each with its first rows by identity.

    A row an identity: ``key_1 ...``, ``row_count``, ``duplicate_groups``, ``surplus_rows``, ``identity_1 ...``,
    ``place`` from 1. The table is read once. Rows are grouped by PARTITION BY, which compares as an index of the
    type's default operator class does, and by no operator that a search path leads to.
    """
    keys = [f"key_{n}" for n, _ in enumerate(key.elements(dialect), 1)]
    identities = [f"identity_{n}" for n, _ in enumerate(identity, 1)]
    selected = [f"{sql} AS {name}" for sql, name in zip(key.elements(dialect), keys, strict=True)]
    selected += [
        f"{_identity_sql(dialect, column)} AS {name}"
        for column, name in zip(identity, identities, strict=True)
    ]
    not_distinct = key.nulls == "not_distinct"
    has_key = "" if not_distinct else f" WHERE {' AND '.join(map(key.is_not_null, keys))}"
    by_key, within = ", ".join(keys), ", ".join(identities or keys)
    count, total = called(dialect, "count"), called(dialect, "sum")
    number, rank = called(dialect, "row_number"), called(dialect, "dense_rank")
    more, up_to = operator(dialect, ">"), operator(dialect, "<=")
    # drawn together, the predicate would no longer keep rows away that an element fails on
    once = database_for(dialect).materializes
    return (
        f"WITH candidate AS {once}(SELECT {', '.join(selected)} FROM {key.source(dialect)}), "
        f"placed AS (SELECT candidate.*, {count}(*) OVER (PARTITION BY {by_key}) AS row_count, "
        f"{number}() OVER (PARTITION BY {by_key} ORDER BY {within}) AS place FROM candidate{has_key}), "
        f"ranked AS (SELECT placed.*, {rank}() OVER (ORDER BY row_count DESC, {by_key}) AS group_number, "
        f"{total}(CASE WHEN place {more} 1 THEN 0 ELSE 1 END) OVER () AS duplicate_groups, "
        f"{total}(CASE WHEN place {more} 1 THEN 1 ELSE 0 END) OVER () AS surplus_rows "
        f"FROM placed WHERE row_count {more} 1) "
        f"SELECT {', '.join([*keys, 'row_count', 'duplicate_groups', 'surplus_rows', *identities, 'place'])} "
        f"FROM ranked WHERE group_number {up_to} {int(limit)} AND place {up_to} {IDENTITIES} "
        "ORDER BY group_number, place"
    )


def _identity_sql(dialect: Dialect, column: str) -> str:
    # drivers hand a tid out in forms of their own
    return "CAST(ctid AS pg_catalog.text)" if column == "ctid" else named(dialect, column)
