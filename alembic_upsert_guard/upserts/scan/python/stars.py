"""Star imports: which names they bind, and where they bind one again that the file binds itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .binding import Assigned, always_binds
from .bindings import bindings_in
from .modules import is_external

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .module import Module

__all__ = ["Star", "Stars"]


class Star:
    """One star import at the top of a module, or in a block there."""

    def __init__(self, statement: ast.ImportFrom, *, is_certain: bool) -> None:
        """Take it as it is written.

        :param is_certain: whether it runs whenever its module is imported.
        """
        self.module = statement.module or ""
        self.level = statement.level
        self.is_certain = is_certain

    @property
    def is_external(self) -> bool:
        """Whether it is of a package that is known by name."""
        return self.level == 0 and is_external(self.module)


class Stars:
    """Tells what star imports bind."""

    def __init__(self, file_of: Callable[[Module, str, int], Module | None]) -> None:
        """Nothing is asked yet.

        :param file_of: the file that an import in a module leads to.
        """
        self._file_of = file_of
        self._hidden: dict[tuple[str, str], bool] = {}
        """By the path of a module, and the name."""
        self._found: dict[str, list[Star]] = {}

    def of(self, module: Module) -> list[Star]:
        """Return the star imports of a module, in their order."""
        if module.path not in self._found:
            self._found[module.path] = list(_stars_in(module.tree.body))
        return self._found[module.path]

    def file(self, importer: Module, star: Star) -> Module | None:
        """Return the file whose names a star import binds; None: it is not found."""
        return self._file_of(importer, star.module, star.level)

    def may_give(self, module: Module, name: str, asked: set[str] | None = None) -> bool:
        """Return whether a star import of a module may bind a name.

        :param asked: the paths of those that are asked already: star imports go in circles.
        """
        asked = set() if asked is None else asked
        asked.add(module.path)
        if not _lets_out(module, name):
            return False
        if bindings_in(module, module.tree, name):
            return True
        if module.is_package and self._file_of(module, name, 1) is not None:
            return True
        for star in self.of(module):
            if star.is_external:
                continue
            file = self.file(module, star)
            if file is None or (file.path not in asked and self.may_give(file, name, asked)):
                return True
        return False

    def hides(self, module: Module, name: str) -> bool:
        """Return whether a star import may bind a name again that a module binds itself, and does before."""
        key = module.path, name
        if key not in self._hidden:
            self._hidden[key] = self._may_hide(module, name)
        return self._hidden[key]

    def _may_hide(self, module: Module, name: str) -> bool:
        for statement in reversed(module.tree.body):
            for star in _stars_in([statement]):
                # one whose file is not found binds other names, as far as anybody can tell
                file = None if star.is_external else self.file(module, star)
                if file is not None and self.may_give(file, name, {module.path}):
                    return True
            if always_binds(statement, name):
                return False
        return False


def _stars_in(block: Sequence[ast.stmt], *, is_certain: bool = True) -> Iterator[Star]:
    for statement in block:
        match statement:
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                yield Star(statement, is_certain=is_certain)
            case ast.If(body=body, orelse=orelse):
                yield from _stars_in([*body, *orelse], is_certain=False)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                caught = [each for handler in handlers for each in handler.body]
                yield from _stars_in([*body, *caught, *orelse, *final], is_certain=False)
            case ast.With(body=body):
                yield from _stars_in(body, is_certain=False)


def _lets_out(module: Module, name: str) -> bool:
    """Whether a star import takes a name, where the module has it: ``__all__`` says which."""
    match bindings_in(module, module.tree, "__all__"):
        case []:
            return not name.startswith("_")
        case [Assigned(ast.List(elts=stated) | ast.Tuple(elts=stated))] if not module.changes(
            "__all__"
        ):
            listed = [each.value for each in stated if isinstance(each, ast.Constant)]
            return len(listed) < len(stated) or name in listed
    return True
