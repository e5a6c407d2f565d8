"""Functions that lead from one thing to another: ``getattr``, ``type``, ``super``, and SQLAlchemy's ``run_sync``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .functions import LaterCall
from .values import Class, Function, Instance, Origin, Super

if TYPE_CHECKING:
    from .meaning import Names
    from .scope import Scope
    from .values import Meaning

__all__ = ["Builtins"]


class Builtins:
    """Reads calls of them."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names
        self._attributes: dict[tuple[ast.Call, str], ast.Attribute] = {}
        self._later: dict[ast.Call, LaterCall] = {}

    def call(self, scope: Scope, node: ast.Call, depth: int) -> list[Meaning] | None:
        """Return what a call of one of them means; None: it is another call, or it is not known."""
        match node:
            case ast.Call(func=ast.Name("getattr") as func, args=[owner, name, *_]):
                if self._names.is_builtin(scope, func, "getattr"):
                    return self._attribute(scope, node, owner, name, depth)
            case ast.Call(func=ast.Name("type") as func, args=[value]):
                if self._names.is_builtin(scope, func, "type"):
                    return self._classes(scope, value, depth)
            case ast.Call(func=ast.Name("super") as func, args=[]):
                if self._names.is_builtin(scope, func, "super"):
                    return self._super(scope, node, depth)
            case ast.Call(func=ast.Attribute(attr="run_sync"), args=[function], keywords=[]):
                return self._run(scope, node, function, depth)
        return None

    def _attribute(
        self, scope: Scope, node: ast.Call, owner: ast.expr, name: ast.expr, depth: int
    ) -> list[Meaning] | None:
        """``getattr(owner, "name")``."""
        stated = self._names.branches.constants(scope, name, depth)
        if stated is None or not all(isinstance(each, str) for each in stated):
            return None
        found: list[Meaning] = []
        for each in sorted(map(str, stated)):
            attribute = self._attributes.setdefault(
                (node, each), ast.Attribute(value=owner, attr=each, ctx=ast.Load())
            )
            found += self._names.meanings(scope, attribute, depth)
        return found

    def _classes(self, scope: Scope, value: ast.expr, depth: int) -> list[Meaning] | None:
        """``type(value)``, where each is an instance that is known."""
        found = self._names.meanings(scope, value, depth)
        instances = [
            m for m in found if isinstance(m, Instance) and m.origin is not Origin.ANNOTATED
        ]
        return [m.of for m in instances] if len(instances) == len(found) else None

    def _run(
        self, scope: Scope, node: ast.Call, function: ast.expr, depth: int
    ) -> list[Meaning] | None:
        """What a function returns that ``connection.run_sync(function)`` calls, with the connection."""
        later = self._later.setdefault(node, LaterCall(func=function, args=[], keywords=[]))
        found: list[Meaning] = []
        for meaning in self._names.meanings(scope, function, depth):
            if not isinstance(meaning, Function):
                return None
            result = self._names.functions.result(scope, later, meaning, depth)
            if result is None:
                return None
            found += result
        return found

    def _super(self, scope: Scope, node: ast.Call, depth: int) -> list[Meaning] | None:
        method = next(
            (
                around
                for around in scope.module.around(node)
                if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef)
            ),
            None,
        )
        of = None if method is None else scope.module.parent(method)
        if method is None or not isinstance(of, ast.ClassDef):
            return None
        receivers = self._names.parameters.receiver_of(scope, method, depth)
        return [Super(Class(scope.module, of), m) for m in receivers]
