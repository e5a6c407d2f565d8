"""What an imported name leads to: another file, or something known by its full name only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .bindings import bindings_in
from .modules import is_external
from .scope import Scope
from .stars import Stars
from .values import External, File

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
        self._stars = Stars(self._file)

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
            return self.unless_hidden(module, name, bindings, found)
        if module.is_package and (submodule := self._file(module, name, 1)) is not None:
            return [File(submodule)]
        return self.starred(module, name, depth)

    def unless_hidden(
        self, module: Module, name: str, bindings: Sequence[Binding], found: list[Meaning]
    ) -> list[Meaning]:
        """Return what bindings mean, unless a star import further down in the module may bind the name again."""
        if not self._stars.of(module) or bindings[0] not in bindings_in(module, module.tree, name):
            return found
        if self._stars.hides(module, name):
            return [Unread(f"{name} may come with a star import after it is set", Cause.REBOUND)]
        return found

    def starred(self, module: Module, name: str, depth: int) -> list[Meaning]:
        """Return what a name means that nothing binds: one of a star import, or a builtin."""
        starred = self._stars.of(module)
        for star in reversed(starred):
            if star.is_external:
                continue
            file = self._stars.file(module, star)
            is_given = file is not None and self._stars.may_give(file, name, {module.path})
            if file is None or depth == 0 or (is_given and not star.is_certain):
                said = star.module or "."
                return [Unread(f"{name} may come with the star import from {said}")]
            if is_given:
                return self.of_file(file, name, depth - 1)
        if starred:
            return [External(f"{starred[-1].module}.{name}")]
        return [Unread(f"{name} is not defined in {module.name}")]

    def _file(self, importer: Module, dotted: str, level: int) -> Module | None:
        path = self._modules.imported(importer, dotted, level)
        return None if path is None else self._modules.at(path)
