"""The catalog read for every unique index of a table and its partitions, compared with the one that is wanted.

Shapes are compared, and never names: what is wanted is made on an empty copy of the table and rolled back, and
both sides are read by one statement. Manual: https://www.postgresql.org/docs/current/catalog-pg-index.html
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..catalog import TableName
from ..catalog.postgresql import RELATIONS, empty_copy_of, empty_copy_sql, server_version, sqlstate
from ..catalog.postgresql.sqlstates import INSUFFICIENT_PRIVILEGE
from ..catalog.reading import execute, first_sentence, rolled_back
from ..errors import OnlineError
from ..sqltext import EQ, NE, PLUS, named, quoted
from .arbiter import Timing
from .state import IndexState, TableState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Dialect, Row

    from .arbiter import OnlineArbiter

__all__ = ["describe_namesake", "read_state", "shape_of"]


def shape_of(connection: Connection, wanted: OnlineArbiter) -> str:
    """Return what the server makes of `wanted`, as text that is equal for equal indexes.

    :raises OnlineError: the server refuses it on the empty table already, and says why.
    """
    dialect = connection.dialect
    table = named(dialect, *wanted.table)
    empty_copy = empty_copy_of(dialect, wanted.table)
    try:
        with rolled_back(connection):
            execute(connection, empty_copy_sql(dialect, wanted.table))
            execute(connection, f"CREATE UNIQUE INDEX ON {empty_copy} {wanted.clauses(dialect)}")
            (row,) = _rows(connection, empty_copy)
            return str(row.shape)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
            raise OnlineError(
                f"{wanted.name} on {table} cannot be compared with what is there: {first_sentence(error)}. Grant the "
                "role that migrates TEMPORARY on the database"
            ) from error
        raise OnlineError(
            f"{wanted.name} on {table} cannot be made, nothing was changed. The database says: {first_sentence(error)}"
        ) from error


def read_state(
    connection: Connection, table: TableName, shape: str | None
) -> tuple[TableState, ...]:
    """Return the table and its partitions, each after its parent; nothing where there is no such table.

    One statement, whatever the number of partitions; builders are asked for in a second one.

    :param shape: what :func:`shape_of` returned; None: nothing is the same.
    """
    rows = _rows(connection, quoted(connection.dialect, *table))
    builders = _builders(connection, [row.table_oid for row in rows])
    return tuple(
        _table_state(list(of_table), shape, builders)
        for _, of_table in groupby(rows, lambda row: row.table_oid)
    )


def _table_state(
    rows: Sequence[Row[Any]], shape: str | None, builders: dict[int, tuple[int, ...]]
) -> TableState:
    table = rows[0]
    return TableState(
        oid=table.table_oid,
        name=TableName(table.schema_name, table.table_name),
        relation=RELATIONS.get(table.relation_kind),
        indexes=tuple(
            IndexState(
                oid=row.index_oid,
                name=row.index_name,
                same=row.shape == shape,
                shape=row.shape,
                valid=row.is_valid,
                constraint=row.is_constraint,
                timing=Timing(row.timing),
                attached_to=row.attached_to,
                definition=row.definition,
                needed_by=row.needed_by,
            )
            for row in rows
            if row.index_oid is not None
        ),
        parent=table.parent,
        builders=builders.get(table.table_oid, ()),
    )


def _rows(connection: Connection, relation: str) -> Sequence[Row[Any]]:
    return connection.execute(_statement(connection.dialect), {"relation": relation}).all()


def _statement(dialect: Dialect) -> Any:
    nulls_not_distinct = "i.indnullsnotdistinct" if server_version(dialect) >= (15,) else "false"
    return text(f"""
        WITH RECURSIVE tree AS (
            SELECT c.oid, CAST(NULL AS pg_catalog.oid) AS parent, c.relkind, 0 AS depth
            FROM pg_catalog.pg_class c WHERE c.oid {EQ} pg_catalog.to_regclass(:relation)
            UNION ALL
            SELECT c.oid, i.inhparent, c.relkind, tree.depth {PLUS} 1
            FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent {EQ} tree.oid AND tree.relkind {EQ} 'p'
            JOIN pg_catalog.pg_class c ON c.oid {EQ} i.inhrelid
        )
        SELECT CAST(c.oid AS bigint) AS table_oid,
               CAST(tree.parent AS bigint) AS parent,
               CAST(c.relkind AS pg_catalog.text) AS relation_kind,
               n.nspname AS schema_name,
               c.relname AS table_name,
               CAST(i.indexrelid AS bigint) AS index_oid,
               ic.relname AS index_name,
               i.indisvalid AS is_valid,
               con.oid IS NOT NULL AS is_constraint,
               CASE WHEN con.condeferred THEN ' DEFERRABLE INITIALLY DEFERRED'
                    WHEN con.condeferrable THEN ' DEFERRABLE' ELSE '' END AS timing,
               CAST(part.inhparent AS bigint) AS attached_to,
               CASE WHEN i.indexrelid IS NOT NULL THEN CAST(pg_catalog.jsonb_build_array(
                   i.indisunique, am.amname, i.indnkeyatts,
                   (SELECT pg_catalog.jsonb_agg(
                        pg_catalog.pg_get_indexdef(i.indexrelid, position, false) ORDER BY position)
                    FROM pg_catalog.generate_series(1, i.indnatts) AS position),
                   -- bits for DESC and NULLS FIRST; oids, which are the same on an empty copy
                   CAST(i.indoption AS pg_catalog.text), CAST(i.indclass AS pg_catalog.text),
                   CAST(i.indcollation AS pg_catalog.text),
                   pg_catalog.pg_get_expr(i.indpred, i.indrelid), {nulls_not_distinct}
               ) AS pg_catalog.text) END AS shape,
               CASE WHEN con.oid IS NOT NULL THEN pg_catalog.pg_get_constraintdef(con.oid)
                    ELSE pg_catalog.pg_get_indexdef(i.indexrelid) END AS definition,
               (SELECT pg_catalog.format('%I of %s', f.conname, CAST(f.conrelid AS pg_catalog.regclass))
                FROM pg_catalog.pg_constraint f
                WHERE f.conindid {EQ} i.indexrelid AND f.contype {EQ} 'f' AND f.conparentid {EQ} 0
                ORDER BY f.conname LIMIT 1) AS needed_by
        FROM tree
        JOIN pg_catalog.pg_class c ON c.oid {EQ} tree.oid
        JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace
        LEFT JOIN pg_catalog.pg_index i ON i.indrelid {EQ} c.oid
        LEFT JOIN pg_catalog.pg_class ic ON ic.oid {EQ} i.indexrelid
        LEFT JOIN pg_catalog.pg_am am ON am.oid {EQ} ic.relam
        LEFT JOIN pg_catalog.pg_inherits part ON part.inhrelid {EQ} i.indexrelid
        LEFT JOIN pg_catalog.pg_constraint con ON con.conindid {EQ} i.indexrelid AND con.conrelid {EQ} c.oid
             AND con.contype {EQ} ANY ('{{p,u,x}}')
        ORDER BY tree.depth, c.oid, ic.relname
    """)


_BUILDERS = text(f"""
    SELECT CAST(l.relation AS bigint) AS table_oid, l.pid
    FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_database d ON d.oid {EQ} l.database AND d.datname {EQ} pg_catalog.current_database()
    WHERE l.locktype {EQ} 'relation' AND l.mode {EQ} 'ShareUpdateExclusiveLock' AND l.granted
      AND l.pid {NE} pg_catalog.pg_backend_pid() AND CAST(l.relation AS bigint) {EQ} ANY(:tables)
    ORDER BY l.relation, l.pid
""")
"""CREATE INDEX CONCURRENTLY holds this lock from its beginning to its end, VACUUM and ANALYZE too: what another role
does pg_stat_progress_create_index does not show, and a lock it does. https://www.postgresql.org/docs/current/explicit-locking.html"""


def _builders(connection: Connection, tables: Sequence[int]) -> dict[int, tuple[int, ...]]:
    rows = connection.execute(_BUILDERS, {"tables": list(dict.fromkeys(tables))}).all()
    return {
        table: tuple(row.pid for row in of_table)
        for table, of_table in groupby(rows, lambda row: row.table_oid)
    }


def describe_namesake(connection: Connection, table: TableState, name: str) -> str | None:
    """Return what else has the name in the schema of `table`; None: nothing. Names are unique in a schema."""
    row = connection.execute(_NAMESAKE, {"schema": table.name.schema, "name": name}).one_or_none()
    if row is None or row.table_oid == table.oid:
        return None
    dialect = connection.dialect
    if row.table_name is None:
        relation = RELATIONS.get(row.relation_kind)
        kind = "relation" if relation is None else relation.value
        return f"the {kind} {named(dialect, row.name)}"
    return f"an index of {named(dialect, row.table_schema, row.table_name)}"


_NAMESAKE = text(f"""
    SELECT c.relname AS name, CAST(c.relkind AS pg_catalog.text) AS relation_kind,
           CAST(t.oid AS bigint) AS table_oid, t.relname AS table_name, tn.nspname AS table_schema
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid {EQ} c.oid
    LEFT JOIN pg_catalog.pg_class t ON t.oid {EQ} i.indrelid
    LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid {EQ} t.relnamespace
    WHERE n.nspname {EQ} :schema AND c.relname {EQ} :name
""")
