"""The classes of a tree that inherit from one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Protocol

from .scope import Scope
from .values import Class

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .meaning import Names
    from .module import Module, Modules

__all__ = ["Heirs", "SourceTree"]

_FILES = 400
"""Files that may mention a name, at most: a name that more mention says nothing."""


class SourceTree(Protocol):
    """The files that are scanned."""

    def files_mentioning(self, word: bytes) -> Iterable[str]:
        """Return the paths of the Python files whose bytes hold a word, as they were asked for, in a fixed order."""


class Heirs:
    """Finds subclasses."""

    def __init__(self, modules: Modules, tree: SourceTree) -> None:
        """Nothing is found yet."""
        self._modules = modules
        self._tree = tree
        self._known: dict[Class, tuple[Class, ...]] = {}
        self._mentioning: dict[str, tuple[Module, ...] | None] = {}
        self.names: Names | None = None
        """Set once, by what follows names: each needs the other."""

    def mentioning(self, word: str) -> tuple[Module, ...] | None:
        """Return the files that a name is written in; None: too many."""
        if word not in self._mentioning:
            found: list[Module] = []
            for path in self._tree.files_mentioning(word.encode()):
                module = self._modules.asked_for(path)
                if module is not None:
                    found.append(module)
                if len(found) > _FILES:
                    self._mentioning[word] = None
                    break
            else:
                self._mentioning[word] = tuple(found)
        return self._mentioning[word]

    def of(self, ancestor: Class) -> tuple[Class, ...]:
        """Return every class that inherits from one, itself left out, in the order of files and lines."""
        if ancestor not in self._known:
            self._known[ancestor] = ()  # a class that inherits from itself in a circle
            direct = dict.fromkeys(self._direct(ancestor))
            below = [heir for child in direct for heir in (child, *self.of(child))]
            self._known[ancestor] = tuple(dict.fromkeys(below))
        return self._known[ancestor]

    def _direct(self, ancestor: Class) -> Iterator[Class]:
        names = self.names
        if names is None:
            return
        for module in self.mentioning(ancestor.node.name) or ():
            for node in module.nodes:
                if isinstance(node, ast.ClassDef) and node.bases and node is not ancestor.node:
                    with names.reading():
                        bases = [m for b in node.bases for m in names.meanings(Scope(module), b)]
                    if ancestor in bases:
                        yield Class(module, node)
