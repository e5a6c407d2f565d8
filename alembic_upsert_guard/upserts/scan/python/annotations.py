"""What annotations state, as far as it is a class that a file which was read defines."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .nodes import last_part
from .values import Class, Instance, Origin

if TYPE_CHECKING:
    from .meaning import Names
    from .scope import FunctionNode, Scope
    from .values import Function, Meaning

__all__ = ["Annotations"]

_FIRST = frozenset({"Annotated", "Final", "Optional", "Required", "Awaitable", "Mapped"})
"""Those whose first argument says what the value is."""


class Annotations:
    """Reads annotations."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names
        self._parsed: dict[ast.Constant, ast.expr | None] = {}

    def of_parameter(
        self, scope: Scope, function: FunctionNode, name: str, depth: int
    ) -> list[Meaning]:
        """Return the instances that a parameter is annotated with; empty: none that is known.

        A class as a value, ``type[Model]``, is not followed: any subclass can be handed in.
        """
        named = function.args
        every = [*named.posonlyargs, *named.args, *named.kwonlyargs]
        stated = [p.annotation for p in every if p.arg == name and p.annotation is not None]
        found = [m for node in stated for m in self._stated(scope, node, depth)]
        return [m for m in found if isinstance(m, Instance)]

    def of_result(self, function: Function, depth: int) -> list[Meaning] | None:
        """Return what a function is annotated to return; None: nothing that is known.

        A class as a value is taken for that class where nothing inherits from it.
        """
        if isinstance(function.node, ast.Lambda) or function.node.returns is None:
            return None
        found = self._stated(function.scope, function.node.returns, depth)
        exact = [m for m in found if not isinstance(m, Class) or not self._names.heirs.of(m)]
        return found if found and len(exact) == len(found) else None

    def of_attribute(self, scope: Scope, annotation: ast.expr, depth: int) -> list[Meaning]:
        """Return the instances that an attribute is annotated with; empty: none that is known."""
        found = self._stated(scope, annotation, depth)
        return [m for m in found if isinstance(m, Instance)]

    def _stated(self, scope: Scope, node: ast.expr, depth: int) -> list[Meaning]:
        match node:
            case ast.Constant(value=str()):
                parsed = self._parse(scope, node)
                return [] if parsed is None else self._stated(scope, parsed, depth)
            case ast.Constant(value=None):
                self._names.current.drops_none = True
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return [m for side in (left, right) for m in self._stated(scope, side, depth)]
            case ast.Subscript(value=generic, slice=argument):
                return self._generic(scope, generic, argument, depth)
            case ast.Name() | ast.Attribute():
                found = self._names.meanings(scope, node, depth)
                return [Instance(m, Origin.ANNOTATED) for m in found if isinstance(m, Class)]
        return []

    def _generic(
        self, scope: Scope, generic: ast.expr, argument: ast.expr, depth: int
    ) -> list[Meaning]:
        name = last_part(generic)
        if name in ("type", "Type"):
            stated = self._stated(scope, argument, depth)
            return [m.of for m in stated if isinstance(m, Instance)]
        if name == "Union" and isinstance(argument, ast.Tuple):
            return [m for each in argument.elts for m in self._stated(scope, each, depth)]
        if name in _FIRST:
            if name == "Optional":
                self._names.current.drops_none = True
            first = (
                argument.elts[0] if isinstance(argument, ast.Tuple) and argument.elts else argument
            )
            return self._stated(scope, first, depth)
        return self._stated(scope, generic, depth)

    def _parse(self, scope: Scope, node: ast.Constant) -> ast.expr | None:
        """A string as an annotation, its names looked up where the string is."""
        if node not in self._parsed:
            try:
                parsed: ast.expr | None = ast.parse(str(node.value), mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                parsed = None
            if parsed is not None:
                scope.module.adopt(parsed, node)
            self._parsed[node] = parsed
        return self._parsed[node]
