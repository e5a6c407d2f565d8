"""SQL in PostgreSQL's own spelling, so that two ways of writing the same can be compared as text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import postgast
from postgast import pg_query_pb2

from ....inference import Element
from .grammar import parse_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "columns_in",
    "element_of",
    "is_proven_by_text",
    "may_be_made_on_a_column",
    "normal_element",
    "normal_predicate",
    "sql_of",
]

_PREDICATE = "SELECT WHERE "

_FUNCTIONS = frozenset(
    {
        *(
            "abs",
            "btrim",
            "ceil",
            "ceiling",
            "concat_ws",
            "date_part",
            "date_trunc",
            "encode",
            "extract",
        ),
        *(
            "floor",
            "initcap",
            "jsonb_extract_path_text",
            "json_extract_path_text",
            "left",
            "length",
            "lower",
        ),
        *(
            "lpad",
            "ltrim",
            "md5",
            "mod",
            "regexp_replace",
            "replace",
            "reverse",
            "right",
            "round",
            "rpad",
        ),
        *(
            "rtrim",
            "sha256",
            "split_part",
            "substr",
            "substring",
            "timezone",
            "to_tsvector",
            "translate",
        ),
        *("trunc", "upper"),
    }
)
"""Functions of PostgreSQL's own that the planner leaves as they are; one of a project's may be inlined."""

_OPERATORS = frozenset({"||", "+", "-", "*", "/", "%", "^", "->", "->>", "#>", "#>>"})
"""Operators that the planner leaves as they are; comparisons with true and false become the column."""

_PLAIN_OPERATOR = pg_query_pb2.A_Expr_Kind.AEXPR_OP


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
    tree = _element_tree(sql)
    return None if tree is None else element_of(tree)


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


@lru_cache(maxsize=4096)
def is_proven_by_text(expression: str) -> bool:
    """Return whether an index on the same text serves a target's expression, whatever its columns' types are.

    The planner simplifies both before it compares them (clauses.c: eval_const_expressions), and an index on an
    expression that becomes a bare column serves neither the expression nor the column (plancat.c:
    infer_arbiter_indexes). So text proves what is known to stay an expression. False: it may become a column.

    :param expression: an inference element.
    """
    tree = _element_tree(expression)
    return tree is not None and not tree.collation and _stays(tree.expr)


@lru_cache(maxsize=4096)
def may_be_made_on_a_column(expression: str) -> bool:
    """Return whether an index on the expression may become one on the bare column: a cast to its own type, COLLATE."""
    tree = _element_tree(expression)
    if tree is None:
        return False
    node = tree.expr
    while node.WhichOneof("node") in ("type_cast", "collate_clause"):
        node = (
            node.type_cast.arg
            if node.WhichOneof("node") == "type_cast"
            else node.collate_clause.arg
        )
    return bool(node.WhichOneof("node") == "column_ref")


@lru_cache(maxsize=4096)
def columns_in(sql: str) -> frozenset[str]:
    """Return the names of the columns in an expression or predicate; empty: it has none, or does not read as SQL."""
    try:
        tree = parse_statement(_PREDICATE + sql)
    except postgast.PgQueryError:
        return frozenset()
    named = (node for _, node in postgast.walk(tree) if isinstance(node, pg_query_pb2.ColumnRef))
    return frozenset(node.fields[-1].string.sval for node in named)


def _element_tree(sql: str) -> pg_query_pb2.IndexElem | None:
    try:
        tree = parse_statement(f"INSERT INTO t DEFAULT VALUES ON CONFLICT ({sql}) DO NOTHING")
    except postgast.PgQueryError:
        return None
    elements = tree.stmts[0].stmt.insert_stmt.on_conflict_clause.infer.index_elems
    if len(elements) != 1 or len(tree.stmts) != 1:
        return None
    return elements[0].index_elem


def _stays(node: pg_query_pb2.Node) -> bool:
    match node.WhichOneof("node"):
        case "func_call":
            *schema, name = (part.string.sval for part in node.func_call.funcname)
            return schema in ([], ["pg_catalog"]) and name in _FUNCTIONS
        case "coalesce_expr":
            # NULLs are left out, and what follows a constant too
            left = [arg for arg in node.coalesce_expr.args if not _is_null(arg)]
            return len(left) > 1 and not _is_constant(left[0])
        case "a_expr":
            operator = node.a_expr.name[-1].string.sval
            return node.a_expr.kind == _PLAIN_OPERATOR and operator in _OPERATORS
        case "type_cast":
            # of a column: both sides become the column, or neither
            return node.type_cast.arg.WhichOneof("node") == "column_ref" or _stays(
                node.type_cast.arg
            )
    return False


def _is_constant(node: pg_query_pb2.Node) -> bool:
    if node.WhichOneof("node") == "type_cast":
        return _is_constant(node.type_cast.arg)
    return bool(node.WhichOneof("node") == "a_const")


def _is_null(node: pg_query_pb2.Node) -> bool:
    if node.WhichOneof("node") == "type_cast":
        return _is_null(node.type_cast.arg)
    return bool(node.WhichOneof("node") == "a_const" and node.a_const.isnull)


def sql_of(node: pg_query_pb2.Node) -> str:
    """Return an expression as PostgreSQL's parser prints it."""
    tree = pg_query_pb2.ParseResult()
    tree.stmts.add().stmt.select_stmt.where_clause.CopyFrom(node)
    return str(postgast.deparse(tree)).removeprefix(_PREDICATE)


def _dotted(names: Sequence[pg_query_pb2.Node]) -> str:
    return ".".join(f'"{name.string.sval}"' for name in names)
