"""SQL in PostgreSQL's own spelling, so that two ways of writing the same can be compared as text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import postgast
from postgast import pg_query_pb2

from ...inference import Element
from .grammar import parse_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["element_of", "normal_element", "normal_predicate", "sql_of"]

_PREDICATE = "SELECT WHERE "


@lru_cache(maxsize=4096)
def normal_predicate(sql: str) -> str:
    """Return a predicate as PostgreSQL's parser prints it; what it does not read comes back as it is."""
    try:
        tree = parse_statement(_PREDICATE + sql)
    except postgast.PgQueryError:
        return sql.strip()
    if len(tree.stmts) != 1:
        return sql.strip()
    return sql_of(tree.stmts[0].stmt.select_stmt.where_clause)


@lru_cache(maxsize=4096)
def normal_element(sql: str) -> Element | None:
    """Return an inference element in PostgreSQL's spelling; None: it does not read as exactly one."""
    try:
        tree = parse_statement(f"INSERT INTO t DEFAULT VALUES ON CONFLICT ({sql}) DO NOTHING")
    except postgast.PgQueryError:
        return None
    elements = tree.stmts[0].stmt.insert_stmt.on_conflict_clause.infer.index_elems
    return (
        element_of(elements[0].index_elem) if len(elements) == 1 and len(tree.stmts) == 1 else None
    )


def element_of(element: pg_query_pb2.IndexElem) -> Element:
    """Return a parsed inference element as a value; ``(email)`` is the column too."""
    collation = _dotted(element.collation) or None
    opclass = _dotted(element.opclass) or None
    if element.name:
        return Element(column=element.name, collation=collation, opclass=opclass)
    if element.expr.WhichOneof("node") == "column_ref":
        fields = element.expr.column_ref.fields
        if len(fields) == 1 and fields[0].WhichOneof("node") == "string":
            return Element(column=fields[0].string.sval, collation=collation, opclass=opclass)
    sql = sql_of(element.expr)
    called = element.expr.WhichOneof("node") in ("func_call", "coalesce_expr", "min_max_expr")
    return Element(expression=sql if called else f"({sql})", collation=collation, opclass=opclass)


def sql_of(node: pg_query_pb2.Node) -> str:
    """Return an expression as PostgreSQL's parser prints it."""
    tree = pg_query_pb2.ParseResult()
    tree.stmts.add().stmt.select_stmt.where_clause.CopyFrom(node)
    return str(postgast.deparse(tree)).removeprefix(_PREDICATE)


def _dotted(names: Sequence[pg_query_pb2.Node]) -> str:
    return ".".join(f'"{name.string.sval}"' for name in names)
