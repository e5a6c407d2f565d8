"""Attributes that are set from outside of their class: ``Store.KEY = x``, ``keys.KEY = x``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Unread
from .scope import Scope
from .values import Class, Expression, File, Instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .meaning import Names
    from .members import Members
    from .module import Module
    from .values import Meaning

__all__ = ["Rebinding"]


class Rebinding:
    """Looks for assignments to attributes, in the file that defines the class and in the one that asks."""

    def __init__(self, names: Names, members: Members) -> None:
        """Nothing is looked for yet."""
        self._names = names
        self._members = members
        self._targets: dict[tuple[Module, str, bool], list[Meaning]] = {}
        self._unfinished: set[tuple[Module, str, bool]] = set()

    def is_set_on(self, owner: Class | File, attribute: str, modules: Iterable[Module]) -> bool:
        """Return whether an attribute is set on the class or the module itself: ``Store.KEY = x``."""
        inherited = {owner} if isinstance(owner, File) else {*self._members.lineage(owner)}
        return any(m in inherited for m in self._set_on(attribute, modules))

    def may_be_set_on(
        self, owner: Class | Instance, attribute: str, modules: Iterable[Module]
    ) -> bool:
        """Return whether an attribute is set on something that may be the class, or the instance.

        An instance is not its class: what is set on ``self`` leaves the class as it is.
        """
        of = owner.of if isinstance(owner, Instance) else owner
        for target in self._set_on(attribute, modules, but_self=isinstance(owner, Instance)):
            match target:
                case Unread() | Expression(_, ast.Attribute() | ast.Call(func=ast.Name("type"))):
                    return True
                case Class():
                    if target in self._members.lineage(of):
                        return True
                case Instance(other) if isinstance(owner, Instance):
                    if other in self._members.lineage(of) or of in self._members.lineage(other):
                        return True
        return False

    def _set_on(
        self, attribute: str, modules: Iterable[Module], *, but_self: bool = False
    ) -> list[Meaning]:
        return [
            m
            for module in dict.fromkeys(modules)
            for m in self._set_in(module, attribute, but_self)
        ]

    def _set_in(self, module: Module, attribute: str, but_self: bool) -> list[Meaning]:
        key = (module, attribute, but_self)
        if key in self._unfinished:
            self._names.current.meet_unfinished()
        if key not in self._targets:
            found = self._targets[key] = []  # an attribute of an attribute of the same name
            self._unfinished.add(key)
            with self._names.reading():
                for owner in module.sets_on(attribute):
                    if not (but_self and self._members.construction.is_receiver(module, owner)):
                        found += self._names.meanings(Scope(module), owner)
            self._unfinished.remove(key)
        return self._targets[key]
