"""The attributes of classes and of their instances, looked up as Python does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .binding import Assigned, Defined
from .bindings import bindings_in
from .construction import Construction
from .elsewhere import is_stated
from .functions import decorators
from .nodes import last_part
from .rebinding import Rebinding
from .values import Class, Expression, External, Function, Instance, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .binding import Binding
    from .meaning import Names
    from .scope import Scope
    from .values import Meaning, Super

__all__ = ["Members"]

_PROPERTIES = frozenset({"cached_property", "hybrid_property", "memoized_property", "property"})
_COLUMNS = frozenset(
    """
    Column Field Relationship association_proxy backref column_property composite deferred mapped_column
    query_expression relationship synonym
    """.split()  # noqa: SIM905 - a list of words
)
"""Calls that make an attribute of a mapped class: which column it is, the models say."""


class Members:
    """Looks attributes up."""

    def __init__(self, names: Names) -> None:
        """Nothing is looked up yet."""
        self._names = names
        self.construction = Construction(names, self)
        self.rebinding = Rebinding(names, self)
        self._lineages: dict[Class, tuple[Class, ...]] = {}
        self._unfinished: set[Class] = set()

    def forget(self) -> None:
        """Let go of everything that was found: see :meth:`.Names.forget`."""
        vars(self.construction).clear()
        vars(self.rebinding).clear()
        vars(self).clear()

    # -- classes

    def lineage(self, of: Class) -> tuple[Class, ...]:
        """Return a class and the classes that it inherits from, as far as they were read, in the order of lookup."""
        if of in self._unfinished:
            self._names.current.meet_unfinished()
        if of not in self._lineages:
            self._lineages[of] = (of,)  # a class that inherits from itself in a circle
            self._unfinished.add(of)
            found = [of]
            with self._names.reading():
                for base in of.node.bases:
                    for meaning in self._names.meanings(of.scope, base):
                        if isinstance(meaning, Class):
                            found += self.lineage(meaning)
            last = {each: n for n, each in enumerate(found)}
            self._lineages[of] = (of, *sorted((c for c in last if c != of), key=last.__getitem__))
            self._unfinished.remove(of)
        return self._lineages[of]

    def method(self, of: Class, name: str, after: Class | None = None) -> Function | None:
        """Return the function of that name that a class has, not bound yet; None: none was read.

        :param after: the class behind which the lookup begins, as ``super()`` does.
        """
        binding = self._found(self._behind(of, after), name)
        if binding is None or len(binding[1]) != 1:
            return None
        match binding[1][0]:
            case Defined(ast.FunctionDef() | ast.AsyncFunctionDef() as function):
                return Function(binding[0].scope, function)
        return None

    def _behind(self, of: Class, after: Class | None) -> tuple[Class, ...]:
        lineage = self.lineage(of)
        return lineage[lineage.index(after) + 1 :] if after in lineage else lineage

    def _found(self, lineage: Iterable[Class], name: str) -> tuple[Class, list[Binding]] | None:
        for each in lineage:
            bindings = bindings_in(each.module, each.node, name)
            if bindings:
                return each, bindings
        return None

    def of_class(
        self, scope: Scope, node: ast.Attribute, owner: Class, depth: int
    ) -> list[Meaning] | None:
        """Return what an attribute of a class means; None: it is a column's, or not known."""
        if self.rebinding.is_set_on(owner, node.attr, (scope.module, owner.module)):
            return [Unread(f"{node.attr} is changed after it is set", Cause.REBOUND)]
        found = self._in_lineage(scope, node, owner, self.lineage(owner), depth)
        if found and self.rebinding.may_be_set_on(owner, node.attr, (scope.module, owner.module)):
            return [Unread(f"{node.attr} is changed after it is set", Cause.REBOUND)]
        return self._unless_set_elsewhere(owner, node.attr, found)

    def _unless_set_elsewhere(
        self, owner: Class, attribute: str, found: list[Meaning] | None
    ) -> list[Meaning] | None:
        """What a class states of an attribute, which a third file may set."""
        if is_stated(found or ()) and any(
            self._names.elsewhere.sets(each.module.path, each.node.name, attribute)
            for each in self.lineage(owner)
        ):
            return [Unread(f"{attribute} is set from another file", Cause.REBOUND)]
        return found

    def of_super(
        self, scope: Scope, node: ast.Attribute, owner: Super, depth: int
    ) -> list[Meaning] | None:
        """Return what an attribute of ``super()`` means; None: it is not known."""
        receiver = owner.receiver
        of = receiver.of if isinstance(receiver, Instance) else receiver
        return self._in_lineage(scope, node, receiver, self._behind(of, owner.of), depth)

    def _in_lineage(
        self,
        scope: Scope,
        node: ast.Attribute,
        receiver: Instance | Class,
        lineage: tuple[Class, ...],
        depth: int,
    ) -> list[Meaning] | None:
        found = self._found(lineage, node.attr)
        if found is None:
            return None
        home, bindings = found
        meanings: list[Meaning] = []
        for binding in bindings:
            one = self._bound(scope, node, home, receiver, binding, depth)
            if one is None:
                return None
            meanings += one
        return meanings

    def _bound(
        self,
        scope: Scope,
        node: ast.Attribute,
        home: Class,
        receiver: Instance | Class,
        binding: Binding,
        depth: int,
    ) -> list[Meaning] | None:
        match binding:
            case Assigned(ast.Call() as call) if self._makes_column(home.scope, call):
                return None
            case Assigned(ast.expr()):
                found = self._names.bound(home.scope, node.attr, binding, depth)
                return None if any(self._is_column(m) for m in found) else found
            case Defined(ast.FunctionDef() | ast.AsyncFunctionDef() as function):
                return self._function(scope, node, Function(home.scope, function), receiver, depth)
        return self._names.bound(home.scope, node.attr, binding, depth)

    def _is_column(self, meaning: Meaning) -> bool:
        match meaning:
            case Expression(scope, ast.Call() as call):
                return self._makes_column(scope, call)
        return False

    def _makes_column(self, scope: Scope, call: ast.Call) -> bool:
        """Whether a call makes a mapped attribute, by its name or by what it is imported as."""
        if last_part(call.func) in _COLUMNS:
            return True
        found = self._names.meanings(scope, call.func)
        return any(
            isinstance(m, External) and m.dotted.rpartition(".")[2] in _COLUMNS for m in found
        )

    def _function(
        self,
        scope: Scope,
        node: ast.Attribute,
        function: Function,
        receiver: Instance | Class,
        depth: int,
    ) -> list[Meaning] | None:
        """A method, bound as its decorators say; or what a property returns."""
        marks = set(decorators(function.node))
        if "staticmethod" in marks:
            return [function]
        if marks & {"classmethod"}:
            of = receiver.of if isinstance(receiver, Instance) else receiver
            return [Function(function.scope, function.node, of)]
        if isinstance(receiver, Class):
            return None if marks & _PROPERTIES else [function]
        bound = Function(function.scope, function.node, receiver)
        return (
            self._names.functions.result(scope, node, bound, depth)
            if marks & _PROPERTIES
            else [bound]
        )

    # -- instances

    def of_instance(
        self, scope: Scope, node: ast.Attribute, owner: Instance, depth: int
    ) -> list[Meaning] | None:
        """Return what an attribute of an instance means; None: it is not known."""
        if node.attr == "__class__":
            return None if owner.origin is Origin.ANNOTATED else [owner.of]
        if self.rebinding.may_be_set_on(owner, node.attr, (scope.module, owner.of.module)):
            return [Unread(f"{node.attr} is changed after it is set", Cause.REBOUND)]
        found = self._of_exact(scope, node, owner, depth)
        found = self._unless_set_elsewhere(owner.of, node.attr, found)
        if owner.origin is not Origin.ANNOTATED:
            return found
        heirs = [h for h in self._names.heirs.of(owner.of) if self.sets(h, node.attr)]
        every = [self._of_exact(scope, node, Instance(h, Origin.MADE), depth) for h in heirs]
        if not heirs:
            return found
        if found is not None and not self._is_abstract(owner.of, node.attr):
            every.append(found)
        return None if None in every else [m for each in every for m in each or []]

    def _of_exact(
        self, scope: Scope, node: ast.Attribute, owner: Instance, depth: int
    ) -> list[Meaning] | None:
        lineage = self.lineage(owner.of)
        set_in_methods = self.construction.assigned(owner, node.attr, depth)
        if set_in_methods is not None and set_in_methods.always:
            return set_in_methods.meanings
        if set_in_methods is None and self.construction.has_field(owner, node.attr):
            return self.construction.field(owner, node.attr, depth)
        in_class = self._in_lineage(scope, node, owner, lineage, depth)
        return in_class if set_in_methods is None else [*set_in_methods.meanings, *(in_class or [])]

    def sets(self, of: Class, attribute: str) -> bool:
        """Return whether a class itself gives an attribute another value than it inherits."""
        return bool(bindings_in(of.module, of.node, attribute)) or self.construction.sets(
            of, attribute
        )

    def is_abstract_class(self, of: Class) -> bool:
        """Return whether a class says itself that it is mapped to no table: ``__abstract__``, Django's ``Meta``."""
        if bindings_in(of.module, of.node, "__abstract__"):
            return True
        match bindings_in(of.module, of.node, "Meta"):
            case [Defined(ast.ClassDef() as meta)]:
                match bindings_in(of.module, meta, "abstract"):
                    case [Assigned(ast.Constant(value=True))]:
                        return True
        return False

    def gives(self, of: Class, attribute: str) -> bool:
        """Return whether a class or one that it inherits from gives an attribute a value, and not None."""
        if any(self.construction.gives(each, attribute) for each in self.lineage(of)):
            return True
        found = self._found(self.lineage(of), attribute)
        if found is None or self._is_abstract(of, attribute):
            return False
        return not any(isinstance(b, Assigned) and _is_nothing(b.value) for b in found[1])

    def _is_abstract(self, of: Class, attribute: str) -> bool:
        """Whether a class leaves an attribute to its subclasses, by a function that does nothing."""
        function = self.method(of, attribute)
        return function is not None and is_empty(function)


def is_empty(function: Function) -> bool:
    """Return whether a function does nothing but state its name: it is left to subclasses."""
    if isinstance(function.node, ast.Lambda):
        return False
    return all(
        isinstance(s, ast.Pass | ast.Raise)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in function.node.body
    )


def _is_nothing(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and value.value in (None, Ellipsis)
