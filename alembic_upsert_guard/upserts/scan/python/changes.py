"""The names whose values a node changes in place, or puts something into."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FILLING", "MUTATORS", "changed_by", "filled_in_by", "other_names"]

MUTATORS = frozenset(
    {
        *("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"),
        *("add", "discard", "setdefault", "update"),
    }
)
"""The methods of lists, sets and dictionaries that change them."""

FILLING = ("format", "format_map", "replace", "substitute", "safe_substitute")
"""The methods of strings that put something in."""


def changed_by(node: ast.AST) -> Iterator[str]:
    """Return the names whose value a node changes in place: ``KEY.append(x)``, ``KEY[0] = x``, ``del KEY[0]``."""
    match node:
        case ast.Call(func=ast.Attribute(value=changed, attr=method)) if method in MUTATORS:
            yield from _last_name(changed)
        case ast.Subscript(value=changed, ctx=ast.Store() | ast.Del()):
            yield from _last_name(changed)


def other_names(node: ast.AST, name: str) -> Iterator[str]:
    """Return the names that a node gives to the value of another one: ``k = KEYS``, ``k = self.KEYS``."""
    match node:
        case ast.Assign(targets=targets, value=value):
            stated: list[ast.expr] = targets
        case ast.AnnAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            stated = [target]
        case _:
            return
    if value is not None and name in _last_name(value):
        yield from (each.id for each in stated if isinstance(each, ast.Name))


def filled_in_by(node: ast.AST) -> Iterator[str]:
    """Return the names of strings that a node puts something into: ``SQL.format(x)``, ``SQL % x``."""
    match node:
        case ast.Call(func=ast.Attribute(value=template, attr=method)) if method in FILLING:
            yield from _last_name(template)
        case ast.BinOp(left=template, op=ast.Mod()):
            yield from _last_name(template)


def _last_name(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
