"""PostgreSQL's part in the preflight: what an index on the key would be, and proof that no key stands twice.

The proof hashes each key to 64 bits with the hash function of the index's own equality, and compares the number of
hashes with the number of distinct ones. Equal keys have equal hashes, so equal numbers prove that no key stands
twice; where they differ, exact groups are looked for. It is one scan and one sort of eight bytes a row, flat in
memory and free of the cost of comparing strings by their collation.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from ..catalog import TableName
from ..catalog.postgresql import (
    element_sql,
    insertable_columns,
    read_only,
    server_version,
    sqlstate,
)
from ..catalog.reading import execute, first_sentence, rolled_back
from ..errors import HiddenRowsError
from ..sqltext import EQ, GE, GT, LE, LT, MINUS, NE, PLUS, named, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect

    from ..inference import ConflictTarget
    from .statements import RowsOfKey

__all__ = [
    "IndexedKey",
    "Proof",
    "Relation",
    "among",
    "as_the_build_reads",
    "columns_of",
    "count_null",
    "count_wide",
    "find_relation",
    "hashes_that_stand_twice",
    "index_obstacle_on",
    "index_on_empty_copy",
    "is_wide",
    "largest_sql",
    "prove_absence",
    "width_obstacle",
    "width_of",
]

_XOR = "OPERATOR(pg_catalog.#)"

MEMORY = "64MB"
"""work_mem of the reading statements, where the session has less; measured: 0.53 of a build at 4MB, 0.46 at 64MB."""

_CANNOT_SAY = frozenset({"42501", "25006", "42P07", "42809"})
"""No privilege, a read-only transaction, a temporary table itself, a relation that LIKE does not take."""

_NOT_READ = frozenset(
    {"42601", "42702", "42703", "42725", "42804", "42846", "42883", "42P18", "42P20", "42P22"}
)
"""SQL that is none, or is of names, types or collations that do not fit: no table makes it better."""

_NO_INDEX = frozenset({"42704", "42P17", "0A000", "42803", "54011"}) | _NOT_READ
"""No operator class for the type; not immutable; a partition column is missing, the column is virtual, a subquery; an
aggregate; more elements than an index holds."""

_NO_FUNCTION = "42883"
"""undefined_function: a type without equality, or without a hash."""

_TOO_WIDE = "54000"
"""program_limit_exceeded: the index row is larger than a third of a page."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What the catalog says of the table that is read."""

    name: TableName
    """With its schema, whatever the search path finds."""

    has_children: bool
    """Tables inherit from it, whose rows its index does not hold. Partitions, which it spans, are no children."""

    partition_key: str | None
    """As ``PARTITION BY`` takes it; None: not partitioned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedKey:
    """What a unique index on the key would be, from one that was made on an empty copy of the table."""

    elements: tuple[str, ...]
    """The SQL of each element, with the collation that it is compared by and without an operator class."""

    hashed: str | None
    """SQL of 64 bits that are equal where keys are, NULL where an element is; None: a type has no such hash."""

    width: str | None
    """SQL of an upper bound on the key's bytes; None: no key can be too wide."""

    listed: tuple[str, ...]
    """The SQL of each element for people: columns by name, SQL in the server's words, without an operator class."""

    composite: bool
    """Whether one of them is of a composite type."""

    default_equality: bool
    """Whether ``GROUP BY`` compares as the index does; not so under a few operator classes."""


def find_relation(connection: Connection, table: TableName) -> Relation | None:
    """Return the table that is meant, None where there is none.

    :raises HiddenRowsError: row level security hides rows from this role. The index build would see them all.
    """
    statement = text(f"""
        SELECT n.nspname AS schema_name, c.relname AS table_name,
               pg_catalog.pg_get_partkeydef(c.oid) AS partition_key,
               pg_catalog.row_security_active(c.oid) AS hides_rows,
               current_user AS role_name,
               c.relkind {EQ} 'r'
               AND EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent {EQ} c.oid) AS has_children
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace
        WHERE c.oid {EQ} pg_catalog.to_regclass(:relation)
    """)
    relation = {"relation": quoted(connection.dialect, *table)}
    row = connection.execute(statement, relation).one_or_none()
    if row is None:
        return None
    if row.hides_rows:
        raise HiddenRowsError(
            f"row level security hides rows of {named(connection.dialect, *table)} from the role {row.role_name}, and "
            "an index would hold them all. Run the upgrade as a role with BYPASSRLS, or as the table's owner without "
            "FORCE ROW LEVEL SECURITY"
        )
    return Relation(TableName(row.schema_name, row.table_name), row.has_children, row.partition_key)


# -- what the index would be


def index_on_empty_copy(
    connection: Connection, relation: Relation, key: RowsOfKey
) -> IndexedKey | str | None:
    """Return what a unique index on the key would be; a str: the server's words for why there can be none.

    None: the server cannot be asked (no TEMPORARY privilege, a read-only transaction).
    """
    dialect = connection.dialect
    try:
        with rolled_back(connection):
            execute(connection, _empty_copy_sql(dialect, relation))
            try:
                execute(connection, _index_sql(dialect, relation, key.target, unique=True))
            except DBAPIError as error:
                # of anything else, such as SQL that names the table with its schema, the empty copy is the cause
                # and of a function that takes a row of the table, which is of another type than the copy's
                obstacles = _NO_INDEX - {_NO_FUNCTION}
                return first_sentence(error) if sqlstate(error) in obstacles else None
            rows = connection.execute(_INDEX_ELEMENTS, {"empty_copy": relation.name.name}).all()
    except DBAPIError as error:
        if sqlstate(error) in _CANNOT_SAY:
            return None
        raise
    spelled = [f"{row.sql} COLLATE {row.collation}" if row.collation else row.sql for row in rows]
    hashes = [
        _hash_sql(sql, row.hash_function, seed, nulls=key.nulls)
        for seed, (sql, row) in enumerate(zip(spelled, rows, strict=True), 1)
    ]
    unbounded = [sql for sql, row in zip(spelled, rows, strict=True) if not row.is_bounded]
    return IndexedKey(
        elements=tuple(spelled),
        # XOR of NULL is NULL: a row with NULL in the key has no hash
        hashed=f" {_XOR} ".join(h for h in hashes if h is not None) if None not in hashes else None,
        width=width_of(unbounded) or None,
        listed=tuple(
            sql if element.column is None else named(dialect, element.column)
            for sql, element in zip(spelled, key.target.elements, strict=True)
        ),
        composite=any(row.is_composite for row in rows),
        default_equality=all(bool(row.default_equality) for row in rows),
    )


def index_obstacle_on(connection: Connection, key: RowsOfKey) -> str | None:
    """Return the server's words for why no unique index can be made on the key; None: one can, as far as it is known.

    :raises HiddenRowsError: row level security hides rows from this role.
    """
    relation = find_relation(connection, key.table)
    answer = None if relation is None else index_on_empty_copy(connection, relation, key)
    return answer if isinstance(answer, str) else None


_INDEX_ELEMENTS = text(f"""
    SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k.position, false) AS sql, -- neither collation nor operator class
           CASE WHEN i.indcollation[k.position {MINUS} 1] {NE} 0
                THEN (SELECT pg_catalog.format('%I.%I', n.nspname, co.collname) FROM pg_catalog.pg_collation co
                      JOIN pg_catalog.pg_namespace n ON n.oid {EQ} co.collnamespace
                      WHERE co.oid {EQ} i.indcollation[k.position {MINUS} 1]) END AS collation,
           -- fixed, or short: text and its like with a length, in characters of at most four bytes
           a.attlen {GT} 0
               OR a.atttypid {EQ} ANY ('{{pg_catalog.varchar,pg_catalog.bpchar}}'::pg_catalog.regtype[])
                  AND a.atttypmod {GE} 0 AND a.atttypmod {LE} 200
               OR a.atttypid {EQ} 'pg_catalog.numeric'::pg_catalog.regtype AND a.atttypmod {GE} 0 AS is_bounded,
           equal.amopopr {EQ} by_default.amopopr AS default_equality,
           oc.opcintype {EQ} 'pg_catalog.record'::pg_catalog.regtype AS is_composite,
           (SELECT pg_catalog.format('%I.%I', n.nspname, p.proname)
            FROM pg_catalog.pg_amop h
            JOIN pg_catalog.pg_am m ON m.oid {EQ} h.amopmethod AND m.amname {EQ} 'hash'
            JOIN pg_catalog.pg_amproc hp ON hp.amprocfamily {EQ} h.amopfamily AND hp.amprocnum {EQ} 2 -- 64 bits, seeded
                 AND hp.amproclefttype {EQ} oc.opcintype AND hp.amprocrighttype {EQ} oc.opcintype
            JOIN pg_catalog.pg_proc p ON p.oid {EQ} hp.amproc
            JOIN pg_catalog.pg_namespace n ON n.oid {EQ} p.pronamespace
            WHERE h.amopopr {EQ} equal.amopopr
            LIMIT 1) AS hash_function
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid {EQ} i.indrelid AND c.relname {EQ} :empty_copy
         AND c.relnamespace {EQ} pg_catalog.pg_my_temp_schema()
    CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts) AS k(position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid {EQ} i.indexrelid AND a.attnum {EQ} k.position
    JOIN pg_catalog.pg_opclass oc ON oc.oid {EQ} i.indclass[k.position {MINUS} 1]
    JOIN pg_catalog.pg_amop equal ON equal.amopfamily {EQ} oc.opcfamily AND equal.amopstrategy {EQ} 3 -- btree: =
         AND equal.amoplefttype {EQ} oc.opcintype AND equal.amoprighttype {EQ} oc.opcintype
    LEFT JOIN pg_catalog.pg_opclass d ON d.opcmethod {EQ} oc.opcmethod AND d.opcintype {EQ} oc.opcintype
         AND d.opcdefault
    LEFT JOIN pg_catalog.pg_amop by_default ON by_default.amopfamily {EQ} d.opcfamily AND by_default.amopstrategy {EQ} 3
         AND by_default.amoplefttype {EQ} d.opcintype AND by_default.amoprighttype {EQ} d.opcintype
    ORDER BY k.position
""")
"""The columns of pg_index that are vectors count from 0. https://www.postgresql.org/docs/current/xindex.html"""


def _empty_copy_sql(dialect: Dialect, relation: Relation, *, partitioned: bool = True) -> str:
    """An empty table of the same name, so that SQL which names the table finds it."""
    empty_copy = quoted(dialect, "pg_temp", relation.name.name)
    # storage decides how wide a key may be; compression is a column's own from 14 on
    compression = " INCLUDING COMPRESSION" if server_version(dialect) >= (14,) else ""
    partition = f" PARTITION BY {relation.partition_key}" if relation.partition_key else ""
    return (
        f"CREATE TEMP TABLE {empty_copy} (LIKE {quoted(dialect, *relation.name)} "
        f"INCLUDING GENERATED INCLUDING STORAGE{compression}){partition if partitioned else ''}"
    )


def _index_sql(
    dialect: Dialect, relation: Relation, target: ConflictTarget, *, unique: bool
) -> str:
    elements = ", ".join(element_sql(dialect, element) for element in target.elements)
    where = "" if target.predicate is None else f" WHERE {target.predicate}"
    empty_copy = quoted(dialect, "pg_temp", relation.name.name)
    return f"CREATE {'UNIQUE ' if unique else ''}INDEX ON {empty_copy} ({elements}){where}"


def _hash_sql(sql: str, function: str | None, seed: int, *, nulls: str) -> str | None:
    if function is None:
        return None
    hashed = f"{function}({sql}, {seed})"
    return f"coalesce({hashed}, {seed})" if nulls == "not_distinct" else hashed


# -- the reading


@contextmanager
def as_the_build_reads(connection: Connection) -> Iterator[None]:
    """Read the heap and not an index, sort and do not hash, in `MEMORY`: settings of these statements alone.

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
    """What one scan tells of the hashes."""

    surplus: int
    """Rows whose hash another row has, one of each hash not counted; 0 proves that no key stands twice."""

    null_rows: int
    """Rows with NULL in the key; 0 where NULLs are equal."""

    wide_rows: int
    """Rows whose key may be too wide for an index."""


def prove_absence(connection: Connection, key: RowsOfKey, indexed: IndexedKey) -> Proof | None:
    """Return what the hashes tell; None: the key cannot be hashed.

    :raises sqlalchemy.exc.DBAPIError: an expression fails on a row.
    """
    if indexed.hashed is None:
        return None
    is_null = " OR ".join(map(key.is_null, indexed.elements))
    # the hash stands there once: under some collations it is what costs
    null_rows = "0" if key.nulls == "not_distinct" else _count_where(is_null)
    wide = _count_where(is_wide(indexed.width)) if indexed.width else "0"
    query = (
        f"SELECT pg_catalog.count(*), {null_rows}, pg_catalog.count(DISTINCT {indexed.hashed}), {wide} "
        f"FROM {key.source(connection.dialect)}"
    )
    try:
        with as_the_build_reads(connection):
            rows, nulls, distinct, wide_rows = execute(connection, query).one()
    except DBAPIError as error:
        if sqlstate(error) == _NO_FUNCTION:  # an array, a range, a composite of what has no hash
            return None
        raise
    return Proof(rows - nulls - distinct, nulls, wide_rows)


def hashes_that_stand_twice(
    connection: Connection, key: RowsOfKey, indexed: IndexedKey
) -> RowsOfKey:
    """Return the key narrowed down to the rows whose hash is not alone. As many hashes as there are surplus rows."""
    query = (
        f"SELECT {indexed.hashed} AS hashed FROM {key.source(connection.dialect)} "
        f"GROUP BY 1 HAVING pg_catalog.count({indexed.hashed}) {GT} 1"  # NULL, which stands for no key, is not counted
    )
    with as_the_build_reads(connection):
        return among(key, indexed, execute(connection, query).scalars().all())


def among(key: RowsOfKey, indexed: IndexedKey, hashes: Sequence[int]) -> RowsOfKey:
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
    with as_the_build_reads(connection):
        return int(execute(connection, query).scalar_one())


def count_wide(connection: Connection, key: RowsOfKey, indexed: IndexedKey) -> int:
    """Return how many rows have a key that may be too wide, where no proof counted them."""
    if indexed.width is None:
        return 0
    source = replace(key, among=is_wide(str(indexed.width))).source(connection.dialect)
    with as_the_build_reads(connection):
        return int(execute(connection, f"SELECT pg_catalog.count(*) FROM {source}").scalar_one())


def width_obstacle(
    connection: Connection, relation: Relation, key: RowsOfKey, indexed: IndexedKey
) -> str | None:
    """Return the server's words where a key is too wide for an index; None: all of them fit.

    How wide an index row comes out depends on how well it compresses, which no function tells: the rows in doubt
    are put into an indexed empty copy of the table, and taken away again.
    """
    dialect = connection.dialect
    wide = replace(key, among=is_wide(str(indexed.width)), table=relation.name)
    names = insertable_columns(connection, relation.name)
    columns = ", ".join(quoted(dialect, name) for name in names)
    try:
        with rolled_back(connection):
            execute(connection, _empty_copy_sql(dialect, relation, partitioned=False))
            execute(connection, _index_sql(dialect, relation, key.target, unique=False))
            execute(
                connection,
                f"INSERT INTO {quoted(dialect, 'pg_temp', relation.name.name)} ({columns}) "
                f"OVERRIDING SYSTEM VALUE SELECT {columns} FROM {wide.source(dialect)}",
            )
    except DBAPIError as error:
        if sqlstate(error) == _TOO_WIDE:
            return first_sentence(error)
        raise
    return None


def is_wide(width: str) -> str:
    """Return the condition that a key of `width` bytes, at most, may be too wide for an index."""
    # an index row takes a third of a page at most: BTMaxItemSize, nbtree.h
    quarter = "(CAST(pg_catalog.current_setting('block_size') AS int) OPERATOR(pg_catalog./) 4)"
    return f"{width} {GT} {quarter}"


def width_of(elements: Iterable[str]) -> str:
    """Return SQL of the bytes that these elements take, added up; empty for none."""
    return f" {PLUS} ".join(f"coalesce(pg_catalog.pg_column_size({sql}), 0)" for sql in elements)


def _count_where(condition: str) -> str:
    return f"pg_catalog.count(*) FILTER (WHERE {condition})"


# -- the rows as people know them


def columns_of(
    connection: Connection, table: TableName
) -> tuple[tuple[str, ...], list[tuple[str, Any, bool]]]:
    """Return the primary key's columns, and each column's name, type (a moment, or any other) and nullability."""
    relation = {"relation": quoted(connection.dialect, *table)}
    rows = connection.execute(_COLUMNS, relation).all()
    in_key = sorted((row.place, row.name) for row in rows if row.place is not None)
    columns = [
        (row.name, DateTime() if row.is_moment else NullType(), row.is_nullable) for row in rows
    ]
    return tuple(name for _, name in in_key), columns


_COLUMNS = text(f"""
    SELECT a.attname AS name, NOT a.attnotnull AS is_nullable,
           pg_catalog.array_position(pk.conkey, a.attnum) AS place,
           a.atttypid {EQ} ANY ('{{pg_catalog.date,pg_catalog.timestamp,pg_catalog.timestamptz}}'
                                ::pg_catalog.regtype[]) AS is_moment
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_constraint pk ON pk.conrelid {EQ} a.attrelid AND pk.contype {EQ} 'p'
    WHERE a.attrelid {EQ} pg_catalog.to_regclass(:relation) AND a.attnum {GT} 0 AND NOT a.attisdropped
    ORDER BY a.attnum
""")
