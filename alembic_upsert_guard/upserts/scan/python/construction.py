"""What an instance is given: attributes that its methods set, by the arguments that it was made with."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...target import Unread
from .arguments import given_by
from .data_classes import fields_of, is_data_class
from .functions import decorators, method_class, own_nodes
from .nodes import remembered
from .scope import Argument, Frame, Scope
from .values import Class, Function, Instance, is_none

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .meaning import Names
    from .members import Members
    from .module import Module
    from .scope import FunctionNode
    from .values import Meaning

__all__ = ["AssignedAttribute", "Construction"]

_INIT = "__init__"
_INIT_SUBCLASS = "__init_subclass__"
_SUPERS = 5
"""How many classes hand their arguments on to the next."""


@dataclass(frozen=True, slots=True)
class AssignedAttribute:
    """What the methods of a class set an attribute to."""

    meanings: list[Meaning]
    always: bool
    """Whether ``__init__`` sets it, whichever way it goes."""


@dataclass(frozen=True, slots=True)
class _Assignment:
    method: FunctionNode
    value: ast.expr | None
    """None: it is set in another way than ``self.x = value``."""


class Construction:
    """Reads what instances are given."""

    def __init__(self, names: Names, members: Members) -> None:
        """Nothing is read yet."""
        self._names = names
        self._members = members
        self._assignments: dict[tuple[Class, str], list[_Assignment]] = {}
        self._statements: dict[Class, ast.Call] = {}

    def is_receiver(self, module: Module, node: ast.expr) -> bool:
        """Return whether an expression is the first parameter of the method that it is in."""
        if not isinstance(node, ast.Name):
            return False
        functions = (
            n for n in module.around(node) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        return any(method_class(module, function, node.id) is not None for function in functions)

    def sets(self, of: Class, attribute: str) -> bool:
        """Return whether a method of the class sets an attribute of ``self``, or its ``class`` statement does."""
        return bool(self._of(of, attribute)) or self._states(of, attribute)

    def gives(self, of: Class, attribute: str) -> bool:
        """Return whether a method of the class sets an attribute of its own instances."""
        assignments = self._of(of, attribute)
        return any(getattr(a.method, "name", "") != _INIT_SUBCLASS for a in assignments)

    def _states(self, of: Class, attribute: str) -> bool:
        """``class Users(Store, table=User)``, where ``Store.__init_subclass__`` sets the attribute."""
        inherited = self._members.method(of, _INIT_SUBCLASS, after=of) if of.node.keywords else None
        return inherited is not None and any(
            assignment.method is inherited.node
            for each in self._members.lineage(of)
            for assignment in self._of(each, attribute)
        )

    def _of(self, of: Class, attribute: str) -> Sequence[_Assignment]:
        """Where the methods of a class set an attribute; only those that name it are looked at."""
        key = of, attribute
        if key not in self._assignments:
            self._assignments[key] = [
                _Assignment(method, _value_of(statement, target))
                for method, statement, target in of.module.sets_in_methods(of.node, attribute)
                if isinstance(target.ctx, ast.Store)
                and isinstance(target.value, ast.Name)
                and target.value.id == _receiver(method)
            ]
        return self._assignments[key]

    def assigned(self, owner: Instance, attribute: str, depth: int) -> AssignedAttribute | None:
        """Return what methods set ``self.attribute`` to; None: none does."""
        assignments = [
            (of, assignment)
            for of in self._members.lineage(owner.of)
            for assignment in self._of(of, attribute)
        ]
        found = assignments and self._names.attribute_of(
            owner,
            attribute,
            lambda: (
                m
                for of, assignment in assignments
                for m in self._value(owner, of, assignment, attribute, depth)
            ),
        )
        if not found:
            return None
        some = [m for m in found if not is_none(m)]
        if some and len(some) < len(found):
            self._names.current.drops_none = True
        always = any(_is_called(a.method) for _, a in assignments)
        return AssignedAttribute(some or found, always)

    def _value(
        self, owner: Instance, of: Class, assignment: _Assignment, attribute: str, depth: int
    ) -> list[Meaning]:
        if assignment.value is None:
            return [Unread(f"self.{attribute} is taken out of a larger value")]
        value = assignment.value
        scope = Scope(of.module, self._frame(owner, assignment.method, depth))
        # another method runs later, when the attribute that it asks for may have been set
        if _is_called(assignment.method) and not self._names.branches.is_reached(scope, value):
            return []
        found = self._names.meanings(scope, value, depth)
        if any(isinstance(m, Unread) for m in found):
            annotated = self._annotated(owner, attribute, depth)
            return annotated or found
        return found

    def _annotated(self, owner: Instance, attribute: str, depth: int) -> list[Meaning]:
        for of in self._members.lineage(owner.of):
            for statement in of.node.body:
                match statement:
                    case ast.AnnAssign(target=ast.Name(id=name), annotation=stated) if (
                        name == attribute
                    ):
                        return self._names.annotations.of_attribute(of.scope, stated, depth)
        return []

    def _frame(self, owner: Instance, method: FunctionNode, depth: int) -> Frame:
        name = getattr(method, "name", "")
        is_init = name == _INIT
        entered = self._initialized(owner, method, depth) if is_init else None
        if name == _INIT_SUBCLASS:
            entered = self._subclassed(owner.of, method)
        # who calls another method, and when, is not followed
        return entered or Frame(
            entered=method,
            receiver=owner,
            arguments=None if is_init else {},
        )

    def _subclassed(self, of: Class, wanted: FunctionNode) -> Frame | None:
        """The frame of an ``__init_subclass__``, as a ``class`` statement leads there; None: it leads elsewhere."""
        inherited = self._members.method(of, _INIT_SUBCLASS, after=of)
        if inherited is None or inherited.node is not wanted:
            return None
        given = [keyword for keyword in of.node.keywords if keyword.arg != "metaclass"]
        statement = self._statements.setdefault(
            of, ast.Call(func=ast.Name(of.node.name, ast.Load()), args=[], keywords=given)
        )
        bound = Function(inherited.scope, inherited.node, of)
        return self._names.functions.enter(bound, of.scope, statement)

    def _initialized(self, owner: Instance, wanted: FunctionNode, depth: int) -> Frame | None:
        """The frame of an ``__init__``, as the call that made the instance leads there; None: it is not known."""
        first = self._members.method(owner.of, _INIT)
        if first is None:
            return None
        bound = Function(first.scope, first.node, owner)
        if owner.made is None:
            frame: Frame | None = Frame(entered=first.node, receiver=owner)
        else:
            frame = self._names.functions.enter(bound, owner.made.scope, owner.made.node)
        for _ in range(_SUPERS):
            if frame is None or frame.entered is wanted:
                return frame
            frame = self._handed_on(bound, frame, wanted, depth)
        return None

    def _handed_on(
        self, function: Function, frame: Frame, wanted: FunctionNode, depth: int
    ) -> Frame | None:
        """The frame of the next ``__init__``: the one that is wanted, or else the only one."""
        inner = Scope(function.scope.module, frame)
        found: list[Frame] = []
        if isinstance(frame.entered, ast.FunctionDef | ast.AsyncFunctionDef):
            for call in own_nodes(frame.entered):
                match call:
                    case ast.Call(func=ast.Attribute(attr="__init__") as func):
                        found += self._entered_by(inner, call, func, depth)
        exact = [f for f in found if f.entered is wanted]
        return exact[0] if len(exact) == 1 else found[0] if len(found) == 1 else None

    def _entered_by(
        self, inner: Scope, call: ast.Call, func: ast.Attribute, depth: int
    ) -> Iterator[Frame]:
        for meaning in self._names.meanings(inner, func, depth):
            if isinstance(meaning, Function):
                frame = self._names.functions.enter(meaning, inner, call)
                if frame is not None:
                    yield frame

    def has_field(self, owner: Instance, attribute: str) -> bool:
        """Return whether an attribute is a field of a data class: its call gives it, or leaves it at its default."""
        lineage = self._members.lineage(owner.of)
        return any(is_data_class(of) for of in lineage) and attribute in fields_of(lineage)

    def field(self, owner: Instance, attribute: str, depth: int) -> list[Meaning] | None:
        """Return what a field of a data class was given; None: it is not known."""
        fields = fields_of(self._members.lineage(owner.of))
        default = fields[attribute]
        made = owner.made
        if made is None or not isinstance(made.node, ast.Call):
            return None
        calls = [(made.scope, made.node.args, made.node.keywords)]
        given = given_by(calls, lambda _scope, _node: None)
        if given.more_named or given.more_positional:
            return None
        argument = given.named.get(attribute)
        position = list(fields).index(attribute)
        if argument is None and position < len(given.positional):
            argument = given.positional[position]
        if argument is None and default is not None:
            argument = Argument(*default)
        return (
            None if argument is None else self._names.meanings(argument.scope, argument.node, depth)
        )


@remembered
def _receiver(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """The name that a method gives the instance; None: it has none."""
    first = [*method.args.posonlyargs, *method.args.args][:1]
    if not first or {"staticmethod", "classmethod"} & set(decorators(method)):
        return None
    return first[0].arg


def _value_of(statement: ast.stmt, target: ast.Attribute) -> ast.expr | None:
    match statement:
        case ast.Assign(targets=targets, value=value) if target in targets:
            return value
        case ast.AnnAssign(value=ast.expr() as value):
            return value
    return None


def _is_called(method: FunctionNode) -> bool:
    """Whether a method is called before any other is."""
    return getattr(method, "name", "") in (_INIT, _INIT_SUBCLASS)
