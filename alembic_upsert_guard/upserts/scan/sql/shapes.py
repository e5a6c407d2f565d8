"""Expressions without their literals: what statistics of statements leave of them.

``pg_stat_statements`` writes ``$n`` for a literal, and the catalog spells an index with casts and lists of its own
(``(status)::text = ANY (ARRAY['a'::text])`` for ``status IN ('a')``). Two expressions of the same shape differ in
nothing but literals and casts. That is no proof of anything: the caller asks the database about the one candidate that
has the shape.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import postgast
from postgast import pg_query_pb2

from .grammar import parse_statement
from .normal import sql_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["has_parameter", "has_value", "shape_of", "without_values"]

_PREDICATE = "SELECT WHERE "
_VALUES = ("a_const", "param_ref")
_KIND = pg_query_pb2.A_Expr_Kind


@lru_cache(maxsize=4096)
def has_value(sql: str) -> bool:
    """Return whether an expression or predicate holds a literal or a parameter; True where it does not read as SQL."""
    tree = _tree(sql)
    return tree is None or any(node.WhichOneof("node") in _VALUES for node in _inside_out(tree))


def has_parameter(sql: str) -> bool:
    """Return whether an expression or predicate holds a parameter; True where it does not read as SQL."""
    tree = _tree(sql)
    return tree is None or any(n.WhichOneof("node") == "param_ref" for n in _inside_out(tree))


@lru_cache(maxsize=4096)
def without_values(sql: str) -> str:
    """Return an expression with ``$1`` for each literal and parameter: safe to be shown, whatever they were.

    What does not read as SQL is ``$1`` as a whole.
    """
    tree = _tree(sql)
    if tree is None:
        return "$1"
    for node in _inside_out(tree):
        _forget_value(node)
    return sql_of(tree)


@lru_cache(maxsize=4096)
def shape_of(sql: str) -> str | None:
    """Return an expression without its literals, casts and spellings of a list; None: it does not read as SQL."""
    tree = _tree(sql)
    if tree is None:
        return None
    for node in _inside_out(tree):
        _forget_value(node)
        _simplify(node)
    return sql_of(tree)


def _tree(sql: str) -> pg_query_pb2.Node | None:
    try:
        tree = parse_statement(_PREDICATE + sql)
    except postgast.PgQueryError:
        return None
    if len(tree.stmts) != 1:
        return None
    return tree.stmts[0].stmt.select_stmt.where_clause


def _inside_out(message: Any) -> Iterator[pg_query_pb2.Node]:
    """The nodes of a tree, those inside of a node before it; each may be changed before the next is taken.

    The names of types are left out: the 20 of ``varchar(20)`` is no value.
    """
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.name == "TypeName":
            continue
        for child in list(value) if field.is_repeated else (value,):
            yield from _inside_out(child)
    if isinstance(message, pg_query_pb2.Node):
        yield message


def _forget_value(node: pg_query_pb2.Node) -> None:
    if node.WhichOneof("node") in _VALUES:
        node.Clear()
        node.param_ref.number = 1


def _simplify(node: pg_query_pb2.Node) -> None:
    """Give a node the spelling that the catalog has for it; without casts, and a list of values as one value."""
    match node.WhichOneof("node"):
        case "type_cast":
            inside = pg_query_pb2.Node()
            inside.CopyFrom(node.type_cast.arg)
            node.CopyFrom(inside)
        case "a_expr" if node.a_expr.kind == _KIND.AEXPR_BETWEEN:
            _spell_between(node)
        case "a_expr" if node.a_expr.kind in (_KIND.AEXPR_LIKE, _KIND.AEXPR_ILIKE):
            node.a_expr.kind = _KIND.AEXPR_OP
        case "a_expr" if node.a_expr.kind == _KIND.AEXPR_IN:
            _take_one(node.a_expr, node.a_expr.rexpr.list.items)
        case "a_expr" if node.a_expr.kind in (_KIND.AEXPR_OP_ANY, _KIND.AEXPR_OP_ALL):
            _take_one(node.a_expr, node.a_expr.rexpr.a_array_expr.elements)


def _take_one(comparison: pg_query_pb2.A_Expr, listed: Sequence[pg_query_pb2.Node]) -> None:
    """Compare with one value where all of a list are; PostgreSQL 18 shows no more of ``IN (1, 2)``."""
    if listed and all(node.WhichOneof("node") == "param_ref" for node in listed):
        comparison.kind = _KIND.AEXPR_OP
        comparison.rexpr.Clear()
        comparison.rexpr.param_ref.number = 1


def _spell_between(node: pg_query_pb2.Node) -> None:
    """``a BETWEEN 1 AND 2`` is ``a >= 1 AND a <= 2``."""
    between = pg_query_pb2.A_Expr()
    between.CopyFrom(node.a_expr)
    node.Clear()
    node.bool_expr.boolop = pg_query_pb2.BoolExprType.AND_EXPR
    for sign, limit in zip((">=", "<="), between.rexpr.list.items, strict=True):
        side = node.bool_expr.args.add().a_expr
        side.kind = _KIND.AEXPR_OP
        side.name.add().string.sval = sign
        side.lexpr.CopyFrom(between.lexpr)
        side.rexpr.CopyFrom(limit)
