"""PostgreSQL: pg_index read once for all tables; the planner as a witness.

Manual: https://www.postgresql.org/docs/current/catalog-pg-index.html
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..inference import Candidate, ConflictTarget, Element, Kind, Traits
from ..sqltext import EQ, GT, LE, MINUS, NE, quoted
from .reading import (
    Inferred,
    Offered,
    OneSpelling,
    TableName,
    as_it_is,
    execute,
    rolled_back,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect, Row

__all__ = [
    "element_sql",
    "explain_upsert",
    "home",
    "inferred_arbiters",
    "insertable_columns",
    "read",
    "read_only",
    "server_version",
    "spell_alike",
    "sqlstate",
    "worth_naming",
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

_NO_ARBITER = "42P10"
"""invalid_column_reference: no unique or exclusion constraint matches the ON CONFLICT specification."""


def read(connection: Connection, tables: Sequence[TableName]) -> dict[TableName, Offered]:
    """Return what each of `tables` offers; one statement, a row an index element."""
    wanted = json.dumps([{"schema": t.schema, "name": t.name} for t in tables])
    rows = connection.execute(_statement(connection.dialect), {"wanted": wanted}).all()
    return dict(_offered(rows, server_version(connection.dialect)))


def _statement(dialect: Dialect) -> Any:
    # indnullsnotdistinct: the column is there from 15 on
    nulls_not_distinct = "i.indnullsnotdistinct" if server_version(dialect) >= (15,) else "false"
    # what only the rules from 19 on need is only then read
    not_null = _NOT_NULL if server_version(dialect) >= (19,) else "CAST(NULL AS pg_catalog.text[])"
    return text(f"""
        SELECT wanted.schema AS schema_name,
               wanted.name AS table_name,
               n.nspname AS home,
               CAST(c.relkind AS pg_catalog.text) AS relation_kind, -- some drivers hand "char" out as bytes
               pt.columns AS partition_columns,
               {not_null} AS not_null_columns,
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
        LEFT JOIN (SELECT partrelid, ARRAY(
                       SELECT coalesce(pa.attname::pg_catalog.text, 'an expression') -- partattrs: 0 for one
                       FROM pg_catalog.unnest(partattrs::smallint[]) WITH ORDINALITY AS part(attnum, place)
                       LEFT JOIN pg_catalog.pg_attribute pa ON pa.attrelid {EQ} partrelid
                                 AND pa.attnum {EQ} part.attnum AND pa.attnum {NE} 0
                       ORDER BY part.place
                   ) AS columns FROM pg_catalog.pg_partitioned_table) pt ON pt.partrelid {EQ} c.oid
        LEFT JOIN pg_catalog.pg_index i ON i.indrelid {EQ} c.oid
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


def _offered(
    rows: Sequence[Row[Any]], version: tuple[int, ...]
) -> Iterator[tuple[TableName, Offered]]:
    for table, table_rows in groupby(rows, lambda r: TableName(r.schema_name, r.table_name)):
        every = list(table_rows)
        kept = [row for row in every if row.index_name is not None]
        yield (
            table,
            Offered(
                tuple(
                    _candidate(list(index_rows))
                    for _, index_rows in groupby(kept, lambda r: str(r.index_name))
                ),
                frozenset(r.column_name for r in kept if r.column_name and r.is_nullable),
                Traits(
                    "postgresql",
                    version,
                    _RELATIONS[every[0].relation_kind],
                    tuple(every[0].partition_columns or ()),
                    frozenset(every[0].not_null_columns or ()),
                ),
                every[0].home,
            ),
        )


def _candidate(rows: Sequence[Row[Any]]) -> Candidate:
    index = rows[0]
    kind = Kind.INDEX
    if index.is_constraint:
        kind = Kind.PRIMARY_KEY if index.is_primary else Kind.CONSTRAINT
    return Candidate(
        index.index_name,
        tuple(
            Element(
                row.column_name,
                row.expression,
                row.collation_name,
                row.opclass_name,
                row.actual_collation,
            )
            for row in rows
            if not row.is_included
        ),
        kind,
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
        definition=index.definition,
    )


def spell_alike(
    connection: Connection, table: TableName, arbiter: Candidate, offered: Sequence[Candidate]
) -> OneSpelling:
    """Return `arbiter` as this server prints it: made on an empty likeness of the table, read, rolled back.

    Predicates that imply each other, as the planner proves it, come in the spelling of the arbiter's.

    The likeness is a temporary table of the same name, so that SQL which names the table finds it. A role
    without the TEMPORARY privilege, or a read-only transaction, cannot be asked: `arbiter` stays as it was.
    """
    if arbiter.is_plain or not offered:
        return as_it_is(arbiter, offered)  # nothing whose text would be compared
    dialect = connection.dialect
    likeness = quoted(dialect, "pg_temp", table.name)
    elements = ", ".join(element_sql(dialect, element) for element in arbiter.elements)
    where = "" if arbiter.predicate is None else f" WHERE {arbiter.predicate}"
    try:
        with rolled_back(connection):
            # the original is looked up before the likeness can shadow it
            execute(
                connection,
                f"CREATE TEMP TABLE {quoted(dialect, table.name)} (LIKE {quoted(dialect, *table)})",
            )
            execute(connection, f"CREATE UNIQUE INDEX ON {likeness} ({elements}){where}")
            (likeness_offers,) = read(connection, [_temporary(connection, table)]).values()
            (probe,) = likeness_offers.candidates
            same = _predicates_like(connection, likeness, probe, offered)
    except DBAPIError:
        return as_it_is(arbiter, offered, compared=False)
    named = tuple(map(_as_named, arbiter.elements, probe.elements))
    return OneSpelling(
        replace(arbiter, elements=probe.elements, predicate=probe.predicate),
        ConflictTarget(named, probe.predicate),
        tuple(replace(c, predicate=probe.predicate) if c.predicate in same else c for c in offered),
    )


def _predicates_like(
    connection: Connection, likeness: str, probe: Candidate, offered: Sequence[Candidate]
) -> frozenset[str]:
    """Other spellings of the probe's predicate among those of indexes on its elements; the likeness gets an index each.

    The planner takes an index for an arbiter where the target's predicate implies the index's (plancat.c:
    infer_arbiter_indexes). Where each is taken for the other's predicate, both hold the same rows.
    """
    others = {
        c.predicate
        for c in offered
        if c.predicate not in (None, probe.predicate)
        and frozenset(c.elements) == frozenset(probe.elements)
    }
    if probe.predicate is None or not others:
        return frozenset()
    elements = ", ".join(element_sql(connection.dialect, element) for element in probe.elements)
    predicates = [probe.predicate, *sorted(map(str, others))]
    names = [f"upsert_guard_{number}" for number, _ in enumerate(predicates)]
    try:
        for name, predicate in zip(names, predicates, strict=True):
            index = f"CREATE UNIQUE INDEX {name} ON {likeness} ({elements}) WHERE {predicate}"
            execute(connection, index)
        taken = [
            _arbiters_of(
                connection,
                f"EXPLAIN (FORMAT JSON) INSERT INTO {likeness} DEFAULT VALUES "
                f"ON CONFLICT ({elements}) WHERE {predicate} DO NOTHING",
            )
            for predicate in predicates
        ]
    except DBAPIError:
        return (
            frozenset()
        )  # what could not be asked is left as it is spelled, and everything is rolled back
    return frozenset(
        predicate
        for name, predicate, others_taken in zip(names, predicates, taken, strict=True)
        if name in taken[0] and names[0] in others_taken and name != names[0]
    )


def _arbiters_of(connection: Connection, explain: str) -> tuple[str, ...]:
    document = execute(connection, explain).scalar_one()
    (plan,) = json.loads(document) if isinstance(document, str) else document
    return tuple(plan["Plan"].get("Conflict Arbiter Indexes", ()))


def _as_named(declared: Element, made: Element) -> Element:
    """The element of a target as the server prints it, with the collation that the declaration names, if it does.

    The catalog tells which collation an index has and not whether it was named:

    - beside a column, the word COLLATE names one;
    - behind an expression it does where the declaration ends in the word and the name;
    - SQL without the word names none, and any other may.
    """
    sql = (declared.expression or "").casefold()
    if made.column is not None:
        behind = sql.lstrip('("').removeprefix(made.column.casefold())
        names_one = "collate" in behind
        may_name_one = False
    else:
        named_last = f" collate {made.actual_collation}".casefold().replace('"', "")
        names_one = sql.replace('"', "").endswith(named_last)
        may_name_one = "collate" in sql and not names_one
    return replace(
        made,
        collation=made.actual_collation if names_one else None,
        may_name_collation=may_name_one,
        may_name_opclass=made.opclass is None
        and sql not in ("", (made.expression or "").casefold()),
    )


def _temporary(connection: Connection, table: TableName) -> TableName:
    schema = text(
        f"SELECT nspname FROM pg_catalog.pg_namespace WHERE oid {EQ} pg_catalog.pg_my_temp_schema()"
    )
    return TableName(connection.scalar(schema), table.name)


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
        words = words_of(error)
        if sqlstate(error) == _NO_ARBITER:
            return Inferred(refusal=words)
        return Inferred(doubt=words)


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
    return Inferred(arbiters, deferrable)


def home(connection: Connection) -> str | None:
    """Return the first schema of the search path that is there; None: none is."""
    schema: str | None = connection.scalar(text("SELECT pg_catalog.current_schema()"))
    return schema


def worth_naming(schema: str | None) -> bool:
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


def sqlstate(error: DBAPIError) -> str | None:
    """Return the five characters that tell the kind of `error`."""
    # psycopg2 says pgcode, psycopg 3 and asyncpg sqlstate
    return getattr(error.orig, "pgcode", None) or getattr(error.orig, "sqlstate", None)
