"""The classes of a tree that inherit from one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .scope import Scope
from .values import Class

if TYPE_CHECKING:
    from .homes import Homes
    from .meaning import Names
    from .modules import Modules

__all__ = ["Heirs"]


class Heirs:
    """Finds subclasses."""

    def __init__(self, modules: Modules, homes: Homes) -> None:
        """Nothing is found yet."""
        self._modules = modules
        self._homes = homes
        self._known: dict[Class, tuple[Class, ...]] = {}
        self._unfinished: set[Class] = set()
        self.names: Names | None = None
        """Set once, by what follows names: each needs the other."""

    def of(self, ancestor: Class) -> tuple[Class, ...]:
        """Return every class that inherits from one, itself left out, in the order of files and lines."""
        if ancestor in self._unfinished and self.names is not None:
            self.names.current.meet_unfinished()
        if ancestor not in self._known:
            self._known[ancestor] = ()  # a class that inherits from itself in a circle
            self._unfinished.add(ancestor)
            direct = dict.fromkeys(self._direct(ancestor))
            below = [heir for child in direct for heir in (child, *self.of(child))]
            self._known[ancestor] = tuple(dict.fromkeys(below))
            self._unfinished.remove(ancestor)
        return self._known[ancestor]

    def _direct(self, ancestor: Class) -> list[Class]:
        name = ancestor.node.name
        key = (ancestor.module.path, ancestor.qualname, ancestor.node.lineno)
        paths = self._homes.of_heirs(key, name)
        found = {path: self._in_file(path, ancestor) for path in paths or ()}
        if paths is not None:
            self._homes.keep(key, name, [path for path, heirs in found.items() if heirs])
        return [heir for heirs in found.values() for heir in heirs]

    def _in_file(self, path: str, ancestor: Class) -> list[Class]:
        module = self._modules.at(path)
        if module is None or self.names is None:
            return []
        found: list[Class] = []
        for node in module.near([ancestor.node.name]):
            if isinstance(node, ast.ClassDef) and node.bases and node is not ancestor.node:
                with self.names.reading():
                    bases = [m for b in node.bases for m in self.names.meanings(Scope(module), b)]
                if ancestor in bases:
                    found.append(Class(module, node))
        return found
