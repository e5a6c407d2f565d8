"""Parsed Python files, and how one leads to another by its imports."""

from __future__ import annotations

import ast
import re
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...upsert import Place
from .blocks import Blocks
from .changes import changed_by, filled_in_by, other_names
from .deferred import parsed_by_parts
from .nodes import Nodes, targets_of
from .word_lines import WordLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..source_tree import SourceTree
    from .binding import Binding

__all__ = ["Module", "Modules", "is_external"]

_EXTERNAL = ("sqlalchemy", "sqlmodel", "alembic_upsert_guard")
"""Packages whose names mean something here: they are never followed into their files."""


def is_external(dotted: str) -> bool:
    """Return whether a dotted name is one of a package that is known by name."""
    return dotted.partition(".")[0] in _EXTERNAL


_KEPT = 3 * 1024 * 1024
"""Bytes of source whose trees are kept for the next file; a tree takes some fifty times as many."""

_TARGET = 200
"""Bytes between ``for`` and the last name that it sets, at most."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Module:
    """One parsed file."""

    def __init__(
        self,
        path: str,
        source: bytes,
        shown_path: str | None = None,
        words: Iterable[str] | None = None,
    ) -> None:
        """Parse a file, but for the functions whose bodies are not needed yet.

        :param words: a function that has one of them is needed at once.
        :raises SyntaxError: see :func:`.parsed`, for this and what else is raised.
        """
        self.path = path
        """The real path."""
        self.shown_path = shown_path or path
        """As it was asked for."""
        self.source = source
        self._parsed: list[int] = []
        lines = WordLines(source)
        wanted = partial(lines.are_in, words or ())
        self.tree = parsed_by_parts(source, path, wanted, self._parsed.append)
        self._nodes = Nodes(self.tree, lines)
        self.blocks = Blocks(self._nodes)
        """Its lists of statements."""
        self.bindings_at: dict[tuple[ast.AST, str], list[Binding]] = {}
        self.bindings_in: dict[tuple[ast.AST, str], list[Binding]] = {}
        """What :mod:`.bindings` found, by the place or the scope, and the name."""
        self._changes: dict[str, bool] = {}

    @property
    def size(self) -> int:
        """How many bytes of the source were parsed up to now."""
        return sum(self._parsed)

    def place(self, line: int, whole: ast.expr | ast.stmt) -> Place:
        """Return the place of an upsert, under the path by which the file was asked for.

        :param whole: the call or the string that holds it, where a comment counts for it.
        """
        extent = whole.lineno, whole.end_lineno or whole.lineno
        return Place(path=self.shown_path, line=line, extent=extent)

    def near(self, words: Iterable[str]) -> list[ast.AST]:
        """Return the nodes of the statements that have one of `words`, in any case, on a line of theirs."""
        return self._nodes.near(words)

    def statements(self, word: str, root: ast.AST) -> Iterator[ast.stmt]:
        """Return the statements in a function that have a word; see :meth:`.Nodes.statements`."""
        return self._nodes.statements(word, root)

    def mentions(self, statement: ast.stmt, word: str) -> bool:
        """Return whether a statement has a word, in any case, on a line of its own."""
        return self._nodes.mentions(statement, word)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around `node`; None: it is the module."""
        return self._nodes.parent(node)

    def adopt(self, node: ast.expr, parent: ast.AST) -> None:
        """Take in an expression that the source has as text, in the place of the text."""
        self._nodes.adopt(node, parent)

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Return the nodes around `node`, from the inside out."""
        found = self.parent(node)
        while found is not None:
            yield found
            found = self.parent(found)

    @cached_property
    def lines(self) -> list[str]:
        """The source, line by line, as far as it decodes."""
        return self.source.decode(errors="replace").splitlines()

    def changes(self, name: str) -> bool:
        """Return whether the value of a name is changed in place: ``KEY.append(x)``, ``KEY[0] = x``, ``del KEY[0]``."""
        if name not in self._changes:
            near = self.near([name])
            self._changes[name] = any(name in changed_by(node) for node in near)
            if not self._changes[name]:
                others = [(each, node) for node in near for each in other_names(node, name)]
                self._changes[name] = any(self._changes_near(*other) for other in others)
        return self._changes[name]

    def _changes_near(self, name: str, at: ast.AST) -> bool:
        """Whether what a name is given there is changed by that name, in the same function or, at the top, anywhere."""
        inside = next((each for each in self.around(at) if isinstance(each, _FUNCTIONS)), None)
        return any(
            name in changed_by(node) or _adds_to(node, name)
            for node in self.near([name])
            if inside is None or inside in self.around(node)
        )

    def sets_on(self, attribute: str) -> list[ast.expr]:
        """Return what an attribute is set on: ``keys.KEY = x``, ``Store.KEY = x``, ``setattr(Store, "KEY", x)``."""
        if self._loops_over(attribute):
            nodes: Iterable[ast.AST] = self.near([attribute])
        else:
            nodes = (t for s in self._nodes.statements(attribute) for t in targets_of(s))
        found = [
            node.value
            for node in nodes
            if isinstance(node, ast.Attribute)
            and node.attr == attribute
            and isinstance(node.ctx, ast.Store | ast.Del)
        ]
        if b"setattr" in self.source:
            for node in self.near([attribute]):
                match node:
                    case ast.Call(ast.Name("setattr"), [owner, ast.Constant(value), _]):
                        found += [owner] if value == attribute else []
        return found

    def _loops_over(self, attribute: str) -> bool:
        """Whether a comprehension may set an attribute: ``for x.key in keys``, which nobody writes."""
        target = re.compile(re.escape(attribute.encode()) + rb"\b[\s\w.,()\[\]]{0,200}\bin\b")
        return not attribute.isascii() or any(
            b"for" in self.source[max(0, found.start() - _TARGET) : found.start()]
            for found in target.finditer(self.source)
        )

    def fills_in(self, name: str) -> bool:
        """Return whether something is put into the string of a name: ``SQL.format(x)``, ``SQL % x``."""
        return any(name in filled_in_by(node) for node in self.near([name]))

    @cached_property
    def set_by_global(self) -> frozenset[str]:
        """The module's names that a function sets."""
        near = self.near(["global ", "global\t", "global\\", "globals"])
        return frozenset(name for node in near for name in _set_in_module(node))

    @property
    def name(self) -> str:
        """The file's name, as it is shown."""
        return Path(self.path).name

    @cached_property
    def is_package(self) -> bool:
        """Whether the file is a package's ``__init__.py``."""
        return self.name == "__init__.py"


def _adds_to(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.AugAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == name
    )


def _set_in_module(node: ast.AST) -> list[str]:
    """``global KEY``, after which the function sets it, and ``globals()["KEY"] = x``."""
    match node:
        case ast.Global(names=names):
            return names
        case ast.Subscript(
            value=ast.Call(func=ast.Name("globals")), slice=ast.Constant(str(name)), ctx=ast.Store()
        ):
            return [name]
    return []


class Modules:
    """The files that imports were followed into, each read once."""

    def __init__(self, tree: SourceTree) -> None:
        """Nothing is read yet."""
        self._tree = tree
        self._parsed: dict[str, Module | None] = {}
        """Those last asked for last."""

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

    def at(self, path: str) -> Module | None:
        """Return the module of a file; None: it cannot be read or parsed."""
        path = str(Path(path).resolve())
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

    def imported(self, importer: Module, dotted: str, level: int) -> str | None:
        """Return the file that an import reads; None: there is none among the folders above the importer.

        :param dotted: the module's name; empty in ``from . import x``.
        :param level: the number of leading dots; 0: an absolute import, looked for in each folder above, nearest
         first, as Python finds it where that folder is on its path.
        """
        folder = Path(importer.path).parent
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
