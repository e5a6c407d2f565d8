"""How one file leads to another: imports, re-exports, aliases of paths, packages of a workspace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .bindings import BindingKind
from .module import SUFFIXES, Module
from .nodes import key_of, string_in, text_of
from .workspace import Workspaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

__all__ = ["Modules"]

_FOR_JAVASCRIPT = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
"""What TypeScript's files are imported as."""
_GUESSED = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
"""The suffixes that an import may leave out."""


class Modules:
    """The files that imports were followed into, each parsed once."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        """Nothing is read yet.

        :param read: the bytes of a file; None: there is none, or it is not to be read.
        """
        self._read = read
        self._parsed: dict[str, Module | None] = {}
        self._workspaces = Workspaces(read)

    def add(self, module: Module) -> None:
        """Keep a module that was parsed already."""
        self._parsed[module.path] = module

    def at(self, path: str) -> Module | None:
        """Return the module of a file; None: it is not to be read."""
        path = os.path.realpath(path)
        if path not in self._parsed:
            self._parsed[path] = None  # a file that imports itself in a circle
            source = self._read(path)
            if source is not None:
                self._parsed[path] = Module(path, source)
        return self._parsed[path]

    def text(self, path: str) -> str | None:
        """Return what a file that is no module holds; None: there is none."""
        source = self._read(path)
        return None if source is None else source.decode(errors="replace")

    def imported(self, importer: Module, source: str) -> Module | None:
        """Return the file that is imported; None: it is a package's, or not found."""
        folder = Path(importer.path).parent
        if source.startswith("."):
            candidates = [folder / source]
        elif source.startswith("/"):
            return None
        else:
            candidates = self._workspaces.candidates(folder, source)
        for candidate in candidates:
            path = _file(candidate)
            if path is not None:
                return self.at(str(path))
        return None

    def exporting(
        self, module: Module, name: str, visited: frozenset[str] = frozenset()
    ) -> tuple[Module, Node | None] | None:
        """Return the file and the node that an exported name stands for, re-exports followed; None: it is not found.

        A node of None is the file itself: ``export * as schema from './schema'``.
        """
        if module.path in visited:
            return None
        visited |= {module.path}
        stars: list[str] = []
        for statement in _statements(module):
            source = _source(statement)
            for exported, local in _exports(statement):
                if exported != name:
                    continue
                if source is None:
                    return None if local is None else self._local(module, local, visited)
                origin = self.imported(module, source)
                if origin is None:
                    return None
                if local is None:
                    return origin, None
                return self.exporting(origin, text_of(local), visited)
            if source is not None and any(text_of(child) == "*" for child in statement.children):
                stars.append(source)
        found = [
            each
            for star in stars
            if name != "default"
            and (origin := self.imported(module, star)) is not None
            and (each := self.exporting(origin, name, visited)) is not None
        ]
        return found[0] if len(found) == 1 else None

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


def _file(stem: Path) -> Path | None:
    """The file that a path without its suffix, or of a folder, means."""
    candidates = [stem] if stem.suffix in SUFFIXES else []
    candidates += [stem.with_suffix(suffix) for suffix in _FOR_JAVASCRIPT.get(stem.suffix, ())]
    candidates += [Path(f"{stem}{suffix}") for suffix in _GUESSED]
    candidates += [stem / f"index{suffix}" for suffix in _GUESSED]
    return next((path for path in candidates if _is_file(path)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no path can have that name
        return False


def _statements(module: Module) -> Iterator[Node]:
    for node in module.root.named_children:
        if node.type == "export_statement" or (
            node.type == "expression_statement" and b"exports" in (node.text or b"")[:40]
        ):
            yield node


def _source(statement: Node) -> str | None:
    source = statement.child_by_field_name("source")
    return None if source is None else string_in(source)


def _exports(statement: Node) -> Iterator[tuple[str, Node | None]]:
    """The names that a statement exports, each with what it stands for; None: a module."""
    if statement.type == "expression_statement":
        yield from _common_exports(statement)
        return
    declaration = statement.child_by_field_name("declaration")
    is_default = any(child.type == "default" for child in statement.children)
    value = statement.child_by_field_name("value")
    if value is not None:
        yield "default", value
    if declaration is not None:
        for declared in _declared(declaration):
            yield ("default" if is_default else text_of(declared)), declared
    for clause in statement.named_children:
        if clause.type == "namespace_export":
            yield text_of(clause.named_children[0]), None
        if clause.type == "export_clause":
            for specifier in clause.named_children:
                name = specifier.child_by_field_name("name")
                if name is not None:
                    yield text_of(specifier.child_by_field_name("alias") or name), name


def _declared(declaration: Node) -> Iterator[Node]:
    if declaration.type in ("lexical_declaration", "variable_declaration"):
        for declarator in declaration.named_children:
            name = declarator.child_by_field_name("name")
            if name is not None and name.type == "identifier":
                yield name
            elif name is not None and name.type == "object_pattern":
                for part in name.named_children:
                    yield part.child_by_field_name("value") or part
        return
    name = declaration.child_by_field_name("name")
    if name is not None:
        yield name


def _common_exports(statement: Node) -> Iterator[tuple[str, Node | None]]:
    """``module.exports = { a, b }``, ``exports.a = x``."""
    assignment = statement.named_children[0] if statement.named_children else None
    if assignment is None or assignment.type != "assignment_expression":
        return
    left, right = assignment.child_by_field_name("left"), assignment.child_by_field_name("right")
    if left is None or right is None:
        return
    said = text_of(left)
    if said == "module.exports":
        yield "*", right
        if right.type == "object":
            for part in right.named_children:
                key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
                if part.type == "shorthand_property_identifier":
                    yield text_of(part), part
                elif key is not None and value is not None and (name := key_of(key)) is not None:
                    yield name, value
    elif said.startswith(("exports.", "module.exports.")):
        yield said.rpartition(".")[2], right
