"""The rounds of a loop over items that the source writes out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .scope import Argument, Frame, Scope
from .values import Expression

if TYPE_CHECKING:
    from .meaning import Names
    from .scope import LoopNode

__all__ = ["rounds_of"]


def rounds_of(names: Names, scope: Scope, loop: LoopNode) -> list[Frame]:
    """Return a frame for each round of a loop, in order; empty: what it goes through is not known."""
    match loop:
        case ast.For(target=target, iter=iterated) | ast.AsyncFor(target=target, iter=iterated):
            pass
        case _:
            if len(loop.generators) != 1:
                return []
            target, iterated = loop.generators[0].target, loop.generators[0].iter
    items = _items(names, scope, iterated)
    frames: list[Frame] = []
    for item in items or ():
        given: dict[str, Argument] = {}
        if not _give(names, target, item, given):
            return []
        frames.append(
            Frame(
                entered=loop,
                closure=scope.frame,
                arguments=given,
            )
        )
    return frames


def _items(names: Names, scope: Scope, node: ast.expr) -> list[Argument] | None:
    match node:
        case ast.Call(
            func=ast.Attribute(value=owner, attr="items" | "keys" | "values" as part), args=[]
        ):
            return _of_dictionary(names, scope, owner, part)
        case ast.Call(
            func=ast.Name("enumerate" | "list" | "sorted" | "tuple" as name), args=[inner]
        ):
            if name != "enumerate" and names.is_builtin(scope, node.func, name):
                return _items(names, scope, inner)
    match names.meanings(scope, node):
        case [
            Expression(at, ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items))
        ] if not any(isinstance(item, ast.Starred) for item in items):
            return [Argument(at, item) for item in items]
        case [Expression(at, ast.Dict(keys=keys))] if None not in keys:
            return [Argument(at, key) for key in keys if key is not None]
    return None


def _of_dictionary(names: Names, scope: Scope, owner: ast.expr, part: str) -> list[Argument] | None:
    match names.meanings(scope, owner):
        case [Expression(at, ast.Dict(keys=keys, values=values))] if None not in keys:
            pairs = [(k, v) for k, v in zip(keys, values, strict=True) if k is not None]
            if part == "items":
                return [Argument(at, ast.Tuple(elts=[k, v], ctx=ast.Load())) for k, v in pairs]
            return [Argument(at, k if part == "keys" else v) for k, v in pairs]
    return None


def _give(names: Names, target: ast.expr, item: Argument, given: dict[str, Argument]) -> bool:
    """Bind the names of a target to what an item holds; False: that is not known."""
    match target:
        case ast.Name(id=name):
            given[name] = item
            return True
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            match names.meanings(item.scope, item.node):
                case [Expression(at, ast.Tuple(elts=values) | ast.List(elts=values))]:
                    if len(values) == len(targets):
                        pairs = zip(targets, values, strict=True)
                        return all(_give(names, t, Argument(at, v), given) for t, v in pairs)
    return False
