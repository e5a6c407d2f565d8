"""The statement that reads every index of the tables that are asked for, a row an index element.

Manual: https://www.postgresql.org/docs/current/catalog-pg-index.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from ...sqltext import EQ, GT, LE, MINUS, NE
from .extensions import EXTENSIONS
from .server import server_version

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = ["catalog_statement"]

_NOT_NULL = f"""ARRAY(SELECT CAST(na.attname AS pg_catalog.text) FROM pg_catalog.pg_attribute na
                     WHERE na.attrelid {EQ} c.oid AND na.attnotnull AND na.attnum {GT} 0
                     AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint nn
                                     WHERE nn.conrelid {EQ} na.attrelid AND nn.contype {EQ} 'n'
                                     AND nn.conkey[1] {EQ} na.attnum AND NOT nn.convalidated))"""
"""plancat.c, find_relation_notnullatts: a NOT NULL that is NOT VALID proves nothing."""

_DEPENDED_ON = f"""
            SELECT pg_catalog.array_agg(CAST(da.attname AS pg_catalog.text)) AS columns
            FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_attribute da ON da.attrelid {EQ} d.refobjid AND da.attnum {EQ} d.refobjsubid
            WHERE i.indexprs IS NOT NULL
              AND d.classid {EQ} CAST('pg_catalog.pg_class' AS pg_catalog.regclass)
              AND d.objid {EQ} i.indexrelid AND d.refclassid {EQ} d.classid
              AND d.refobjid {EQ} i.indrelid AND d.refobjsubid {GT} 0
"""
"""The columns that an index with expressions depends on, in those and in its predicate."""


def catalog_statement(dialect: Dialect) -> Any:
    """Return the statement that :func:`read` executes on a server of this version; see :func:`offered_from`."""
    version = server_version(dialect)
    # indnullsnotdistinct: the column is there from 15 on
    nulls_not_distinct = "i.indnullsnotdistinct" if version >= (15,) else "false"
    # what only the rules from 19 on need is only then read
    not_null = _NOT_NULL if version >= (19,) else "CAST(NULL AS pg_catalog.text[])"
    extensions = ", ".join(f"'{name}'" for name in sorted(EXTENSIONS))
    return text(f"""
        SELECT wanted.schema AS schema_name,
               wanted.name AS table_name,
               n.nspname AS home,
               CAST(c.relkind AS pg_catalog.text) AS relation_kind, -- some drivers hand "char" out as bytes
               pt.columns AS partition_columns,
               {not_null} AS not_null_columns,
               ARRAY(SELECT CAST(e.extname AS pg_catalog.text) FROM pg_catalog.pg_extension e
                     WHERE CAST(e.extname AS pg_catalog.text) {EQ} ANY (ARRAY[{extensions}])) AS extensions,
               rules.refusing AS refusing_rules,
               rules.discarding AS discarding_rules,
               -- 8: INSERT, https://www.postgresql.org/docs/current/functions-info.html
               CASE WHEN c.relkind {EQ} 'v'
                    THEN pg_catalog.pg_relation_is_updatable(c.oid, true) OPERATOR(pg_catalog.&) 8 {EQ} 8
                    ELSE true END AS takes_insert,
               ic.relname AS index_name,
               i.indisunique AND NOT i.indisexclusion AS is_unique, -- 18: WITHOUT OVERLAPS is both
               i.indisprimary AS is_primary,
               i.indisvalid AS is_valid,
               i.indisready AS is_ready,
               -- a partition's own index may be deferrable below a parent's that is not
               i.indimmediate AND NOT (ic.relkind {EQ} 'I' AND i.indexrelid {EQ} ANY (
                   SELECT ancestor
                   FROM pg_catalog.pg_index pi, pg_catalog.pg_partition_ancestors(pi.indexrelid) ancestor
                   WHERE NOT pi.indimmediate
               )) AS is_immediate,
               {nulls_not_distinct} AS nulls_not_distinct,
               i.indpred IS NOT NULL AS is_partial,
               -- no column in it
               coalesce(pg_catalog.strpos(CAST(i.indpred AS pg_catalog.text), '{{VAR ') {EQ} 0, false) AS is_constant,
               -- printed once an index, in the row of its first element
               CASE WHEN k.position {EQ} 1 THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) END AS predicate,
               CASE WHEN k.position {GT} 1 THEN NULL
                    WHEN con.oid IS NULL THEN pg_catalog.pg_get_indexdef(i.indexrelid)
                    ELSE pg_catalog.format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname,
                                con.conname, pg_catalog.pg_get_constraintdef(con.oid)) END AS definition,
               con.oid IS NOT NULL AS is_constraint,
               coalesce(con.condeferred, false) AS is_deferred,
               depended.columns AS expression_columns,
               k.position {GT} i.indnkeyatts AS is_included,
               a.attname AS column_name, -- NULL: an expression
               NOT a.attnotnull AS is_nullable,
               CASE WHEN a.attname IS NULL
                    THEN pg_catalog.pg_get_indexdef(i.indexrelid, k.position, true) END AS expression,
               CASE WHEN co.oid {NE} a.attcollation
                    THEN {_qualified("co_s.nspname", "co.collname")}
                    END AS collation_name, -- NULL: the column's own, or an expression's
               {_qualified("co_s.nspname", "co.collname")} AS actual_collation,
               CASE WHEN NOT oc.opcdefault
                    THEN {_qualified("oc_s.nspname", "oc.opcname")}
                    END AS opclass_name -- NULL: the type's default
        FROM pg_catalog.jsonb_to_recordset(CAST(:wanted AS pg_catalog.jsonb))
             AS wanted(schema pg_catalog.text, name pg_catalog.text)
        JOIN pg_catalog.pg_class c ON c.relname {EQ} wanted.name AND c.relkind {EQ} ANY ('{{r,p,f,v,m}}')
        JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace
             AND CASE WHEN wanted.schema IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
                      ELSE n.nspname {EQ} wanted.schema END
        -- of the table, and of the partitions that are partitioned again
        LEFT JOIN LATERAL (SELECT ARRAY(
            SELECT coalesce(CAST(pa.attname AS pg_catalog.text), 'an expression') -- partattrs: 0 for one
            FROM pg_catalog.pg_partition_tree(c.oid) tree
            JOIN pg_catalog.pg_partitioned_table p ON p.partrelid {EQ} tree.relid
            CROSS JOIN LATERAL pg_catalog.unnest(CAST(p.partattrs AS smallint[]))
                 WITH ORDINALITY AS part(attnum, place)
            LEFT JOIN pg_catalog.pg_attribute pa ON pa.attrelid {EQ} p.partrelid
                 AND pa.attnum {EQ} part.attnum AND pa.attnum {NE} 0
            ORDER BY tree.level, tree.relid, part.place
        ) AS columns WHERE c.relkind {EQ} 'p') pt ON true
        LEFT JOIN LATERAL (
            SELECT pg_catalog.array_agg(r.name ORDER BY r.name) FILTER (WHERE r.is_refusing) AS refusing,
                   pg_catalog.array_agg(r.name ORDER BY r.name) FILTER (WHERE r.is_discarding) AS discarding
            FROM ({_rules(version)}) r
        ) rules ON c.relhasrules
        LEFT JOIN pg_catalog.pg_index i ON i.indrelid {EQ} c.oid
        LEFT JOIN LATERAL ({_DEPENDED_ON}) depended ON true
        LEFT JOIN pg_catalog.pg_class ic ON ic.oid {EQ} i.indexrelid
        LEFT JOIN pg_catalog.pg_constraint con ON con.conindid {EQ} i.indexrelid AND con.conrelid {EQ} c.oid
             AND con.contype {EQ} ANY ('{{p,u,x}}')
        LEFT JOIN LATERAL pg_catalog.generate_series(1, i.indnatts) AS k(position) ON true
        -- indkey, indclass and indcollation count from 0; the latter two hold the key elements only
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid {EQ} c.oid AND a.attnum {EQ} i.indkey[k.position {MINUS} 1]
             AND a.attnum {NE} 0
        LEFT JOIN pg_catalog.pg_opclass oc ON k.position {LE} i.indnkeyatts
             AND oc.oid {EQ} i.indclass[k.position {MINUS} 1]
        LEFT JOIN pg_catalog.pg_namespace oc_s ON oc_s.oid {EQ} oc.opcnamespace
        LEFT JOIN pg_catalog.pg_collation co ON k.position {LE} i.indnkeyatts
             AND co.oid {EQ} i.indcollation[k.position {MINUS} 1]
        LEFT JOIN pg_catalog.pg_namespace co_s ON co_s.oid {EQ} co.collnamespace
        ORDER BY wanted.schema, wanted.name, ic.relname, k.position
    """)


def _rules(version: tuple[int, ...]) -> str:
    """SQL of the rules that an INSERT with ON CONFLICT into the relation ``c`` meets, and what they do to it.

    rewriteHandler.c, RewriteQuery: it is refused where an INSERT rule produces a query, or there is any UPDATE rule
    (`hasUpdate`, disabled ones included), except on a view that is updatable by itself. There, ALSO rules do no harm,
    and neither does an UPDATE rule.
    """
    # CMD_NOTHING (nodes.h: CmdType); 15 put MERGE before it
    nothing = f"commandType {7 if version >= (15,) else 6} "
    return f"""
            SELECT CAST(rw.rulename AS pg_catalog.text) AS name,
                   CASE WHEN rw.ev_type {EQ} '2' THEN c.relkind {NE} 'v'
                        ELSE acts.acts AND (rw.is_instead OR c.relkind {NE} 'v')
                             OR c.relkind {EQ} 'v' AND rw.is_instead AND acts.is_conditional END AS is_refusing,
                   rw.ev_type {EQ} '3' AND rw.is_instead AND NOT acts.acts AND NOT acts.is_conditional
                       AS is_discarding
            FROM pg_catalog.pg_rewrite rw
            CROSS JOIN LATERAL (
                -- behind the opening of the first query's tree, nine characters
                SELECT pg_catalog.strpos(CAST(rw.ev_action AS pg_catalog.text), '{nothing}') {NE} 10 AS acts,
                       CAST(rw.ev_qual AS pg_catalog.text) {NE} '<>' AS is_conditional
            ) acts
            WHERE rw.ev_class {EQ} c.oid
              AND (rw.ev_type {EQ} '2' OR rw.ev_type {EQ} '3' AND rw.ev_enabled {EQ} ANY ('{{O,A}}'))
    """


def _qualified(schema: str, name: str) -> str:
    """SQL of a name in quotes, with its schema where that is not the system's."""
    bare = f"pg_catalog.quote_ident({name})"
    joined = "OPERATOR(pg_catalog.||)"  # NULL stays NULL, at which format() fails
    return (
        f"CASE WHEN {schema} {EQ} 'pg_catalog' THEN {bare} "
        f"ELSE pg_catalog.quote_ident({schema}) {joined} '.' {joined} {bare} END"
    )
