"""``a if condition else b`` whose condition only a run knows: a reading is begun for each of the two."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .scope import Frame
from .values import Opening, OpeningKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .meaning import Names
    from .module import Module
    from .scope import Scope

__all__ = ["Choices", "frames_of"]

_NEGATED = {ast.IsNot: "is", ast.NotEq: "==", ast.NotIn: "in"}
_STATED = {ast.Is: "is", ast.Eq: "==", ast.In: "in"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)


class Choices:
    """What a reading takes conditions to be that nothing decides."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names
        self._first: dict[ast.AST, dict[str, ast.IfExp]] = {}
        """By function and condition."""

    def truth(self, scope: Scope, node: ast.IfExp) -> bool | None:
        """Return what the reading at hand takes a condition to be; None: neither, and it now depends on it.

        The same condition, or its opposite, is the same throughout a function.
        """
        said, is_negated = _condition(node.test)
        first = self._first_with(scope.module, node, said)
        frame = self._names.current.assumption(first)
        if frame is None or frame.choice is None:
            opening = Opening(kind=OpeningKind.CHOICE, module=scope.module, node=first, name=None)
            self._names.current.open(opening)
            return None
        return frame.choice is not is_negated

    def _first_with(self, module: Module, node: ast.IfExp, said: str) -> ast.IfExp:
        """The first expression of its function that has the same condition."""
        around = next(each for each in module.around(node) if isinstance(each, _SCOPES))
        if around not in self._first:
            found = self._first[around] = {}
            for each in _expressions_of(around):
                found.setdefault(_condition(each.test)[0], each)
        return self._first[around].get(said, node)


def _expressions_of(scope: ast.AST) -> Iterator[ast.IfExp]:
    """Those of a function or a module, and not of the functions in it: their names are others."""
    waiting = [scope]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.IfExp):
            yield node
        inside = [each for each in ast.iter_child_nodes(node) if not isinstance(each, _SCOPES)]
        waiting += reversed(inside)


def frames_of(choice: ast.IfExp) -> tuple[Frame, Frame]:
    """Return a frame for either truth of the condition that :meth:`Choices.truth` opened."""
    is_negated = _condition(choice.test)[1]
    return (
        Frame(entered=choice, choice=not is_negated),
        Frame(entered=choice, choice=is_negated),
    )


def _condition(test: ast.expr) -> tuple[str, bool]:
    """A condition as it is written without ``not``, and whether that was taken away."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            said, is_negated = _condition(operand)
            return said, not is_negated
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            for signs, is_negated in ((_STATED, False), (_NEGATED, True)):
                if type(operator) in signs:
                    sign = signs[type(operator)]
                    return f"{ast.unparse(left)} {sign} {ast.unparse(right)}", is_negated
    return ast.unparse(test), False
