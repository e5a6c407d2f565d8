"""Which statements of a block bind a name: looked up once for each name, for a file can ask thousands of times."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .nodes import Nodes

__all__ = ["Blocks", "leaves"]


class Blocks:
    """The lists of statements of one module."""

    def __init__(self, nodes: Nodes) -> None:
        """Nothing is looked up yet."""
        self._nodes = nodes
        self._binding: dict[tuple[int, str], list[int]] = {}
        self._positions: dict[int, dict[ast.AST, int]] = {}
        self._nonlocals: dict[ast.AST, frozenset[str]] = {}
        self._leaving: dict[int, list[tuple[int, ast.If]]] = {}

    def binding(
        self, block: Sequence[ast.AST], name: str, before: ast.AST | None = None
    ) -> list[ast.AST]:
        """Return the statements of a block that bind `name` anywhere inside, in their order.

        :param block: a list of the syntax tree itself: it is known by its identity.
        :param before: a statement of the block, which is left out with all that follow; None: all are looked at.
        """
        if not block:
            return []
        key = id(block), name
        if key not in self._binding:
            self._binding[key] = [
                n for n, nodes in self._nodes.naming(block, name) if _binds(block[n], name, nodes)
            ]
        end = len(block) if before is None else self._position(block)[before]
        return [block[n] for n in self._binding[key] if n < end]

    def has(self, block: Sequence[ast.AST], node: ast.AST) -> bool:
        """Return whether a node is one of a block's own statements."""
        return bool(block) and node in self._position(block)

    def leaving(self, block: Sequence[ast.AST], before: ast.AST) -> list[ast.If]:
        """Return the conditions of a block that end the function on one of their ways, in their order.

        :param before: a statement of the block, which is left out with all that follow.
        """
        key = id(block)
        if key not in self._leaving:
            conditions = [(n, each) for n, each in enumerate(block) if isinstance(each, ast.If)]
            self._leaving[key] = [(n, each) for n, each in conditions if _may_leave(each)]
        end = self._position(block)[before]
        return [each for n, each in self._leaving[key] if n < end]

    def nonlocals(self, scope: ast.AST) -> frozenset[str]:
        """Return the names that the functions inside a scope set in it."""
        if scope not in self._nonlocals:
            near = self._nodes.near_words(["nonlocal ", "nonlocal\t", "nonlocal\\"], scope)
            found = (node for node in near if isinstance(node, ast.Nonlocal))
            self._nonlocals[scope] = frozenset(name for node in found for name in node.names)
        return self._nonlocals[scope]

    def _position(self, block: Sequence[ast.AST]) -> dict[ast.AST, int]:
        if id(block) not in self._positions:
            self._positions[id(block)] = {node: n for n, node in enumerate(block)}
        return self._positions[id(block)]


def _binds(statement: ast.AST, name: str, nodes: Callable[[], list[ast.AST]]) -> bool:
    """Whether a statement binds a name, by those of its nodes that may name it."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.name == name  # what is inside is bound there
    return any(name in _names(node) for node in nodes())


def _may_leave(condition: ast.If) -> bool:
    return any(leaves(block) for block in (condition.body, condition.orelse))


def leaves(block: Sequence[ast.stmt]) -> bool:
    """Return whether a block ends the function that it is in."""
    return bool(block) and isinstance(block[-1], ast.Return | ast.Raise)


def _names(node: ast.AST) -> Iterator[str]:
    """The names that a node itself binds or deletes: a variable, a definition, an import, a handler or a pattern."""
    match node:
        case ast.Name(id=name):
            if not isinstance(node.ctx, ast.Load):
                yield name
        case ast.alias(name=name, asname=bound):
            yield bound or name
            yield name.partition(".")[0]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names
        case ast.MatchMapping(rest=str() as name):
            yield name
        case _:
            bound = getattr(node, "name", None)
            if isinstance(bound, str):
                yield bound
