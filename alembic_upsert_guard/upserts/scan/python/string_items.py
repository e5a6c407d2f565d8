"""The items of a list that a string is joined of."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .rounds import rounds_of
from .scope import Scope
from .values import Expression, External

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .constants import Constants
    from .meaning import Names

__all__ = ["StringItem", "StringItems", "last_name"]

_DEPTH = 10
_LISTS = frozenset({"Composed", "list", "set", "sorted", "tuple"})


@dataclass(frozen=True, slots=True)
class StringItem:
    """One item."""

    scope: Scope
    node: ast.expr
    is_identifier: bool = False
    """Whether psycopg's ``sql.Identifier`` is called with it."""


class StringItems:
    """Reads lists."""

    def __init__(self, names: Names, constants: Constants) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants

    def of(self, scope: Scope, node: ast.expr, depth: int = _DEPTH) -> list[StringItem] | None:
        """Return the items of a list, tuple, set or comprehension, by whichever name; None: not known."""
        match node:
            case ast.Call(func=ast.Name("map"), args=[function, mapped], keywords=[]):
                return self._mapped(scope, function, mapped, depth)
            case ast.Call(func=func, args=[copied], keywords=[]) if last_name(func) in _LISTS:
                return self.of(scope, copied, depth)
            case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
                return self._rounds(scope, node)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                parts = [(each, self.of(scope, each, depth)) for each in (left, right)]
                if all(listed is None for _, listed in parts):
                    return None  # of strings, as far as it reads
                return [
                    item
                    for each, listed in parts
                    for item in ([StringItem(scope, each)] if listed is None else listed)
                ]
        match self._constants.literal(scope, node):
            case Expression(at, ast.List() | ast.Tuple() | ast.Set() as literal):
                return self._unpacked(at, literal.elts, depth)
            case Expression(at, ast.Dict(keys=keys)) if None not in keys:
                return [StringItem(at, key) for key in keys if key is not None]
            case Expression(
                at,
                ast.BinOp()
                | ast.Call()
                | ast.GeneratorExp()
                | ast.ListComp()
                | ast.SetComp() as other,
            ) if depth and other is not node:
                return self.of(at, other, depth - 1)
        return None

    def is_identifier(self, scope: Scope, func: ast.expr) -> bool:
        """Return whether a function is psycopg's or psycopg2's ``sql.Identifier``."""
        if last_name(func) != "Identifier":
            return False
        found = self._names.meanings(scope, func)
        return all(isinstance(m, External) and m.dotted.startswith("psycopg") for m in found)

    def _mapped(
        self, scope: Scope, function: ast.expr, items: ast.expr, depth: int
    ) -> list[StringItem] | None:
        listed = self.of(scope, items, depth)
        is_identifier = self.is_identifier(scope, function)
        if listed is None or not (is_identifier or last_name(function) == "str"):
            return None
        return [replace(item, is_identifier=is_identifier) for item in listed]

    def _unpacked(self, scope: Scope, items: Iterable[ast.expr], depth: int) -> list[StringItem]:
        """The items of a literal; one that begins with a star and is not known stays, and is no string."""
        found: list[StringItem] = []
        for item in items:
            inside = None
            if isinstance(item, ast.Starred) and depth > 0:
                inside = self.of(scope, item.value, depth - 1)
            found += [StringItem(scope, item)] if inside is None else inside
        return found

    def _rounds(
        self, scope: Scope, node: ast.GeneratorExp | ast.ListComp | ast.SetComp
    ) -> list[StringItem] | None:
        if len(node.generators) != 1 or node.generators[0].ifs:
            return None
        frames = rounds_of(self._names, scope, node)
        return [StringItem(Scope(scope.module, frame), node.elt) for frame in frames] or None


def last_name(func: ast.expr) -> str:
    """Return the name of a function without what is in front of it; empty: it has none."""
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
