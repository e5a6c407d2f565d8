"""Rows of PRAGMAs, read once for all tables, as candidates of the inference core.

Manual: https://www.sqlite.org/pragma.html
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, text

from ...databases import SQLITE
from ...inference import Candidate, Element, Kind, Traits
from ...sqltext import quoted, string_literal
from ..contract import Offered, TableName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect, Row

__all__ = ["offered_from", "read"]

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
        yield table, _offered(list(table_rows))


def _offered(rows: Sequence[Row[Any]]) -> Offered:
    indexed = [row for row in rows if row.index_name is not None]
    candidates = [
        _candidate(list(index_rows))
        for _, index_rows in groupby(indexed, lambda r: str(r.index_name))
    ]
    rowid = _rowid(rows)
    if rowid is not None:
        # no index, and an arbiter all the same
        key = Candidate(name=None, elements=(Element(rowid),), kind=Kind.PRIMARY_KEY)
        candidates = [
            replace(c, inferable=rowid not in c.labels or c.labels == (rowid,))
            for c in (*candidates, key)
        ]
    nullable = frozenset(r.column_name for r in indexed if r.column_name and not r.is_not_null)
    return Offered(
        candidates=tuple(candidates),
        nullable=nullable.difference({rowid}),
        traits=Traits(database=SQLITE, rowid=rowid),
    )


def _rowid(rows: Sequence[Row[Any]]) -> str | None:
    """The column that is the rowid itself: an INTEGER PRIMARY KEY, which has no index."""
    primary_key = [row.column_name for row in rows if row.index_name is None and row.column_name]
    if not primary_key or any(row.origin == "pk" for row in rows):
        return None
    (rowid,) = primary_key
    return str(rowid)


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
