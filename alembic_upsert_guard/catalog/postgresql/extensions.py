"""Partitions that an extension keeps, of which PostgreSQL's own catalog knows nothing: read from the extension's.

A unique index of a hypertable of TimescaleDB has to hold the columns of all dimensions (ts_indexing_verify_columns:
TS103), one of a table that Citus distributes by hash or range the distribution column (ErrorIfUnsupportedConstraint:
0A000). Of a table that Citus replicates, or distributes by append, it does not.

What is read belongs to the extension: a schema of its name may be anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ...sqltext import EQ
from ..contract import TableName
from ..reading import rolled_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.engine import Connection

    from ..contract import Offered

__all__ = ["EXTENSIONS", "PartitioningExtension", "with_partitions_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitioningExtension:
    """One extension that partitions tables."""

    label: str
    """As people name it."""
    owned: frozenset[str]
    """What the statement reads or calls: relations with their schema, and functions."""
    statement: str
    """Gives schema, table and column, a row a column that every unique index has to hold, in their order."""


EXTENSIONS: Mapping[str, PartitioningExtension] = {
    "timescaledb": PartitioningExtension(
        label="TimescaleDB",
        owned=frozenset({"_timescaledb_catalog.hypertable", "_timescaledb_catalog.dimension"}),
        statement=f"""
            SELECT h.schema_name, h.table_name, d.column_name
            FROM _timescaledb_catalog.hypertable h
            JOIN _timescaledb_catalog.dimension d ON d.hypertable_id {EQ} h.id
            ORDER BY d.id
        """,
    ),
    "citus": PartitioningExtension(
        label="Citus",
        owned=frozenset({"pg_catalog.pg_dist_partition", "pg_catalog.column_to_column_name"}),
        # by hash and by range; partkey: the column as a node of the parser's
        statement=f"""
            SELECT n.nspname AS schema_name, c.relname AS table_name,
                   pg_catalog.column_to_column_name(p.logicalrelid, p.partkey) AS column_name
            FROM pg_catalog.pg_dist_partition p
            JOIN pg_catalog.pg_class c ON c.oid {EQ} CAST(p.logicalrelid AS pg_catalog.oid)
            JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace
            WHERE CAST(p.partmethod AS pg_catalog.text) {EQ} ANY (ARRAY['h', 'r']) AND p.partkey IS NOT NULL
        """,
    ),
}
"""By the name in pg_extension."""

_OWNED = text(f"""
    SELECT pg_catalog.concat(n.nspname, '.', coalesce(c.relname, f.proname))
    FROM pg_catalog.pg_extension e
    JOIN pg_catalog.pg_depend d ON d.refclassid {EQ} CAST('pg_catalog.pg_extension' AS pg_catalog.regclass)
         AND d.refobjid {EQ} e.oid AND CAST(d.deptype AS pg_catalog.text) {EQ} 'e'
    LEFT JOIN pg_catalog.pg_class c ON d.classid {EQ} CAST('pg_catalog.pg_class' AS pg_catalog.regclass)
         AND c.oid {EQ} d.objid
    LEFT JOIN pg_catalog.pg_proc f ON d.classid {EQ} CAST('pg_catalog.pg_proc' AS pg_catalog.regclass)
         AND f.oid {EQ} d.objid
    JOIN pg_catalog.pg_namespace n ON n.oid {EQ} coalesce(c.relnamespace, f.pronamespace)
    WHERE CAST(e.extname AS pg_catalog.text) {EQ} :extension
""")


def with_partitions_of(
    connection: Connection, extensions: Iterable[str], offered: Mapping[TableName, Offered]
) -> dict[TableName, Offered]:
    """Return what tables offer, with the columns that extensions partition them by.

    :param extensions: those in the database, of :data:`EXTENSIONS`; one whose catalog may not be read counts as none.
    """
    found = dict(offered)
    for name in extensions:
        extension = EXTENSIONS[name]
        columns = _columns(connection, name, extension)
        for table, each in offered.items():
            partitioned_by = columns.get(TableName(each.home, table.name), ())
            if partitioned_by:
                traits = replace(
                    each.traits, partition_columns=partitioned_by, partitioner=extension.label
                )
                found[table] = replace(each, traits=traits)
    return found


def _columns(
    connection: Connection, name: str, extension: PartitioningExtension
) -> dict[TableName, tuple[str, ...]]:
    """The columns that each table is partitioned by."""
    columns: dict[TableName, tuple[str, ...]] = {}
    try:
        with rolled_back(connection):
            owned = set(connection.scalars(_OWNED, {"extension": name}))
            if not extension.owned <= owned:
                return {}
            for schema, table, column in connection.execute(text(extension.statement)):
                key = TableName(schema, table)
                columns[key] = (*columns.get(key, ()), column)
    except DBAPIError:
        return {}
    return columns
