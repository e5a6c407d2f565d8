"""The table that is read, and its columns, as the catalog has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, Integer, text
from sqlalchemy.types import NullType

from ...catalog import TableName
from ...catalog.postgresql import RELATIONS
from ...errors import HiddenRowsError
from ...sqltext import EQ, GE, GT, named, quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ...catalog.contract import RelationKind
    from ..statements import RowsOfKey

__all__ = ["Relation", "columns_of", "find_relation", "keeps_null_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """The table that is read."""

    name: TableName
    """With its schema, whatever the search path finds."""

    kind: RelationKind | None
    """None: none that has rows of its own, as a sequence."""

    has_children: bool
    """Tables inherit from it, whose rows its index does not hold. Partitions, which it spans, are no children."""

    partition_key: str | None
    """As ``PARTITION BY`` takes it; None: not partitioned."""

    holds_foreign_tables: bool
    """A partition is one, over which PostgreSQL makes no unique index (indexcmds.c: DefineIndex)."""

    estimated_rows: float | None
    """As the last VACUUM or ANALYZE counted them; None: they did not, or no sample of its pages can be taken."""


def find_relation(connection: Connection, table: TableName) -> Relation | None:
    """Return the table that is meant, None where there is none.

    :raises HiddenRowsError: row level security hides rows from this role. The index build would see them all.
    """
    statement = text(f"""
        SELECT n.nspname AS schema_name, c.relname AS table_name,
               CAST(c.relkind AS pg_catalog.text) AS relation_kind,
               pg_catalog.pg_get_partkeydef(c.oid) AS partition_key,
               pg_catalog.row_security_active(c.oid) AS hides_rows,
               current_user AS role_name,
               c.relkind {EQ} 'r'
               AND EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent {EQ} c.oid) AS has_children,
               EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) leaf
                       JOIN pg_catalog.pg_class part ON part.oid {EQ} leaf.relid
                       WHERE c.relkind {EQ} 'p' AND part.relkind {EQ} 'f') AS holds_foreign_tables,
               (SELECT CASE WHEN pg_catalog.bool_and(part.relkind {EQ} 'r' AND part.reltuples {GE} 0)
                       THEN pg_catalog.sum(part.reltuples) END
                FROM pg_catalog.pg_class part
                WHERE part.oid {EQ} c.oid AND c.relkind {EQ} 'r'
                   OR part.oid {EQ} ANY (SELECT leaf.relid FROM pg_catalog.pg_partition_tree(c.oid) leaf
                                         WHERE c.relkind {EQ} 'p' AND leaf.isleaf)) AS estimated_rows
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace
        WHERE c.oid {EQ} pg_catalog.to_regclass(:relation)
    """)
    relation = {"relation": quoted(connection.dialect, *table)}
    row = connection.execute(statement, relation).one_or_none()
    if row is None:
        return None
    if row.hides_rows:
        raise HiddenRowsError.of(named(connection.dialect, *table), row.role_name)
    return Relation(
        name=TableName(row.schema_name, row.table_name),
        kind=RELATIONS.get(row.relation_kind),
        has_children=row.has_children,
        partition_key=row.partition_key,
        holds_foreign_tables=row.holds_foreign_tables,
        estimated_rows=row.estimated_rows,
    )


def columns_of(
    connection: Connection, table: TableName
) -> tuple[tuple[str, ...], list[tuple[str, Any, bool]]]:
    """Return the primary key's columns, and each column's name, type (a moment, a number or any other) and nullability.

    A number is what grows from row to row: a UUID that ``uuidv7()`` makes is one.
    """
    relation = {"relation": quoted(connection.dialect, *table)}
    rows = connection.execute(_COLUMNS, relation).all()
    in_key = sorted((row.place, row.name) for row in rows if row.place is not None)
    columns = [
        (
            row.name,
            DateTime() if row.is_moment else Integer() if row.grows else NullType(),
            row.is_nullable,
        )
        for row in rows
    ]
    return tuple(name for _, name in in_key), columns


_COLUMNS = text(f"""
    SELECT a.attname AS name, NOT a.attnotnull AS is_nullable,
           pg_catalog.array_position(pk.conkey, a.attnum) AS place,
           a.atttypid {EQ} ANY ('{{pg_catalog.date,pg_catalog.timestamp,pg_catalog.timestamptz}}'
                                ::pg_catalog.regtype[]) AS is_moment,
           a.atttypid {EQ} ANY ('{{pg_catalog.int2,pg_catalog.int4,pg_catalog.int8,pg_catalog.numeric}}'
                                ::pg_catalog.regtype[])
           OR coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) {EQ} 'uuidv7()', false) AS grows
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid {EQ} a.attrelid AND d.adnum {EQ} a.attnum
    LEFT JOIN pg_catalog.pg_constraint pk ON pk.conrelid {EQ} a.attrelid AND pk.contype {EQ} 'p'
    WHERE a.attrelid {EQ} pg_catalog.to_regclass(:relation) AND a.attnum {GT} 0 AND NOT a.attisdropped
    ORDER BY a.attnum
""")


def keeps_null_out(connection: Connection, relation: Relation, key: RowsOfKey) -> bool:
    """Return whether each element of the key is a column that no row has NULL in."""
    columns = {element.column for element in key.target.elements}
    parameters = {"relation": quoted(connection.dialect, *relation.name), "columns": [*columns]}
    return bool(connection.scalar(_KEPT_FROM_NULL, parameters) == len(columns))


# a NOT NULL that is NOT VALID (PostgreSQL 18) says nothing of the rows that are there
_KEPT_FROM_NULL = text(f"""
    SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid {EQ} pg_catalog.to_regclass(:relation) AND a.attnotnull AND NOT a.attisdropped
    AND a.attname {EQ} ANY (CAST(:columns AS pg_catalog.name[]))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid {EQ} a.attrelid AND c.contype {EQ} 'n'
                    AND c.conkey[1] {EQ} a.attnum AND NOT c.convalidated)
""")
