"""The files that imports lead to, each parsed once, and how one leads to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .module import Module

if TYPE_CHECKING:
    from pathlib import Path

    from ..source_tree import SourceTree

__all__ = ["Modules", "is_external"]

_EXTERNAL = ("sqlalchemy", "sqlmodel", "alembic_upsert_guard", "django")
"""Packages whose names mean something here: they are never followed into their files."""


def is_external(dotted: str) -> bool:
    """Return whether a dotted name is one of a package that is known by name."""
    return dotted.partition(".")[0] in _EXTERNAL


_KEPT = 3 * 1024 * 1024
"""Bytes of source whose trees are kept for the next file; a tree takes some fifty times as many."""


class Modules:
    """The files that imports were followed into, each read once."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is read yet."""
        self._tree = tree
        self._parsed: dict[str, Module | None] = {}
        """Those last asked for last."""
        self._imported: dict[tuple[Path, str, int], str | None] = {}
        """By the importer's folder, and as it is written."""

    def begin(self, module: Module) -> None:
        """Take up a module that was parsed already, and forget those that were not asked for lately.

        None is forgotten before the next one is begun: what one reading finds in a file is in one tree of it.
        """
        kept, size = {}, 0
        for path, each in reversed(self._parsed.items()):
            size += 0 if each is None else each.size
            if size > _KEPT:
                break
            kept[path] = each
        self._parsed = {**dict(reversed(kept.items())), module.path: module}

    def real_path(self, path: str) -> str:
        """Return where a path leads, as it was when it was first asked for."""
        return self._tree.real_path(path)

    def known(self, path: str) -> Module | None:
        """Return what was parsed of a file; None: nothing.

        :param path: the real path.
        """
        return self._parsed.get(path)

    def at(self, path: str) -> Module | None:
        """Return the module of a file; None: it cannot be read or parsed."""
        path = self.real_path(path)
        if path in self._parsed:
            self._parsed[path] = module = self._parsed.pop(path)
            return module
        self._parsed[path] = None  # a file that imports itself in a circle
        self._parsed[path] = module = self._parse(path)
        return module

    def _parse(self, path: str) -> Module | None:
        source = self._tree.read(path)
        if source is None:
            return None
        try:
            return Module(path, source, self._tree.asked_for(path))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def is_file(self, path: Path) -> bool:
        """Return whether there is a file, as it was when it was first asked for."""
        return self._tree.is_file(str(path))

    def mentioning(self, word: bytes) -> tuple[str, ...]:
        """Return the real paths of the Python files of the scan that have a word in them."""
        return tuple(self.real_path(path) for path in self._tree.files_mentioning(word))

    def bytes_of(self, path: str) -> bytes:
        """Return the bytes of a file of the scan; empty: it cannot be read."""
        return self._tree.bytes_of(self._tree.asked_for(path))

    def imported(self, importer: Module, dotted: str, level: int) -> str | None:
        """Return the file that an import reads; None: there is none among the folders above the importer.

        :param dotted: the module's name; empty in ``from . import x``.
        :param level: the number of leading dots; 0: an absolute import, looked for in each folder above, nearest
         first, as Python finds it where that folder is on its path.
        """
        key = importer.folder, dotted, level
        if key not in self._imported:
            self._imported[key] = self._find(*key)
        return self._imported[key]

    def _find(self, folder: Path, dotted: str, level: int) -> str | None:
        parts = dotted.split(".") if dotted else []
        if level:
            above = [folder, *folder.parents]
            return self._file(above[level - 1], parts) if level <= len(above) else None
        for candidate in (folder, *folder.parents):
            # inside a package only relative imports look
            if not self._tree.is_file(str(candidate / "__init__.py")):
                found = self._file(candidate, parts)
                if found is not None:
                    return found
        return None

    def _file(self, folder: Path, parts: list[str]) -> str | None:
        stem = folder.joinpath(*parts)
        for path in (stem / "__init__.py", stem.with_name(f"{stem.name}.py")):
            if self._tree.is_file(str(path)):
                return str(path)
        return None
