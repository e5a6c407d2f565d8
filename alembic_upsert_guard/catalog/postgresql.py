"""PostgreSQL: pg_index read once for all tables; the planner as a witness.

Manual: https://www.postgresql.org/docs/current/catalog-pg-index.html
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..inference import Candidate, ConflictTarget, Element, Kind, Traits
from ..sqltext import EQ, GT, LE, MINUS, NE, quoted
from .reading import (
    Inferred,
    Offered,
    TableName,
    execute,
    first_sentence,
    rolled_back,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect, Row

__all__ = [
    "NO_ARBITER",
    "catalog_statement",
    "constraint_in_the_way",
    "element_sql",
    "explain_upsert",
    "home",
    "inferred_arbiters",
    "insertable_columns",
    "is_tenant_schema",
    "keeps_null_out",
    "null_makes_null",
    "offered_from",
    "read",
    "read_only",
    "server_version",
    "sqlstate",
]

_RELATIONS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
"""pg_class.relkind, in words."""

_NOT_NULL = f"""ARRAY(SELECT CAST(na.attname AS pg_catalog.text) FROM pg_catalog.pg_attribute na
                     WHERE na.attrelid {EQ} c.oid AND na.attnotnull AND na.attnum {GT} 0)"""

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

NO_ARBITER = "42P10"
"""invalid_column_reference: no unique or exclusion constraint matches the ON CONFLICT specification."""

_WRONG_SQL = "42"
"""Syntax error or access rule violation: the class of everything that is wrong with a statement as it is written.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_WRONG_ELSE = frozenset({"42501", "42P01", "42809", NO_ARBITER})
"""Those of the class that are not about the SQL of a conflict target: privileges, a relation that is gone or none."""

_NOT_SUPPORTED = "0A000"
"""feature_not_supported: INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules."""


def read(connection: Connection, tables: Sequence[TableName]) -> dict[TableName, Offered]:
    """Return what each of `tables` offers; one statement, a row an index element."""
    wanted = json.dumps([{"schema": t.schema, "name": t.name} for t in tables])
    rows = connection.execute(catalog_statement(connection.dialect), {"wanted": wanted}).all()
    return dict(offered_from(rows, server_version(connection.dialect)))


def catalog_statement(dialect: Dialect) -> Any:
    """Return the statement that :func:`read` executes on a server of this version; see :func:`offered_from`."""
    version = server_version(dialect)
    # indnullsnotdistinct: the column is there from 15 on
    nulls_not_distinct = "i.indnullsnotdistinct" if version >= (15,) else "false"
    # what only the rules from 19 on need is only then read
    not_null = _NOT_NULL if version >= (19,) else "CAST(NULL AS pg_catalog.text[])"
    return text(f"""
        SELECT wanted.schema AS schema_name,
               wanted.name AS table_name,
               n.nspname AS home,
               CAST(c.relkind AS pg_catalog.text) AS relation_kind, -- some drivers hand "char" out as bytes
               pt.columns AS partition_columns,
               {not_null} AS not_null_columns,
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
        -- indkey, indclass and indcollation count from 0; the latter two hold the key elements alone
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


def server_version(dialect: Dialect) -> tuple[int, ...]:
    """Return the server's version; the oldest that is supported, where no server was connected to."""
    return getattr(dialect, "server_version_info", None) or (13,)


def offered_from(
    rows: Sequence[Row[Any]], version: tuple[int, ...]
) -> Iterator[tuple[TableName, Offered]]:
    """Yield what the rows of the statement say of each table, by the name that was asked for."""
    for table, table_rows in groupby(rows, lambda r: TableName(r.schema_name, r.table_name)):
        every = list(table_rows)
        kept = [row for row in every if row.index_name is not None]
        yield (
            table,
            Offered(
                candidates=tuple(
                    _candidate(list(index_rows))
                    for _, index_rows in groupby(kept, lambda r: str(r.index_name))
                ),
                nullable=frozenset(r.column_name for r in kept if r.column_name and r.is_nullable),
                traits=Traits(
                    dialect="postgresql",
                    version=version,
                    relation=_RELATIONS[every[0].relation_kind],
                    partition_columns=tuple(dict.fromkeys(every[0].partition_columns or ())),
                    not_null=frozenset(every[0].not_null_columns or ()),
                    refusing_rules=tuple(every[0].refusing_rules or ()),
                    discarding_rules=tuple(every[0].discarding_rules or ()),
                    takes_insert=every[0].takes_insert,
                ),
                home=every[0].home,
            ),
        )


def _candidate(rows: Sequence[Row[Any]]) -> Candidate:
    index = rows[0]
    kind = Kind.INDEX
    if index.is_constraint:
        kind = Kind.PRIMARY_KEY if index.is_primary else Kind.CONSTRAINT
    return Candidate(
        name=index.index_name,
        elements=tuple(
            Element(
                column=row.column_name,
                expression=row.expression,
                collation=row.collation_name,
                opclass=row.opclass_name,
                actual_collation=row.actual_collation,
            )
            for row in rows
            if not row.is_included
        ),
        kind=kind,
        unique=index.is_unique,
        partial=index.is_partial,
        predicate=index.predicate,
        constant_predicate=index.is_constant,
        nulls_not_distinct=index.nulls_not_distinct,
        valid=index.is_valid,
        ready=index.is_ready,
        immediate=index.is_immediate,
        initially_deferred=index.is_deferred,
        include=tuple(row.column_name for row in rows if row.is_included),
        expression_columns=frozenset(index.expression_columns or ()),
        definition=index.definition,
    )


def inferred_arbiters(connection: Connection, table: TableName, target: ConflictTarget) -> Inferred:
    """Return the arbiters that the planner infers: ``EXPLAIN`` of an upsert, in a savepoint.

    EXPLAIN writes no row, fires no trigger and takes no sequence value. It is silent on deferrable arbiters,
    which the executor refuses (execIndexing.c): pg_index.indimmediate tells them. A default that fails while it
    is planned is asked around: every column is then given.
    """
    dialect = connection.dialect
    answer = _ask(connection, explain_upsert(dialect, table, target))
    if answer.doubt is not None:
        columns = insertable_columns(connection, table)
        if columns:
            again = _ask(connection, explain_upsert(dialect, table, target, columns))
            return again if again.doubt is None else answer
    return answer


@contextmanager
def read_only(connection: Connection) -> Iterator[None]:
    """Let the block write nothing, whatever functions of the user's it runs; its settings are undone behind it."""
    with rolled_back(connection):
        execute(connection, "SET LOCAL transaction_read_only = on")
        yield


def _ask(connection: Connection, explain: str) -> Inferred:
    try:
        with read_only(connection):
            document = execute(connection, explain).scalar_one()
            plans = json.loads(document) if isinstance(document, str) else document
            if not plans:
                return Inferred(doubt="a rule rewrites the INSERT to nothing")
            return _inferred_in(connection, plans[0]["Plan"])
    except DBAPIError as error:
        words = first_sentence(error)
        if sqlstate(error) == NO_ARBITER:
            return Inferred(refusal=words)
        state = sqlstate(error)
        return Inferred(
            doubt=words,
            is_refused_by_rules=state == _NOT_SUPPORTED,
            unread=state is not None and state.startswith(_WRONG_SQL) and state not in _WRONG_ELSE,
        )


def keeps_null_out(connection: Connection, table: TableName, target: ConflictTarget) -> bool:
    """Return whether the planner proves that no row with NULL in the key is inside of the target's predicate.

    plancat.c, relation_excluded_by_constraints: a scan whose conditions refute each other is not made. What it cannot
    prove, or be asked, may hold NULL.
    """
    if target.predicate is None:
        return False
    dialect = connection.dialect
    nulls = " OR ".join(f"({element_sql(dialect, e)}) IS NULL" for e in target.elements)
    rows = f"SELECT FROM {quoted(dialect, *table)} WHERE ({target.predicate}\n) AND ({nulls})"
    try:
        with read_only(connection):
            execute(connection, "SET LOCAL constraint_exclusion = on")
            document = execute(connection, f"EXPLAIN (FORMAT JSON) {rows}").scalar_one()
    except DBAPIError:
        return False
    plans = json.loads(document) if isinstance(document, str) else document
    return bool(plans and plans[0]["Plan"].get("One-Time Filter") == "false")


def null_makes_null(
    connection: Connection, table: TableName, target: ConflictTarget
) -> tuple[str, ...]:
    """Return the target's expressions, by label, that are NULL where a nullable column of the table is, for certain.

    prepjointree.c, reduce_outer_joins: a LEFT JOIN becomes an inner one where the condition above it is strict in what
    the join may make NULL. So the columns that may hold NULL are joined to the others, and the condition is that the
    expression is not NULL. A column that holds none inside of the target's predicate is one of the others. What the
    planner does not prove, or cannot be asked, is left out.
    """
    dialect = connection.dialect
    sides: dict[bool, list[str]] = {True: [], False: []}
    try:
        with read_only(connection):
            relation = {"relation": quoted(dialect, *table)}
            rows = connection.execute(_NULLABILITY, relation).all()
            for row in rows:
                of_column = ConflictTarget((Element(row.attname),), target.predicate)
                is_certain = row.attnotnull or keeps_null_out(connection, table, of_column)
                sides[is_certain].append(quoted(dialect, row.attname))
            certain, doubtful = (
                f"SELECT {', '.join(sides[side])} FROM {quoted(dialect, *table)}"
                for side in (True, False)
            )
            joined = f"({certain}) AS certain LEFT JOIN ({doubtful}) AS doubtful ON true"
            return tuple(
                element.label
                for element in target.elements
                if element.column is None
                and _is_inner_join(
                    execute(
                        connection,
                        f"EXPLAIN (FORMAT JSON) SELECT FROM {joined} "
                        f"WHERE ({element_sql(dialect, element)}\n) IS NOT NULL",
                    ).scalar_one()
                )
            )
    except DBAPIError:
        return ()


def _is_inner_join(document: Any) -> bool:
    plans = json.loads(document) if isinstance(document, str) else document
    return bool(plans and plans[0]["Plan"].get("Join Type") == "Inner")


_NULLABILITY = text(f"""
    SELECT attname, attnotnull FROM pg_catalog.pg_attribute
    WHERE attrelid {EQ} pg_catalog.to_regclass(:relation) AND attnum {GT} 0 AND NOT attisdropped
    ORDER BY attnum
""")


def _inferred_in(connection: Connection, plan: dict[str, Any]) -> Inferred:
    """What the plan says. Behind a view it names the table that is inserted into."""
    arbiters = tuple(plan.get("Conflict Arbiter Indexes", ()))
    relation = TableName(plan["Schema"], plan["Relation Name"])
    offered = read(connection, [relation]).get(relation, Offered())
    deferrable = tuple(
        str(candidate.name)
        for candidate in offered.candidates
        if candidate.name in arbiters and not candidate.immediate
    )
    return Inferred(arbiters=arbiters, deferrable=deferrable)


def home(connection: Connection) -> str | None:
    """Return the first schema of the search path that is there; None: none is."""
    schema: str | None = connection.scalar(text("SELECT pg_catalog.current_schema()"))
    return schema


def is_tenant_schema(schema: str | None) -> bool:
    """Return whether people are told of a schema that the search path led to: a tenant's, and not ``public``."""
    return schema is not None and schema != "public" and not schema.startswith("pg_temp")


def insertable_columns(connection: Connection, table: TableName) -> list[str]:
    """Return the columns that an INSERT may name, none where the catalog cannot be read either."""
    statement = text(f"""
        SELECT attname FROM pg_catalog.pg_attribute
        WHERE attrelid {EQ} pg_catalog.to_regclass(:relation) AND attnum {GT} 0
              AND NOT attisdropped AND attgenerated {EQ} ''
        ORDER BY attnum
    """)
    try:
        with rolled_back(connection):
            relation = {"relation": quoted(connection.dialect, *table)}
            return list(connection.scalars(statement, relation))
    except DBAPIError:
        return []


def explain_upsert(
    dialect: Dialect,
    table: TableName,
    target: ConflictTarget,
    columns: Sequence[str] | None = None,
) -> str:
    """Return the ``EXPLAIN`` that asks the planner about `target`.

    :param columns: the columns to give NULL to, every one of the table that can be given; None: their defaults.
    """
    elements = ", ".join(element_sql(dialect, element) for element in target.elements)
    where = "" if target.predicate is None else f" WHERE {target.predicate}"
    source = "DEFAULT VALUES"
    if columns is not None:
        listed = ", ".join(quoted(dialect, column) for column in columns)
        nulls = ", ".join("NULL" for _ in columns)
        source = f"({listed}) OVERRIDING SYSTEM VALUE VALUES ({nulls})"
    return (
        f"EXPLAIN (VERBOSE, FORMAT JSON) INSERT INTO {quoted(dialect, *table)} {source} "
        f"ON CONFLICT ({elements}){where} DO NOTHING"
    )


def element_sql(dialect: Dialect, element: Element) -> str:
    """Return the element as it stands in an index and in a conflict target."""
    sql = element.expression if element.column is None else quoted(dialect, element.column)
    collation = "" if element.collation is None else f" COLLATE {element.collation}"
    opclass = "" if element.opclass is None else f" {element.opclass}"
    return f"{sql}{collation}{opclass}"


def constraint_in_the_way(connection: Connection, table: TableName, name: str) -> str | None:
    """Return the definition of the table's constraint of that name which has no index; None: there is none.

    A name is given once among the constraints of a table, CHECK, NOT NULL and foreign keys included.
    """
    definition: str | None = connection.scalar(
        _CONSTRAINT, {"relation": quoted(connection.dialect, *table), "name": name}
    )
    return definition


_CONSTRAINT = text("""
    SELECT pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c
    WHERE c.conrelid OPERATOR(pg_catalog.=) CAST(pg_catalog.to_regclass(:relation) AS pg_catalog.oid)
      AND c.conname OPERATOR(pg_catalog.=) CAST(:name AS pg_catalog.name)
      AND c.contype OPERATOR(pg_catalog.<>) ALL (CAST('{p,u,x}' AS pg_catalog."char"[]))
""")
"""Those of the kinds p, u and x are their indexes: https://www.postgresql.org/docs/current/catalog-pg-constraint.html"""


def sqlstate(error: DBAPIError) -> str | None:
    """Return the five characters that tell the kind of `error`."""
    # psycopg2 says pgcode, psycopg 3 and asyncpg sqlstate
    return getattr(error.orig, "pgcode", None) or getattr(error.orig, "sqlstate", None)
