"""What an imported name leads to: another file, or something known by its full name only."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .bindings import bindings_in
from .modules import is_external
from .scope import Scope
from .values import External, File

if TYPE_CHECKING:
    from collections.abc import Callable

    from .binding import Binding, Imported
    from .module import Module
    from .modules import Modules
    from .values import Meaning

__all__ = ["Imports"]


class Imports:
    """Follows imports into files."""

    def __init__(
        self, modules: Modules, bound: Callable[[Scope, str, Binding, int], list[Meaning]]
    ) -> None:
        """Nothing is followed yet.

        :param bound: what a binding in another file means.
        """
        self._modules = modules
        self._bound = bound

    def imported(self, module: Module, binding: Imported, depth: int) -> list[Meaning]:
        """Return what an import binds its name to."""
        dotted, name = binding.module, binding.name
        full = dotted if name is None else f"{dotted}.{name}"
        if binding.level == 0 and is_external(dotted):
            return [External(full)]
        file = self._file(module, dotted, binding.level)
        if name is None:
            return [External(dotted) if file is None else File(file)]
        if file is not None:
            return self.of_file(file, name, depth)
        submodule = self._file(module, f"{dotted}.{name}" if dotted else name, binding.level)
        return [External(full) if submodule is None else File(submodule)]

    def of_file(self, module: Module, name: str, depth: int) -> list[Meaning]:
        """Return what a name means at the end of a module, or the package's submodule of that name."""
        if depth == 0:
            return [Unread("it is imported in a circle", Cause.REBOUND)]
        bindings = bindings_in(module, module.tree, name)
        found = [m for b in bindings for m in self._bound(Scope(module), name, b, depth - 1)]
        if found:
            return found
        if module.is_package and (submodule := self._file(module, name, 1)) is not None:
            return [File(submodule)]
        return self.starred(module, name, depth)

    def starred(self, module: Module, name: str, depth: int) -> list[Meaning]:
        """Return what a name means that nothing binds: one of a star import, or a builtin."""
        starred = _star_imports(module)
        for statement in reversed(starred):
            dotted = statement.module or ""
            if statement.level == 0 and is_external(dotted):
                continue
            file = self._file(module, dotted, statement.level)
            if file is None or depth == 0:
                return [Unread(f"{name} may come with the star import from {dotted or '.'}")]
            if self._may_give(file, name, {module.path}):
                return self.of_file(file, name, depth - 1)
        if starred:
            return [External(f"{starred[-1].module}.{name}")]
        return [Unread(f"{name} is not defined in {module.name}")]

    def _may_give(self, module: Module, name: str, asked: set[str]) -> bool:
        """Whether a star import of a module may bind a name.

        :param asked: the paths of those that are asked already: star imports go in circles.
        """
        asked.add(module.path)
        if bindings_in(module, module.tree, name):
            return True
        if module.is_package and self._file(module, name, 1) is not None:
            return True
        for statement in _star_imports(module):
            dotted = statement.module or ""
            if statement.level == 0 and is_external(dotted):
                continue
            file = self._file(module, dotted, statement.level)
            if file is None or (file.path not in asked and self._may_give(file, name, asked)):
                return True
        return False

    def _file(self, importer: Module, dotted: str, level: int) -> Module | None:
        path = self._modules.imported(importer, dotted, level)
        return None if path is None else self._modules.at(path)


def _star_imports(module: Module) -> list[ast.ImportFrom]:
    return [
        statement
        for statement in module.tree.body
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
    ]
