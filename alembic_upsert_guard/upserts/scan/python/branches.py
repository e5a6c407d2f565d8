"""Which way a program goes, where constants decide it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from .binding import leaves
from .values import Class, Expression, Function, Instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .meaning import Names
    from .scope import Scope
    from .values import Meaning

__all__ = ["Branches"]

_DEPTH = 30


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an enumeration."""

    of: Class
    name: str


_Constant: TypeAlias = "str | bytes | int | float | complex | bool | _Member | None"


_DECIDED = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
"""Comparisons that constants decide."""


class Branches:
    """Reads conditions."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names

    def constants(
        self, scope: Scope, node: ast.expr, depth: int = _DEPTH
    ) -> frozenset[_Constant] | None:
        """Return the constants that an expression can be; None: it can be something else."""
        found: set[_Constant] = set()
        for meaning in self._names.meanings_or_none(scope, node, depth):
            match meaning:
                case Expression(_, ast.Constant(value=value)) if value is not Ellipsis:
                    found.add(value)
                case Expression(at, ast.Attribute() as attribute):
                    member = self._member(at, attribute, depth)
                    if member is None:
                        return None
                    found |= member
                case _:
                    return None
        return frozenset(found)

    def _member(self, scope: Scope, node: ast.Attribute, depth: int) -> frozenset[_Constant] | None:
        """What a member of an enumeration is compared as; None: it is none, or that is not known."""
        enumerations = self._names.enumerations
        of = enumerations.of_member(scope, node, depth)
        if of is None or not enumerations.is_known(of):
            return None
        if not enumerations.equals_value(of):
            return frozenset((_Member(of, node.attr),))
        match enumerations.value(of, node.attr, depth):
            case [Expression(_, ast.Constant(value=value))] if value is not Ellipsis:
                return frozenset((value,))
        return None

    def is_none(self, scope: Scope, node: ast.expr) -> bool:
        """Return whether an expression is None, and can be nothing else."""
        return self.constants(scope, node) == frozenset((None,))

    def first_true(self, scope: Scope, values: Sequence[ast.expr], depth: int) -> list[Meaning]:
        """Return what ``a or b`` means: the first that is true, or the last."""
        found: list[Meaning] = []
        for value in values[:-1]:
            meanings = self._names.meanings_or_none(scope, value, depth)
            found += [m for m in meanings if _truth(m) is not False]
            if all(_truth(m) is True for m in meanings):
                return found
        return found + self._names.meanings(scope, values[-1], depth)

    def truth(self, scope: Scope, test: ast.expr, *, settings_decide: bool = True) -> bool | None:
        """Return what a condition is; None: it depends.

        :param settings_decide: see :meth:`is_reached`.
        """
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                truth = self.truth(scope, operand, settings_decide=settings_decide)
                return None if truth is None else not truth
            case ast.BoolOp(op=operator, values=values):
                truths = [
                    self.truth(scope, value, settings_decide=settings_decide) for value in values
                ]
                decisive = isinstance(operator, ast.Or)
                if decisive in truths:
                    return decisive
                return None if None in truths else not decisive
            case ast.Compare(left=left, ops=[operation], comparators=[right]):
                return self._compared(scope, left, operation, right)
            case ast.Name() | ast.Attribute() | ast.Constant():
                found = self._names.meanings_or_none(scope, test, _DEPTH)
                if not settings_decide and any(map(_is_setting, found)):
                    return None
                truths = [_truth(m) for m in found]
                return truths[0] if len(set(truths)) == 1 else None
        return None

    def _compared(
        self, scope: Scope, left: ast.expr, operation: ast.cmpop, right: ast.expr
    ) -> bool | None:
        if not isinstance(operation, _DECIDED):
            return None
        one = self.constants(scope, left)
        if one is None:
            return self._is_none(scope, left, operation, right)
        match operation, right:
            case ((ast.In() | ast.NotIn()), _):
                other = self._members(scope, right)
                if other is None:
                    return None
                inside = {constant in other for constant in one}
                found = inside.pop() if len(inside) == 1 else None
            case _:
                wanted = self.constants(scope, right)
                if wanted is None or len(wanted) != 1 or (one & wanted and len(one) != 1):
                    return None
                found = bool(one & wanted)
        negated = isinstance(operation, ast.NotEq | ast.IsNot | ast.NotIn)
        return None if found is None else found is not negated

    def _members(self, scope: Scope, node: ast.expr) -> frozenset[_Constant] | None:
        """What a list, tuple or set holds, or by what keys a dictionary does; None: not all of it is known."""
        match self._names.meanings(scope, node, _DEPTH):
            case [
                Expression(
                    at,
                    ast.Tuple(elts=items)
                    | ast.List(elts=items)
                    | ast.Set(elts=items)
                    | ast.Dict(keys=items),
                )
            ]:
                each = [None if item is None else self.constants(at, item) for item in items]
                if all(constants is not None and len(constants) == 1 for constants in each):
                    return frozenset[_Constant]().union(*(c for c in each if c is not None))
        return None

    def _is_none(
        self, scope: Scope, left: ast.expr, operation: ast.cmpop, right: ast.expr
    ) -> bool | None:
        """``x is None``, where x is a class, a function, an instance or a literal: it is not."""
        if not isinstance(right, ast.Constant) or right.value is not None:
            return None
        if all(_is_some(m) for m in self._names.meanings_or_none(scope, left, _DEPTH)):
            return isinstance(operation, ast.IsNot | ast.NotEq)
        return None

    def is_reached(self, scope: Scope, node: ast.AST, *, settings_decide: bool = True) -> bool:
        """Return whether no condition rules a node out, from the beginning of the function that it is in.

        :param settings_decide: whether an attribute of a class or of ``self``, or a name of a module, that the source
         sets to True or False, and to nothing else, is that.
        """
        inner = node
        blocks = scope.module.blocks
        for around in scope.module.around(node):
            if isinstance(around, ast.If):
                truth = self.truth(scope, around.test, settings_decide=settings_decide)
                if truth is not None and inner in (around.orelse if truth else around.body):
                    return False
            block = blocks.around(inner, around)
            if any(
                self._always_leaves(scope, each, settings_decide=settings_decide)
                for each in blocks.leaving(block, inner)
            ):
                return False
            if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                break
            inner = around
        return True

    def _always_leaves(self, scope: Scope, condition: ast.If, *, settings_decide: bool) -> bool:
        """Whether a condition that holds ends the function there."""
        truth = self.truth(scope, condition.test, settings_decide=settings_decide)
        return truth is not None and leaves(condition.body if truth else condition.orelse)


def _truth(meaning: Meaning) -> bool | None:
    match meaning:
        case Expression(_, ast.Constant(value=value)):
            return bool(value)
        case Expression(_, ast.List(elts=[])):
            return None  # something may be added to it
        case Expression(_, ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items)):
            return None if any(isinstance(item, ast.Starred) for item in items) else bool(items)
        case Class() | Function():
            return True
    return None


def _is_setting(meaning: Meaning) -> bool:
    """Whether it is True or False, as a class, a module or ``self`` is given it."""
    match meaning:
        case Expression(scope, ast.Constant(value=bool()) as node):
            module = scope.module
            statement = module.parent(node)
            if isinstance(statement, ast.Assign):
                is_attribute = any(isinstance(t, ast.Attribute) for t in statement.targets)
            elif isinstance(statement, ast.AnnAssign):
                is_attribute = isinstance(statement.target, ast.Attribute)
            else:
                return False
            around = module.parent(statement)
            return is_attribute or isinstance(around, ast.ClassDef | ast.Module)
    return False


def _is_some(meaning: Meaning) -> bool:
    match meaning:
        case Class() | Function() | Instance():
            return True
        case Expression(_, ast.Constant(value=value)):
            return value is not None
        case Expression(_, ast.List() | ast.Tuple() | ast.Dict() | ast.Set() | ast.JoinedStr()):
            return True
    return False
