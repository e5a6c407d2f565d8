"""How one file leads to another: imports, re-exports, aliases of paths, packages of a workspace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .bindings import BindingKind
from .exports import Export, Exports, exports_of
from .module import Module
from .nodes import text_of
from .suffixes import SUFFIXES
from .workspace import Workspaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from ..source_tree import SourceTree

__all__ = ["Modules"]

_FOR_JAVASCRIPT = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
"""What TypeScript's files are imported as."""
_GUESSED = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
"""The suffixes that an import may leave out."""


class Modules:
    """The files that imports were followed into, each parsed once."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is read yet.

        :param tree: where files are looked for.
        """
        self._tree = tree
        self._parsed: dict[str, Module | None] = {}
        self._workspaces = Workspaces(tree)
        self._exports: dict[str, Exports] = {}
        self._found: dict[tuple[Path, str], str | None] = {}

    def add(self, module: Module) -> None:
        """Keep a module that was parsed already."""
        self._parsed[module.path] = module

    def parsed(self, path: str) -> Module | None:
        """Return the module of a file that was parsed for another one, by its real path; None: it was not."""
        return self._parsed.get(path)

    def at(self, path: str) -> Module | None:
        """Return the module of a file by its real path; None: it is not to be read."""
        if path not in self._parsed:
            self._parsed[path] = None  # a file that imports itself in a circle
            source = self._tree.read(path)
            if source is not None:
                self._parsed[path] = Module(path, source, self._tree.asked_for(path))
        return self._parsed[path]

    def at_shown(self, path: str) -> Module | None:
        """Return the module of a file of the scan, as it was asked for; None: it is not to be read."""
        return self.at(os.path.realpath(path))

    def mentioning(self, words: str) -> Iterator[Module]:
        """Return the files of the scan that have some words in them."""
        for path in self._tree.files_mentioning(words.encode(), SUFFIXES):
            module = self.at_shown(path)
            if module is not None:
                yield module

    def imported(self, importer: Module, source: str) -> Module | None:
        """Return the file that is imported; None: it is a package's, or not found."""
        path = self._path(importer, source)
        return None if path is None else self.at(path)

    def _path(self, importer: Module, source: str) -> str | None:
        folder = Path(importer.path).parent
        if (folder, source) not in self._found:
            if source.startswith("."):
                candidates = [folder / source]
            else:
                candidates = (
                    [] if source.startswith("/") else self._workspaces.candidates(folder, source)
                )
            guesses = (guess for candidate in candidates for guess in _guesses(candidate))
            path = next((guess for guess in guesses if self._tree.is_file(str(guess))), None)
            self._found[folder, source] = None if path is None else os.path.realpath(path)
        return self._found[folder, source]

    def exporting(
        self, module: Module, name: str, visited: frozenset[str] = frozenset()
    ) -> tuple[Module, Node | None] | None:
        """Return the file and the node that an exported name stands for, re-exports followed; None: it is not found.

        A node of None is the file itself: ``export * as schema from './schema'``.
        """
        if module.path in visited:
            return None
        visited |= {module.path}
        exports = self._exports_of(module)
        export = exports.named.get(name)
        if export is not None:
            return self._exported(module, export, visited)
        found = [
            each
            for star in exports.stars
            if name not in ("default", "*")
            and (origin := self.imported(module, star)) is not None
            and (each := self.exporting(origin, name, visited)) is not None
        ]
        return found[0] if len(found) == 1 else None

    def _exports_of(self, module: Module) -> Exports:
        if module.path not in self._exports:
            self._exports[module.path] = exports_of(module)
        return self._exports[module.path]

    def _exported(
        self, module: Module, export: Export, visited: frozenset[str]
    ) -> tuple[Module, Node | None] | None:
        if export.source is None:
            return None if export.local is None else self._local(module, export.local, visited)
        origin = self.imported(module, export.source)
        if origin is None or export.local is None:
            return None if origin is None else (origin, None)
        return self.exporting(origin, text_of(export.local), visited)

    def _local(
        self, module: Module, local: Node, visited: frozenset[str]
    ) -> tuple[Module, Node | None] | None:
        """What a name at the top of a file leads to, where that is an import of another file."""
        if local.type != "identifier":
            return module, local
        binding = module.top_level(text_of(local))
        if binding is None or binding.kind is not BindingKind.IMPORT:
            return module, local
        origin = self.imported(module, binding.source)
        if origin is None:
            return module, local
        if binding.name == "*":
            return origin, None
        return self.exporting(origin, binding.name, visited)


def _guesses(stem: Path) -> Iterator[Path]:
    """The files that a path without its suffix, or of a folder, may mean."""
    if stem.suffix in SUFFIXES:
        yield stem
    yield from (stem.with_suffix(suffix) for suffix in _FOR_JAVASCRIPT.get(stem.suffix, ()))
    yield from (Path(f"{stem}{suffix}") for suffix in _GUESSED)
    yield from (stem / f"index{suffix}" for suffix in _GUESSED)
