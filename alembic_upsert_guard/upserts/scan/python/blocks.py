"""Which statements of a block bind a name: looked up once for each name, for a file can ask thousands of times."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeGuard

from ...target import Cause, Unread
from .binding import bound_by_header, leaves
from .nodes import BLOCKS, remembered, targets_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .binding import Binding
    from .nodes import Nodes

__all__ = ["Blocks"]

_LONG = 200
"""Lines."""


class Blocks:
    """The lists of statements of one module, each a list of the syntax tree itself: it is known by its identity."""

    def __init__(self, nodes: Nodes, *, has_walrus: bool) -> None:
        """Nothing is looked up yet.

        :param has_walrus: whether an expression may set a name: ``(KEY := x)``.
        """
        self._nodes = nodes
        self._has_walrus = has_walrus
        self._bindings: dict[tuple[int, str], list[tuple[int, list[Binding]]]] = {}
        self._bound: dict[int, dict[str, list[int]]] = {}
        """Of a long block, the numbers of the statements that may bind each name."""
        self._positions: dict[int, dict[ast.AST, int]] = {}
        self._nonlocals: dict[ast.AST, frozenset[str]] = {}
        self._leaving: dict[int, list[tuple[int, ast.If]]] = {}

    def binding(
        self, block: Sequence[ast.AST], name: str, before: ast.AST
    ) -> list[tuple[ast.AST, list[Binding]]]:
        """Return the statements of a block that can bind `name`, in their order, each with the bindings of it.

        :param before: a statement of the block, which is left out with all that follow.
        """
        end = self._position(block)[before] if block else 0
        return [(block[n], bindings) for n, bindings in self._bound_in(block, name) if n < end]

    def bindings(self, block: Sequence[ast.AST], name: str) -> list[Binding]:
        """Return the bindings of `name` that a block can make, those inside of its statements' blocks included."""
        return [binding for _, bindings in self._bound_in(block, name) for binding in bindings]

    def _bound_in(self, block: Sequence[ast.AST], name: str) -> list[tuple[int, list[Binding]]]:
        """The bindings of each statement that can make one, by its number."""
        if not block:
            return []
        key = id(block), name
        if key not in self._bindings:
            numbers = self._numbers(block, name)
            each = ((number, self._bound_by(block[number], name)) for number in numbers)
            self._bindings[key] = [(number, bindings) for number, bindings in each if bindings]
        return self._bindings[key]

    def _numbers(self, block: Sequence[ast.AST], name: str) -> Sequence[int]:
        """The numbers of the statements that may bind a name, in their order."""
        if self._has_walrus or not _is_long(block):
            return self._nodes.naming(block, name)
        if id(block) not in self._bound:
            self._bound[id(block)] = _numbers_by_name(block)
        return self._bound[id(block)].get(name, ())

    def _bound_by(self, statement: ast.AST, name: str) -> list[Binding]:
        found = bound_by_header(statement, name)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return found  # what is inside is bound there
        if isinstance(statement, ast.If) and _is_for_type_checkers(statement.test):
            # what type checkers see is the thing itself; what runs may be a stand-in that loads it later
            checked = self.bindings(statement.body, name)
            if checked:
                return checked
        for field in statement._fields if self._has_walrus else BLOCKS:
            part = getattr(statement, field, None)
            if _is_block(part):
                found += self.bindings(part, name)
            elif self._has_walrus:
                parts = part if isinstance(part, list) else [part]
                if any(isinstance(p, ast.AST) and name in _bound_by_walrus(p) for p in parts):
                    found.append(Unread(f"{name} is set inside an expression", Cause.REBOUND))
        return found

    def has(self, block: Sequence[ast.AST], node: ast.AST) -> bool:
        """Return whether a node is one of a block's own statements."""
        return bool(block) and node in self._position(block)

    def around(self, inner: ast.AST, outer: ast.AST) -> Sequence[ast.AST]:
        """Return the block of a node that another one is a statement of; empty: nothing in it runs before that.

        One handler or case runs, not those before it.
        """
        for field in ("body", "orelse", "finalbody"):
            block = getattr(outer, field, None)
            if isinstance(block, list) and self.has(block, inner):
                return block
        return []

    def leaving(self, block: Sequence[ast.AST], before: ast.AST) -> list[ast.If]:
        """Return the conditions of a block that end the function on one of their ways, in their order.

        :param before: a statement of the block, which is left out with all that follow.
        """
        if not block:
            return []
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


def _is_for_type_checkers(test: ast.expr) -> bool:
    match test:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.endswith("TYPE_CHECKING")
        case ast.UnaryOp(operand=inner) | ast.BoolOp(values=[*_, inner]):
            return _is_for_type_checkers(inner)
    return False


def _is_long(block: Sequence[ast.AST]) -> bool:
    """Whether statements are on so many lines that a name is not looked for in these: of a module, or of a class."""
    first, last = block[0], block[-1]
    return (
        isinstance(first, ast.stmt)
        and isinstance(last, ast.stmt)
        and (last.end_lineno or last.lineno) - first.lineno > _LONG
    )


def _numbers_by_name(block: Sequence[ast.AST]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, statement in enumerate(block):
        for name in _names_bound_by(statement):
            found.setdefault(name, []).append(number)
    return found


def _names_bound_by(statement: ast.AST) -> set[str]:
    """The names that a statement may bind, those inside its blocks included, but for walruses."""
    found: set[str | None] = set()
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
                continue  # what is inside is bound there
            case ast.Import(names=aliases):
                found |= {each.asname or each.name.partition(".")[0] for each in aliases}
            case ast.ImportFrom(names=aliases):
                found |= {each.asname or each.name for each in aliases}
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                found |= {*names}
            case ast.ExceptHandler(name=name):
                found.add(name)
            case ast.match_case(pattern=pattern):
                parts = [*ast.walk(pattern)]
                found |= {getattr(each, "name", None) for each in parts}
                found |= {getattr(each, "rest", None) for each in parts}
            case ast.stmt():
                found |= {each.id for each in targets_of(node) if isinstance(each, ast.Name)}
        for field in BLOCKS:
            waiting += getattr(node, field, ())
    return {name for name in found if name is not None}


def _may_leave(condition: ast.If) -> bool:
    return any(leaves(block) for block in (condition.body, condition.orelse))


def _is_block(part: object) -> TypeGuard[list[ast.AST]]:
    first = part[0] if isinstance(part, list) and part else None
    return isinstance(first, ast.stmt | ast.ExceptHandler | ast.match_case)


@remembered
def _bound_by_walrus(node: ast.AST) -> frozenset[str]:
    return frozenset(n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
