"""Proof that no two rows share a key, and the rows that may share one where there is none.

The proof hashes each key to 64 bits with the hash function of the index's own equality, and compares the number of
hashes with the number of distinct ones. Equal keys have equal hashes, so equal numbers prove that no two rows share a
key; where they differ, exact groups are looked for. It is one scan and one sort of eight bytes a row, flat in memory
and free of the cost of comparing strings by their collation.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ...catalog.postgresql import (
    empty_copy_of,
    empty_copy_sql,
    insertable_columns,
    read_only,
    server_version,
    sqlstate,
)
from ...catalog.reading import execute, first_sentence, rolled_back
from ...sqltext import EQ, GT, LT, MINUS, quoted
from .indexed_key import UNDEFINED_FUNCTION, index_sql
from .width import is_wide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect

    from ..statements import RowsOfKey
    from .indexed_key import IndexedKey
    from .relation import Relation

__all__ = [
    "Proof",
    "count_null",
    "count_wide",
    "largest_sql",
    "narrow_to_hashes",
    "narrow_to_shared_hashes",
    "prove_absence",
    "reading_the_heap",
    "width_obstacle",
]

MEMORY = "64MB"
"""work_mem of the reading statements, where the session has less; measured: 0.53 of a build at 4MB, 0.46 at 64MB."""

_TOO_WIDE = "54000"
"""program_limit_exceeded: the index row is larger than a third of a page."""


@contextmanager
def reading_the_heap(connection: Connection) -> Iterator[None]:
    """Read the heap and not an index, sort and do not hash, in `MEMORY`: settings of these statements only.

    An index may lie (a collation that changed under it); a hash table of every key outgrows its memory.
    """
    version = server_version(connection.dialect)
    off = ["enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"]
    off += ["enable_hashagg", "enable_hashjoin"]
    if version >= (16,):
        off.append("enable_presorted_aggregate")  # count(DISTINCT) then sorts hashes, not rows
    if version >= (17,):
        off.append("enable_group_by_reordering")  # the hash is compared first
    with read_only(connection):
        for setting in off:
            execute(connection, f"SET LOCAL {setting} = off")
        execute(
            connection,
            f"SELECT pg_catalog.set_config('work_mem', '{MEMORY}', true) "
            f"WHERE pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')) "
            f"{LT} pg_catalog.pg_size_bytes('{MEMORY}')",
        )
        yield


@dataclass(frozen=True, slots=True)
class Proof:
    """What one scan says of the hashes."""

    surplus: int
    """Rows whose hash another row has, one of each hash not counted; 0 proves that no two rows share a key."""

    null_rows: int
    """Rows with NULL in the key; 0 where NULLs are equal."""

    wide_rows: int
    """Rows whose key may be too wide for an index."""


def prove_absence(connection: Connection, key: RowsOfKey, indexed: IndexedKey) -> Proof | None:
    """Return what the hashes say; None: the key cannot be hashed.

    :raises sqlalchemy.exc.DBAPIError: an expression fails on a row.
    """
    if indexed.hashed is None:
        return None
    is_null = " OR ".join(map(key.is_null, indexed.elements))
    # the hash is computed once: under some collations it is what costs
    null_rows = "0" if key.nulls == "not_distinct" else _count_where(is_null)
    wide = _count_where(is_wide(indexed.width)) if indexed.width else "0"
    query = (
        f"SELECT pg_catalog.count(*), {null_rows}, pg_catalog.count(DISTINCT {indexed.hashed}), {wide} "
        f"FROM {key.source(connection.dialect)}"
    )
    try:
        with reading_the_heap(connection):
            rows, nulls, distinct, wide_rows = execute(connection, query).one()
    except DBAPIError as error:
        if (
            sqlstate(error) == UNDEFINED_FUNCTION
        ):  # an array, a range, a composite of what has no hash
            return None
        raise
    return Proof(rows - nulls - distinct, nulls, wide_rows)


def narrow_to_shared_hashes(
    connection: Connection, key: RowsOfKey, indexed: IndexedKey
) -> RowsOfKey:
    """Return the key narrowed down to the rows that share their hash: no more hashes than surplus rows."""
    # NULL, which is the hash of no key, is not counted
    query = (
        f"SELECT {indexed.hashed} AS hashed FROM {key.source(connection.dialect)} "
        f"GROUP BY 1 HAVING pg_catalog.count({indexed.hashed}) {GT} 1"
    )
    with reading_the_heap(connection):
        return narrow_to_hashes(key, indexed, execute(connection, query).scalars().all())


def narrow_to_hashes(key: RowsOfKey, indexed: IndexedKey, hashes: Sequence[int]) -> RowsOfKey:
    """Return the key narrowed down to the rows of these hashes."""
    listed = ",".join(str(int(hashed)) for hashed in hashes)
    return replace(key, among=f"({indexed.hashed}) {EQ} ANY ('{{{listed}}}'::bigint[])")


def largest_sql(key: RowsOfKey, indexed: IndexedKey, dialect: Dialect, limit: int) -> str:
    """Return the SELECT of the `limit` largest groups' hashes, each with the totals of all groups.

    Sorted by hash and then by key, so that keys are compared where hashes are equal, and nowhere else.
    """
    elements = ", ".join(f"{sql} AS key_{n}" for n, sql in enumerate(indexed.elements, 1))
    ordinals = ", ".join(str(n) for n in range(1, len(indexed.elements) + 2))
    return (
        "SELECT hashed, pg_catalog.count(*) OVER () AS duplicate_groups, "
        f"pg_catalog.sum(row_count {MINUS} 1) OVER () AS surplus_rows "
        f"FROM (SELECT {indexed.hashed} AS hashed, {elements}, pg_catalog.count(*) AS row_count "
        f"FROM {key.source(dialect)} GROUP BY {ordinals} "
        f"HAVING pg_catalog.count({indexed.hashed}) {GT} 1) AS offending "
        f"ORDER BY row_count DESC, hashed LIMIT {int(limit)}"
    )


def count_null(connection: Connection, key: RowsOfKey, indexed: IndexedKey) -> int:
    """Return how many rows have NULL in the key, where no proof counted them."""
    if key.nulls == "not_distinct":
        return 0
    is_null = " OR ".join(map(key.is_null, indexed.elements))
    query = f"SELECT {_count_where(is_null)} FROM {key.source(connection.dialect)}"
    with reading_the_heap(connection):
        return int(execute(connection, query).scalar_one())


def count_wide(connection: Connection, key: RowsOfKey, indexed: IndexedKey) -> int:
    """Return how many rows have a key that may be too wide, where no proof counted them."""
    if indexed.width is None:
        return 0
    source = replace(key, among=is_wide(str(indexed.width))).source(connection.dialect)
    with reading_the_heap(connection):
        return int(execute(connection, f"SELECT pg_catalog.count(*) FROM {source}").scalar_one())


def width_obstacle(
    connection: Connection, relation: Relation, key: RowsOfKey, indexed: IndexedKey
) -> str | None:
    """Return the server's message where a key is too wide for an index; None: all of them fit.

    How wide an index row comes out depends on how well it compresses, which no function computes: the rows in doubt
    are put into an indexed empty copy of the table, and taken away again.
    """
    dialect = connection.dialect
    wide = replace(key, among=is_wide(str(indexed.width)), table=relation.name)
    names = insertable_columns(connection, relation.name)
    columns = ", ".join(quoted(dialect, name) for name in names)
    try:
        with rolled_back(connection):
            execute(connection, empty_copy_sql(dialect, relation.name))
            execute(connection, index_sql(dialect, relation, key.target, unique=False))
            execute(
                connection,
                f"INSERT INTO {empty_copy_of(dialect, relation.name)} ({columns}) "
                f"OVERRIDING SYSTEM VALUE SELECT {columns} FROM {wide.source(dialect)}",
            )
    except DBAPIError as error:
        if sqlstate(error) == _TOO_WIDE:
            return first_sentence(error)
        raise
    return None


def _count_where(condition: str) -> str:
    return f"pg_catalog.count(*) FILTER (WHERE {condition})"
