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

_SAMPLED = 100_000
"""Rows of a large table that are looked at first. Where every second row is surplus, 50 of them have a twin among these
in a table of 100 million rows, and more in a smaller one."""

_CERTAIN = 20
"""Surplus rows in the sample from which on the rest has as many in proportion, to within a half."""

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

    surplus: int | None
    """Rows whose hash another row has, one of each hash not counted; 0 proves that no two rows share a key. None: a
    sample says that they are many, and they were not counted."""

    null_rows: int
    """Rows with NULL in the key; 0 where NULLs are equal."""

    wide_rows: int
    """Rows whose key may be too wide for an index."""


def prove_absence(
    connection: Connection, relation: Relation, key: RowsOfKey, indexed: IndexedKey, *, few: int
) -> Proof | None:
    """Return what the hashes say; None: the key cannot be hashed.

    :param few: surplus rows that are counted in any case.
    :raises sqlalchemy.exc.DBAPIError: an expression fails on a row.
    """
    if indexed.hashed is None:
        return None
    is_null = " OR ".join(map(key.is_null, indexed.elements))
    # the hash is computed once: under some collations it is what costs
    null_rows = "0" if key.nulls == "not_distinct" else _count_where(is_null)
    wide = _count_where(is_wide(indexed.width)) if indexed.width else "0"
    try:
        with reading_the_heap(connection):
            is_counted = not _has_many(connection, relation, key, indexed, few)
            distinct = f"pg_catalog.count(DISTINCT {indexed.hashed})" if is_counted else "NULL"
            query = (
                f"SELECT pg_catalog.count(*) AS row_count, {distinct} AS hashes, {null_rows} AS nulls, {wide} AS wide "
                f"FROM {key.source(connection.dialect)}"
            )
            counted = execute(connection, query).one()
    except DBAPIError as error:
        if (
            sqlstate(error) == UNDEFINED_FUNCTION
        ):  # an array, a range, a composite of what has no hash
            return None
        raise
    surplus = counted.row_count - counted.nulls - counted.hashes if is_counted else None
    return Proof(surplus, counted.nulls, counted.wide)


def _has_many(
    connection: Connection, relation: Relation, key: RowsOfKey, indexed: IndexedKey, few: int
) -> bool:
    """Return whether a sample of a large table's pages proves that more than `few` rows are surplus.

    It is never more than is there: if each surplus row were on the page of its twin, a part of the pages would show as
    large a part of them, and where they are apart it shows less. Hashes that meet by chance make the exact groups be
    looked for at once, and change no answer.
    """
    if relation.estimated_rows is None or relation.estimated_rows < _SAMPLED * 5:
        return False
    percent = 100 * _SAMPLED / relation.estimated_rows
    source = replace(key, percent=percent).source(connection.dialect)
    rows, distinct = execute(
        connection,
        f"SELECT pg_catalog.count({indexed.hashed}), pg_catalog.count(DISTINCT {indexed.hashed}) FROM {source}",
    ).one()
    surplus = rows - distinct
    return bool(surplus > _CERTAIN and surplus * 100 / percent > few)


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
    names = [f"key_{n}" for n, _ in enumerate(indexed.elements, 1)]
    elements = ", ".join(
        f"{sql} AS {name}" for sql, name in zip(indexed.elements, names, strict=True)
    )
    # OFFSET 0 keeps the two apart: the hash is computed once a row, and NULL, which is that of no key, is not sorted
    return (
        "SELECT hashed, pg_catalog.count(*) OVER () AS duplicate_groups, "
        f"pg_catalog.sum(row_count {MINUS} 1) OVER () AS surplus_rows "
        "FROM (SELECT hashed, pg_catalog.count(*) AS row_count "
        f"FROM (SELECT {indexed.hashed} AS hashed, {elements} FROM {key.source(dialect)} OFFSET 0) AS keyed "
        f"WHERE hashed IS NOT NULL GROUP BY {', '.join(['hashed', *names])} "
        f"HAVING pg_catalog.count(*) {GT} 1) AS offending "
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
