"""One parsed Python file: what is on its lines, and around its nodes."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...upsert import Place
from .attribute_targets import attribute_targets
from .blocks import Blocks
from .changes import changed_by, filled_in_by, other_names
from .deferred import Progress, parsed_by_parts
from .nodes import Nodes, targets_of
from .word_lines import WordLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .attribute_targets import AttributeTargets
    from .binding import Binding
    from .scope import FunctionStatement

__all__ = ["Module"]


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Module:
    """One parsed file."""

    def __init__(
        self,
        path: str,
        source: bytes,
        shown_path: str | None = None,
        lines: WordLines | None = None,
        evidence: Sequence[int] | None = (),
    ) -> None:
        """Parse a file, but for the functions whose bodies are not needed yet.

        :param lines: of the source; None: they are not known yet.
        :param evidence: the lines that :meth:`near_evidence` is about; None: all.
        :raises SyntaxError: see :func:`.parsed`, for this and what else is raised.
        """
        self.path = path
        """The real path."""
        self.folder = Path(path).parent
        self.shown_path = shown_path or path
        """As it was asked for."""
        self.source = source
        # of its own: the tree refers to it, and never to the module that holds the tree
        self._progress = Progress()
        self._lines = lines or WordLines(source)
        self._evidence = evidence
        wanted = partial(_is_between, evidence)
        self.tree = parsed_by_parts(source, path, wanted, self._progress)
        self._nodes = Nodes(self.tree, self._lines)
        self.blocks = Blocks(self._nodes, has_walrus=b":=" in source)
        """Its lists of statements."""
        self.bindings_at: dict[tuple[ast.AST, str], list[Binding]] = {}
        self.bindings_in: dict[tuple[ast.AST, str], list[Binding]] = {}
        """What :mod:`.bindings` found, by the place or the scope, and the name."""
        self._changes: dict[str, bool] = {}
        self._attribute_targets: dict[str, AttributeTargets] = {}

    @property
    def size(self) -> int:
        """How many bytes of the source were parsed up to now."""
        return self._progress.size

    def take_up(self, evidence: Sequence[int] | None) -> bool:
        """Parse the functions on some lines, which :meth:`near_evidence` is about from then on.

        Return whether all that was parsed of the file up to now does parse.
        """
        self._evidence = evidence
        self.near_evidence()
        return not self._progress.has_failed

    def place(self, line: int, whole: ast.expr | ast.stmt) -> Place:
        """Return the place of an upsert, under the path by which the file was asked for.

        :param whole: the call or the string that holds it, where a comment counts for it.
        """
        extent = whole.lineno, whole.end_lineno or whole.lineno
        return Place(path=self.shown_path, line=line, extent=extent)

    def near(self, names: Iterable[str]) -> list[ast.AST]:
        """Return the nodes of the statements that have one of `names` on a line of theirs."""
        return self._nodes.near(names)

    def source_of(self, function: FunctionStatement) -> bytes:
        """Return the lines of a function, as far as it is known where lines end; all of the source otherwise."""
        return self._lines.between(function.lineno, function.end_lineno or function.lineno)

    def near_evidence(self) -> list[ast.AST]:
        """Return the nodes of the statements that may hold an upsert, or a piece of one."""
        return self._nodes.on(self._evidence)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around `node`; None: it is the module."""
        return self._nodes.parent(node)

    def adopt(self, node: ast.expr, parent: ast.AST) -> None:
        """Take in an expression that the source has as text, in the place of the text."""
        self._nodes.adopt(node, parent)

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Return the nodes around `node`, from the inside out."""
        return self._nodes.around(node)

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

    def sets_in_methods(
        self, of: ast.ClassDef, attribute: str
    ) -> Iterator[tuple[FunctionStatement, ast.stmt, ast.Attribute]]:
        """Return what the methods of a class set or delete an attribute of, with the statement that does.

        Functions inside of a method are none.
        """
        lines = self._targets(attribute).lines
        for method in self._nodes.statements(lines, of):
            if isinstance(method, _FUNCTIONS):
                for statement in self._nodes.statements(lines, method):
                    for target in targets_of(statement):
                        if isinstance(target, ast.Attribute) and target.attr == attribute:
                            yield method, statement, target

    def _targets(self, attribute: str) -> AttributeTargets:
        if attribute not in self._attribute_targets:
            found = attribute_targets(self.source, self._lines, attribute)
            self._attribute_targets[attribute] = found
        return self._attribute_targets[attribute]

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
        targets = self._targets(attribute)
        if targets.in_comprehension:
            nodes: Iterable[ast.AST] = self.near([attribute])
        else:
            nodes = (t for s in self._nodes.statements(targets.lines) for t in targets_of(s))
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

    def fills_in(self, name: str) -> bool:
        """Return whether something is put into the string of a name: ``SQL.format(x)``, ``SQL % x``."""
        return any(name in filled_in_by(node) for node in self.near([name]))

    @cached_property
    def set_by_global(self) -> frozenset[str]:
        """The module's names that a function sets."""
        near = self._nodes.near_words(["global ", "global\t", "global\\", "globals"])
        return frozenset(name for node in near for name in _set_in_module(node))

    @cached_property
    def name(self) -> str:
        """The file's name, as it is shown."""
        return Path(self.path).name

    @cached_property
    def is_package(self) -> bool:
        """Whether the file is a package's ``__init__.py``."""
        return self.name == "__init__.py"


def _is_between(lines: Sequence[int] | None, first: int, last: int) -> bool:
    """Whether one of some lines is; None: any line may be one of them."""
    return lines is None or bisect_left(lines, first) < bisect_right(lines, last)


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
