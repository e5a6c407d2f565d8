"""Which statements of a block bind a name: looked up once for each block, for a file can ask thousands of times."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Blocks"]


class Blocks:
    """The lists of statements of one module, each indexed when it is first asked for."""

    def __init__(self) -> None:
        """Nothing is indexed yet."""
        self._named: dict[int, dict[str, list[int]]] = {}
        self._positions: dict[int, dict[ast.AST, int]] = {}
        self._nonlocals: dict[ast.AST, frozenset[str]] = {}

    def binding(
        self, block: Sequence[ast.AST], name: str, before: ast.AST | None = None
    ) -> list[ast.AST]:
        """Return the statements of a block that bind `name` anywhere inside, in their order.

        :param block: a list of the syntax tree itself: it is known by its identity.
        :param before: a statement of the block, which is left out with all that follow; None: all are looked at.
        """
        if not block:
            return []
        if id(block) not in self._named:
            self._named[id(block)] = _index(block)
        end = len(block) if before is None else self._position(block)[before]
        return [block[n] for n in self._named[id(block)].get(name, ()) if n < end]

    def has(self, block: Sequence[ast.AST], node: ast.AST) -> bool:
        """Return whether a node is one of a block's own statements."""
        return bool(block) and node in self._position(block)

    def nonlocals(self, scope: ast.AST) -> frozenset[str]:
        """Return the names that the functions inside a scope set in it."""
        if scope not in self._nonlocals:
            found = (node for node in ast.walk(scope) if isinstance(node, ast.Nonlocal))
            self._nonlocals[scope] = frozenset(name for node in found for name in node.names)
        return self._nonlocals[scope]

    def _position(self, block: Sequence[ast.AST]) -> dict[ast.AST, int]:
        if id(block) not in self._positions:
            self._positions[id(block)] = {node: n for n, node in enumerate(block)}
        return self._positions[id(block)]


def _index(block: Sequence[ast.AST]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, statement in enumerate(block):
        check_time()
        for name in {name for node in ast.walk(statement) for name in _names(node)}:
            found.setdefault(name, []).append(number)
    return found


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
