"""What a unique index on the key would be: one is made on an empty copy of the table, read, and rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ...catalog.contract import RelationKind
from ...catalog.postgresql import empty_copy_of, empty_copy_sql, sqlstate
from ...catalog.postgresql.sqlstates import FEATURE_NOT_SUPPORTED, UNDEFINED_COLUMN
from ...catalog.reading import execute, first_sentence, rolled_back
from ...sqltext import EQ, GE, GT, LE, MINUS, NE, named, target_sql
from .relation import find_relation
from .width import width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Dialect, Row

    from ...inference import ConflictTarget, Nulls
    from ..statements import RowsOfKey
    from .relation import Relation

__all__ = [
    "UNDEFINED_FUNCTION",
    "IndexedKey",
    "Obstacle",
    "index_obstacle_on",
    "index_on_empty_copy",
    "index_sql",
]

_XOR = "OPERATOR(pg_catalog.#)"

_CANNOT_SAY = frozenset({"42501", "25006", "42P07", "42809"})
"""No privilege, a read-only transaction, a temporary table itself, a relation that LIKE does not take."""

_NOT_READ = frozenset(
    {"42601", "42702", "42703", "42725", "42804", "42846", "42883", "42P18", "42P20", "42P22"}
)
"""SQL that is none, or is of names, types or collations that do not fit: no table makes it better."""

_NO_INDEX = frozenset({"42704", "42P17", "0A000", "42803", "54011", "42P16"}) | _NOT_READ
"""No operator class for the type; not immutable; a partition column is missing, the column is virtual, a subquery; an
aggregate; more elements than an index holds; a row of no type."""

UNDEFINED_FUNCTION = "42883"
"""undefined_function: a type without equality, or without a hash."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why no unique index can be made on a key."""

    message: str
    """The server's."""
    way_past: str | None = None
    """What can be done about it, as a verb; None: another key."""
    is_of_relation: bool = False
    """Whether no key of the table gets past it."""


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
    """The SQL of each element for messages: columns by name, SQL as the server prints it, without an operator class."""

    composite: bool
    """Whether one of them is of a composite type."""

    default_equality: bool
    """Whether ``GROUP BY`` compares as the index does; not so under a few operator classes."""


def index_on_empty_copy(
    connection: Connection, relation: Relation, key: RowsOfKey
) -> IndexedKey | Obstacle | None:
    """Return what a unique index on the key would be, or why there can be none.

    None: the server cannot be asked (no TEMPORARY privilege, a read-only transaction).
    """
    never = _never_indexed(connection.dialect, relation)
    if never is not None:
        return never
    try:
        with rolled_back(connection):
            empty_copy = empty_copy_sql(
                connection.dialect, relation.name, partitioned_by=relation.partition_key
            )
            execute(connection, empty_copy)
            try:
                execute(
                    connection, index_sql(connection.dialect, relation, key.target, unique=True)
                )
            except DBAPIError as error:
                # of anything else, such as SQL that names the table with its schema, the empty copy is the cause
                # and of a function that takes a row of the table, which is of another type than the copy's
                if sqlstate(error) not in _NO_INDEX - {UNDEFINED_FUNCTION}:
                    return None
                return Obstacle(first_sentence(error), _way_past(sqlstate(error), relation))
            rows = connection.execute(_INDEX_ELEMENTS, {"empty_copy": relation.name.name}).all()
    except DBAPIError as error:
        if sqlstate(error) in _CANNOT_SAY:
            return None
        raise
    return _indexed_key(connection.dialect, key, rows)


def _never_indexed(dialect: Dialect, relation: Relation) -> Obstacle | None:
    """What an empty copy, which is a table without partitions, does not show."""
    if relation.kind in (RelationKind.VIEW, RelationKind.FOREIGN_TABLE):
        return Obstacle(
            f"an index is not supported for {relation.kind.value}s",
            "check the key of the table that is behind it",
            is_of_relation=True,
        )
    if relation.holds_foreign_tables:
        table = named(dialect, relation.name.name)
        return Obstacle(
            f"cannot create unique index on partitioned table {table}: it contains partitions that are foreign tables",
            "make the key of each partition that is a table, and upsert into those; or detach the foreign ones",
            is_of_relation=True,
        )
    return None


def _way_past(state: str | None, relation: Relation) -> str | None:
    if state == UNDEFINED_COLUMN:
        return "add the column in a line above this one, or correct the key"
    if state == FEATURE_NOT_SUPPORTED and relation.partition_key is not None:
        # a virtual column is not supported, too
        return f"make a key that holds what the table is partitioned by, {relation.partition_key}; and declare that"
    return None


def _indexed_key(dialect: Dialect, key: RowsOfKey, rows: Sequence[Row[Any]]) -> IndexedKey:
    elements = [f"{row.sql} COLLATE {row.collation}" if row.collation else row.sql for row in rows]
    unbounded = [sql for sql, row in zip(elements, rows, strict=True) if not row.is_bounded]
    return IndexedKey(
        elements=tuple(elements),
        hashed=_hashed(elements, [row.hash_function for row in rows], nulls=key.nulls),
        width=width_of(unbounded) or None,
        listed=tuple(
            sql if element.column is None else named(dialect, element.column)
            for sql, element in zip(elements, key.target.elements, strict=True)
        ),
        composite=any(row.is_composite for row in rows),
        default_equality=all(bool(row.default_equality) for row in rows),
    )


def _hashed(
    elements: Sequence[str], functions: Sequence[str | None], *, nulls: Nulls
) -> str | None:
    hashes: list[str] = []
    for seed, (sql, function) in enumerate(zip(elements, functions, strict=True), 1):
        if function is None:
            return None
        hashed = f"{function}({sql}, {seed})"
        hashes.append(f"coalesce({hashed}, {seed})" if nulls == "not_distinct" else hashed)
    # XOR of NULL is NULL: a row with NULL in the key has no hash
    return f" {_XOR} ".join(hashes)


def index_obstacle_on(connection: Connection, key: RowsOfKey) -> Obstacle | None:
    """Return why no unique index can be made on the key; None: one can, as far as it is known.

    :raises HiddenRowsError: row level security hides rows from this role.
    """
    relation = find_relation(connection, key.table)
    answer = None if relation is None else index_on_empty_copy(connection, relation, key)
    return answer if isinstance(answer, Obstacle) else None


def index_sql(dialect: Dialect, relation: Relation, target: ConflictTarget, *, unique: bool) -> str:
    """Return the statement that makes an index on the key of the empty copy."""
    empty_copy = empty_copy_of(dialect, relation.name)
    return (
        f"CREATE {'UNIQUE ' if unique else ''}INDEX ON {empty_copy} {target_sql(dialect, target)}"
    )


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
