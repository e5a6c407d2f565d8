"""What an expression means: names, attributes and calls followed, through files and functions, to where they end."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from ..bounds import check_time
from .annotations import Annotations
from .binding import Assigned, Defined, Imported, Looped, Parameter, SetElsewhere, Unpacked
from .bindings import bindings_at, is_changed
from .branches import Branches
from .builtins import Builtins
from .choices import Choices
from .elsewhere import is_stated
from .enumerations import Enumerations
from .functions import Functions
from .imports import Imports
from .members import Members
from .parameters import Parameters
from .reading import Answer, Memory, Reading
from .scope import Argument, Scope
from .subscripts import Subscripts
from .values import (
    Class,
    Expression,
    External,
    File,
    Function,
    Instance,
    Origin,
    Super,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .binding import Binding
    from .elsewhere import Elsewhere
    from .heirs import Heirs
    from .modules import Modules
    from .reading import Asked
    from .scope import Entered, Frame
    from .values import Meaning

__all__ = ["Names"]

_DEPTH = 60
"""How many names are followed in a row: longer chains are circles."""


class Names:
    """Follows names through the files of one scan."""

    def __init__(self, modules: Modules, heirs: Heirs, elsewhere: Elsewhere) -> None:
        """Nothing is followed yet."""
        self.heirs = heirs
        self.elsewhere = elsewhere
        self._imports = Imports(modules, self.bound)
        self.functions = Functions(self)
        self.branches = Branches(self)
        self.choices = Choices(self)
        self.annotations = Annotations(self)
        self.members = Members(self)
        self.enumerations = Enumerations(self)
        self._subscripts = Subscripts(self)
        self._builtins = Builtins(self)
        self.parameters = Parameters(self)
        self._reading = Reading()
        self._answers: Memory[Asked, Answer] = Memory()

    @contextmanager
    def reading(self, assumed: Mapping[Entered, Frame] | None = None) -> Iterator[Reading]:
        """Begin a reading, in which functions are taken to be entered as `assumed` says."""
        outer = self._reading
        self._reading = Reading(assumed or {}, outer)
        try:
            yield self._reading
        finally:
            self._reading = outer

    def forget(self) -> None:
        """Let go of everything that was followed: trees are freed without a search for what goes in circles."""
        self.members.forget()
        vars(self).clear()

    @property
    def current(self) -> Reading:
        """The reading at hand."""
        return self._reading

    def meanings(self, scope: Scope, node: ast.expr, depth: int = _DEPTH) -> list[Meaning]:
        """Return everything that an expression can mean, each once; never empty."""
        check_time()
        reading = self._reading
        key = scope.module, scope.frame, node, reading.enters
        remembered = self._remembered(reading, key)
        if remembered is not None:
            return remembered
        if depth <= 0 or reading.is_spent():
            reading.meet(reading.active.get(key, 0))
            return [Unread("it is bound in a circle", Cause.REBOUND)]
        return self._followed(reading, key, lambda: self._meanings(scope, node, depth))

    def attribute_of(
        self, owner: Instance, attribute: str, follow: Callable[[], Iterable[Meaning]]
    ) -> list[Meaning]:
        """Return what an attribute of an instance means, gone through once, wherever it is asked for.

        :param follow: goes through it.
        """
        reading = self._reading
        key = owner, attribute, reading.enters
        remembered = self._remembered(reading, key)
        return self._followed(reading, key, follow) if remembered is None else remembered

    def _followed(
        self,
        reading: Reading,
        asked: Asked,
        follow: Callable[[], Iterable[Meaning]],
    ) -> list[Meaning]:
        """What is asked, gone through, and remembered as far as the answer holds."""
        if asked in reading.active:
            reading.meet(reading.active[asked])
            return [Unread("it is bound in a circle", Cause.REBOUND)]
        before, reading.circle = reading.circle, None
        dropped, reading.drops_none = reading.drops_none, False
        reading.active[asked] = len(reading.active)
        mark = reading.mark()
        found = list(dict.fromkeys(follow()))
        answer = Answer(found, reading.drops_none)
        reading.drops_none = answer.is_optional or dropped
        if mark.own != reading.own:
            reading.finish(asked, answer, before)
            return found
        del reading.active[asked]
        reading.circle = before
        self._answers.keep(reading, asked, answer, mark)
        return found

    def meanings_or_none(self, scope: Scope, node: ast.expr, depth: int = _DEPTH) -> list[Meaning]:
        """Return everything that an expression can mean, None included that is left out where it names nothing."""
        reading = self._reading
        dropped, reading.drops_none = reading.drops_none, False
        found = self.meanings(scope, node, depth)
        if reading.drops_none:
            found = [*found, Expression(scope, ast.Constant(None))]
        reading.drops_none = reading.drops_none or dropped
        return found

    def _remembered(self, reading: Reading, asked: Asked) -> list[Meaning] | None:
        """What an expression means, as far as it was gone through already; None: it was not."""
        kept = self._answers.recall(reading, asked)
        answer = reading.recalled(asked) if kept is None else kept.found
        if answer is None:
            return None
        reading.drops_none = reading.drops_none or answer.is_optional
        return answer.meanings

    def written(self, scope: Scope, node: ast.expr) -> list[Meaning]:
        """Return what an expression means as it is written: names are followed, functions are not entered."""
        self._reading.enters = False
        try:
            return self.meanings(scope, node)
        finally:
            self._reading.enters = True

    def _meanings(self, scope: Scope, node: ast.expr, depth: int) -> Iterable[Meaning]:
        match node:
            case ast.Name():
                return self._named(scope, node, depth - 1)
            case ast.Attribute():
                return self._attribute(scope, node, depth - 1)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                truth = self.branches.truth(scope, test)
                if truth is None:
                    truth = self.choices.truth(scope, node)
                branches = {True: [body], False: [orelse], None: [body, orelse]}[truth]
                return [m for e in branches for m in self.meanings(scope, e, depth - 1)]
            case ast.BoolOp(op=ast.Or(), values=values):
                return self.branches.first_true(scope, values, depth - 1)
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.meanings(scope, value, depth - 1)
            case ast.Subscript():
                return self._subscripts.item(scope, node, depth - 1)
            case ast.Call():
                return self._called(scope, node, depth - 1)
        return [Expression(scope, node)]

    # -- names

    def _named(
        self, scope: Scope, node: ast.Name, depth: int, attribute: str | None = None
    ) -> list[Meaning]:
        name = node.id
        bindings = bindings_at(scope.module, name, node)
        found = [
            m
            for b in bindings
            for m in (
                self.parameters.meaning(scope, b, depth, attribute)
                if isinstance(b, Parameter)
                else self.bound(scope, name, b, depth)
            )
        ]
        if found:
            return self._imports.unless_hidden(scope.module, name, bindings, found)
        return self._imports.starred(scope.module, name, depth)

    def is_builtin(self, scope: Scope, node: ast.expr, name: str) -> bool:
        """Return whether an expression is a name that nothing binds: one of Python's own functions."""
        named = isinstance(node, ast.Name) and node.id == name
        return named and not bindings_at(scope.module, name, node)

    def bound(self, scope: Scope, name: str, binding: Binding, depth: int) -> list[Meaning]:
        match binding:
            case Assigned():
                return self._assigned(scope, name, binding, depth)
            case Unread():
                return [binding]
            case SetElsewhere():
                return [Unread(f"{name} is set from another scope", Cause.REBOUND)]
            case Defined(ast.ClassDef() as node):
                return [Class(scope.module, node)]
            case Defined(ast.FunctionDef() | ast.AsyncFunctionDef() as function):
                return [Function(scope.around(function), function)]
            case Imported():
                return self._imports.imported(scope.module, binding, depth)
            case Parameter():
                return self.parameters.meaning(scope, binding, depth)
            case Unpacked():
                return self._subscripts.unpacked(scope.around(binding.value), binding, depth)
            case Looped():
                return self.parameters.in_round(scope, binding, depth)
        raise AssertionError(binding)

    def _assigned(self, scope: Scope, name: str, binding: Assigned, depth: int) -> list[Meaning]:
        value = binding.value
        if isinstance(value, ast.AugAssign):
            return [Expression(scope.around(value), value)]
        if is_changed(scope.module, name, value, self.elsewhere):
            return [Unread(f"{name} is changed after it is set", Cause.REBOUND)]
        return self.meanings(scope.around(value), value, depth)

    # -- attributes

    def _attribute(self, scope: Scope, node: ast.Attribute, depth: int) -> list[Meaning]:
        owners = (
            self._named(scope, node.value, depth, None if node.attr == "__class__" else node.attr)
            if isinstance(node.value, ast.Name)
            else self.meanings(scope, node.value, depth)
        )
        return [m for o in owners for m in self._member(scope, node, o, depth)]

    def _member(
        self, scope: Scope, node: ast.Attribute, owner: Meaning, depth: int
    ) -> list[Meaning]:
        found: list[Meaning] | None = None
        match owner:
            case External(dotted):
                return [External(f"{dotted}.{node.attr}")]
            case File(file):
                if self.members.rebinding.is_set_on(owner, node.attr, (scope.module, file)):
                    return [Unread(f"{node.attr} is changed after it is set", Cause.REBOUND)]
                found = self._imports.of_file(file, node.attr, depth)
                stem = file.path.rpartition("/")[2].removesuffix(".py")
                if is_stated(found) and self.elsewhere.sets(file.path, stem, node.attr):
                    return [Unread(f"{node.attr} is set from another file", Cause.REBOUND)]
                return found
            case Class() if not owner.is_enumeration:
                found = self.members.of_class(scope, node, owner, depth)
            case Instance():
                found = self.members.of_instance(scope, node, owner, depth)
            case Super():
                found = self.members.of_super(scope, node, owner, depth)
            case Expression(at, ast.Attribute() as member) if node.attr == "value":
                of = self.enumerations.of_member(at, member, depth)
                found = None if of is None else self.enumerations.value(of, member.attr, depth)
        # a runtime attribute or a mapped column: left to the caller, which knows the models
        return [Expression(scope, node)] if found is None else found

    # -- calls

    def _called(self, scope: Scope, node: ast.Call, depth: int) -> list[Meaning]:
        if not self._reading.enters:
            is_cast = self.meanings(scope, node.func, depth) == [External("typing.cast")]
            return (
                self.meanings(scope, node.args[-1], depth) if is_cast else [Expression(scope, node)]
            )
        special = self._builtins.call(scope, node, depth) or self._subscripts.got(
            scope, node, depth
        )
        if special is not None:
            return special
        found: list[Meaning] = []
        for function in self.meanings(scope, node.func, depth):
            result: list[Meaning] | None = None
            match function:
                case Function():
                    result = self.functions.result(scope, node, function, depth)
                case Class() if not function.is_enumeration:
                    result = [Instance(function, Origin.MADE, Argument(scope, node))]
                case External("functools.partial") if node.args:
                    result = self.functions.partial(scope, node, depth)
                case External("typing.cast" | "typing_extensions.cast") if node.args:
                    result = self.meanings(scope, node.args[-1], depth)
            found += [Expression(scope, node)] if result is None else result
        return found
