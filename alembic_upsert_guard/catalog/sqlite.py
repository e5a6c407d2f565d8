"""SQLite: its PRAGMAs read once for all tables; its own parser and planner as a witness.

Manual: https://www.sqlite.org/pragma.html, https://www.sqlite.org/lang_upsert.html
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, text
from sqlalchemy.exc import DBAPIError

from ..inference import Candidate, ConflictTarget, Element, Kind, Traits
from ..sqltext import quoted, string_literal, target_sql
from .reading import Inferred, NormalizedSql, Offered, TableName, as_it_is, execute

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect, Row

__all__ = ["NO_ARBITER", "explain_upsert", "inferred_arbiters", "normalize", "offered_from", "read"]

NO_ARBITER = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint"
"""The message of an upsert without an arbiter; SQLite has no number for it but that of every error."""

_EXPRESSION = -2
"""pragma_index_xinfo.cid of an expression."""


def read(connection: Connection, tables: Sequence[TableName]) -> dict[TableName, Offered]:
    """Return what each of `tables` offers; one statement, a row an index element.

    No PRAGMA gives the text of an expression or a predicate: those stay unknown.
    """
    rows = connection.execute(*_statement(connection.dialect, tables)).all()
    return dict(offered_from(rows))


def _statement(dialect: Dialect, tables: Sequence[TableName]) -> tuple[Any, dict[str, Any]]:
    parts: list[str] = []
    values: dict[str, Any] = {}
    for number, schema in enumerate(dict.fromkeys(table.schema for table in tables)):
        values[f"schema_{number}"] = schema
        values[f"names_{number}"] = [table.name for table in tables if table.schema == schema]
        master = _master(dialect, schema)
        parts.append(f"""
            SELECT :schema_{number} AS schema_name,
                   m.name AS table_name,
                   t.name AS column_name,
                   t.pk AS primary_key_position, -- 0: not in it
                   t."notnull" AS is_not_null,
                   l.name AS index_name, -- NULL: a column in no index
                   l."unique" AS is_unique,
                   l.origin AS origin, -- c: CREATE INDEX, u: UNIQUE, pk: PRIMARY KEY
                   l.partial AS is_partial,
                   x.seqno AS position,
                   x.cid AS column_number,
                   x.coll AS actual_collation,
                   s.sql AS definition
            FROM ({master}) m
            LEFT JOIN pragma_index_list(m.name, m.attached) l
            LEFT JOIN pragma_index_xinfo(l.name, m.attached) x ON x."key" = 1
            LEFT JOIN pragma_table_xinfo(m.name, m.attached) t ON t.cid = x.cid
            LEFT JOIN ({master}) s ON s.type = 'index' AND s.name = l.name AND s.attached = m.attached
            WHERE m.type = 'table' AND NOT m.is_shadowed AND m.name IN :names_{number}
            UNION ALL
            SELECT :schema_{number}, m.name, t.name, t.pk, t."notnull",
                   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
            FROM ({master}) m
            JOIN pragma_table_xinfo(m.name, m.attached) t ON t.pk > 0
            WHERE m.type = 'table' AND NOT m.is_shadowed AND m.name IN :names_{number}
        """)
    order = " ORDER BY schema_name, table_name, index_name, position, primary_key_position"
    statement = text(" UNION ALL ".join(parts) + order).bindparams(
        *(bindparam(name, expanding=True) for name in values if name.startswith("names_"))
    )
    return statement, values


def _master(dialect: Dialect, schema: str | None) -> str:
    """What is in the attached database; by its bare name a temporary table is found before one of main."""
    if schema is not None:
        source = quoted(dialect, schema, "sqlite_master")
        attached = string_literal(dialect, schema)
        return f"SELECT type, name, sql, {attached} AS attached, false AS is_shadowed FROM {source}"
    return """
        SELECT type, name, sql, 'temp' AS attached, false AS is_shadowed FROM temp.sqlite_master
        UNION ALL
        SELECT type, name, sql, 'main', name IN (SELECT name FROM temp.sqlite_master) FROM main.sqlite_master
    """


def offered_from(rows: Sequence[Row[Any]]) -> Iterator[tuple[TableName, Offered]]:
    """Yield what the rows of the statement say of each table, by the name that was asked for."""
    for table, table_rows in groupby(rows, lambda r: TableName(r.schema_name, r.table_name)):
        kept = list(table_rows)
        indexed = [row for row in kept if row.index_name is not None]
        candidates = [
            _candidate(list(index_rows))
            for _, index_rows in groupby(indexed, lambda r: str(r.index_name))
        ]
        primary_key = [
            row.column_name for row in kept if row.index_name is None and row.column_name
        ]
        rowid = None
        if primary_key and not any(row.origin == "pk" for row in indexed):
            # an INTEGER PRIMARY KEY is the rowid itself: no index, and an arbiter all the same
            (rowid,) = primary_key
            candidates.append(
                Candidate(name=None, elements=(Element(rowid),), kind=Kind.PRIMARY_KEY)
            )
            candidates = [
                replace(c, inferable=rowid not in c.labels or c.labels == (rowid,))
                for c in candidates
            ]
        nullable = frozenset(r.column_name for r in indexed if r.column_name and not r.is_not_null)
        yield (
            table,
            Offered(
                candidates=tuple(candidates),
                nullable=nullable.difference({rowid}),
                traits=Traits("sqlite", rowid=rowid),
            ),
        )


def _candidate(rows: Sequence[Row[Any]]) -> Candidate:
    index = rows[0]
    return Candidate(
        name=index.index_name,
        elements=tuple(
            Element(
                None if r.column_number == _EXPRESSION else r.column_name,
                actual_collation=r.actual_collation,
            )
            for r in rows
        ),
        kind={"c": Kind.INDEX, "u": Kind.CONSTRAINT, "pk": Kind.PRIMARY_KEY}[index.origin],
        unique=bool(index.is_unique),
        partial=bool(index.is_partial),
        definition=index.definition,
    )


def normalize(
    connection: Connection, table: TableName, arbiter: Candidate, offered: Sequence[Candidate]
) -> NormalizedSql:
    """Return `offered` with the arbiter's own text in those that SQLite takes for the same.

    It compares structure, not text (sqlite3ExprCompare), so it is asked: each index in doubt is made alone on a
    bare empty copy of the table, in a database of its own in memory, and an upsert on the arbiter is explained there.
    """
    if arbiter.is_plain:
        return as_it_is(arbiter, offered)
    columns = _columns(connection, table)
    answers = {
        candidate: _is_the_same(connection.dialect, table.name, columns, arbiter, candidate)
        for candidate in offered
        if candidate.unique and (arbiter.partial or not candidate.partial)
    }
    spelled = [_in_the_words_of(arbiter, c) if answers.get(c) else c for c in offered]
    return as_it_is(arbiter, spelled, compared=None not in answers.values())


def _in_the_words_of(arbiter: Candidate, candidate: Candidate) -> Candidate:
    predicate = arbiter.predicate if candidate.partial else None
    return replace(candidate, elements=arbiter.elements, predicate=predicate)


def _is_the_same(
    dialect: Dialect, table: str, columns: Sequence[str], arbiter: Candidate, candidate: Candidate
) -> bool | None:
    import sqlite3  # noqa: PLC0415 - a Python may be built without it

    target = ConflictTarget(arbiter.elements, arbiter.predicate)
    statements = [
        *_empty_copy(dialect, table, columns, candidate),
        explain_upsert(dialect, TableName(None, table), columns, target),
    ]
    with closing(sqlite3.connect(":memory:")) as scratch:
        for statement in statements:
            words = _refusal(scratch, statement)
            while words is not None and _registered(scratch, words):
                words = _refusal(scratch, statement)
            if words is not None:
                return False if words.endswith(NO_ARBITER) else None
    return True


def _refusal(scratch: sqlite3.Connection, statement: str) -> str | None:
    import sqlite3  # noqa: PLC0415 - as above

    try:
        scratch.execute(statement)
    except sqlite3.Error as error:
        return str(error)
    return None


def _registered(scratch: sqlite3.Connection, words: str) -> bool:
    """Whether what the words miss, a function or collation of the application's, now stands there.

    By its name alone: structure is compared, and nothing is computed.
    """
    said, _, name = words.rpartition(": ")
    if said == "no such collation sequence":
        scratch.create_collation(name, lambda one, other: (one > other) - (one < other))
    elif said == "no such function":
        scratch.create_function(name, -1, lambda *_: None, deterministic=True)
    else:
        return False
    return True


def _empty_copy(
    dialect: Dialect, table: str, columns: Sequence[str], candidate: Candidate
) -> list[str]:
    """The statements that make a bare empty copy of the table, and the candidate on it."""
    collations = {e.column: e.actual_collation for e in candidate.elements}
    listed = ", ".join(
        f"{quoted(dialect, column)} COLLATE {quoted(dialect, collations.get(column) or 'BINARY')}"
        for column in columns
    )
    made = candidate.definition
    if made is None:  # a constraint: PRAGMAs print no statement for one
        elements = ", ".join(quoted(dialect, label) for label in candidate.labels)
        made = f"CREATE UNIQUE INDEX its_own ON {quoted(dialect, table)} ({elements})"
    return [f"CREATE TABLE {quoted(dialect, table)} ({listed})", made]


def inferred_arbiters(connection: Connection, table: TableName, target: ConflictTarget) -> Inferred:
    """Return whether SQLite finds an arbiter: ``EXPLAIN`` of an upsert. It does not tell names."""
    columns = _columns(connection, table)
    try:
        execute(connection, explain_upsert(connection.dialect, table, columns, target)).close()
    except DBAPIError as error:
        words = str(error.orig)
        if words.endswith(NO_ARBITER):
            return Inferred(refusal=words)
        return Inferred(doubt=words)
    return Inferred()


def explain_upsert(
    dialect: Dialect, table: TableName, columns: Sequence[str] | None, target: ConflictTarget
) -> str:
    """Return the ``EXPLAIN`` that asks SQLite about `target`; DEFAULT VALUES takes no ON CONFLICT there.

    :param columns: columns that an INSERT may name; None: not known, so the table is read into itself, no row of it.
    """
    relation = quoted(dialect, *table)
    if columns is None:
        source = f"SELECT * FROM {relation} WHERE false"
    else:
        listed = ", ".join(quoted(dialect, column) for column in columns)
        source = f"({listed}) VALUES ({', '.join('NULL' for _ in columns)})"
    conflict = f"ON CONFLICT {target_sql(dialect, target)} DO NOTHING"
    return f"EXPLAIN INSERT INTO {relation} {source} {conflict}"


def _columns(connection: Connection, table: TableName) -> list[str]:
    """The table's columns that an INSERT may name: generated ones are left out."""
    attached = "" if table.schema is None else ", :attached"
    statement = text(f"SELECT name FROM pragma_table_xinfo(:name{attached}) WHERE hidden = 0")
    values = {"name": table.name} | ({} if table.schema is None else {"attached": table.schema})
    return list(connection.scalars(statement, values))
