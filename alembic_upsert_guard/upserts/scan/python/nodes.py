"""The nodes of a syntax tree and their parents, looked up statement by statement: most of a file is never walked."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from functools import wraps
from typing import TYPE_CHECKING, TypeVar, cast

from ..bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .word_lines import WordLines

__all__ = ["BLOCKS", "Nodes", "last_part", "parts_of", "remembered", "targets_of"]

_Node = TypeVar("_Node", bound=ast.AST)
_Found = TypeVar("_Found")


class Nodes:
    """The nodes of one file."""

    def __init__(self, tree: ast.Module, lines: WordLines) -> None:
        """Nothing is walked yet."""
        self._tree = tree
        self._lines = lines
        self._parents: dict[ast.AST, ast.AST] = {}
        self._extents: dict[int, tuple[list[int], list[int]]] = {}
        """The first and the last line of the statements of each block."""

    def near(self, names: Iterable[str]) -> list[ast.AST]:
        """Return the nodes of the statements that have one of `names` on a line of theirs, parents before children.

        Of a compound statement, only those of its parts that have one.
        """
        return self.on(self._lines_with(names, self._lines.of_name))

    def near_words(self, words: Iterable[str], root: ast.AST | None = None) -> list[ast.AST]:
        """Return the nodes of the statements that have one of `words` on a line of theirs, whatever is around it.

        :param words: their case, and that of the source, makes no difference.
        :param root: whose parts are looked at, itself included; None: the module.
        """
        return self.on(self._lines_with(words, self._lines.of), root)

    def on(self, lines: Sequence[int] | None, root: ast.AST | None = None) -> list[ast.AST]:
        """Return the nodes of the statements on some lines, parents before children.

        :param lines: in their order; None: all.
        :param root: whose parts are looked at, itself included; None: the module.
        """
        return self._walk(root or self._tree, lines)

    def naming(self, block: Sequence[ast.AST], name: str) -> Sequence[int]:
        """Return the numbers of the statements of a block that have a name on a line of theirs, in their order.

        :param block: a list of the tree itself, not empty: it is known by its identity.
        """
        lines: Sequence[int] | None = None
        # the cases of a match have no line
        if self._lines.are_known and name.isascii() and hasattr(block[0], "lineno"):
            lines = self._lines.naming(name, _first_line(block[0]), _last_line(block[-1]))
        return range(len(block)) if lines is None else self._numbers(block, lines)

    def statements(
        self, lines: Sequence[int] | None, root: ast.AST | None = None
    ) -> Iterator[ast.stmt]:
        """Return the statements that are on one of some lines, in the order of the source.

        :param lines: in their order; None: any.
        :param root: whose parts are looked at, but for functions and classes in it; None: the whole module.
        """
        waiting: list[ast.AST] = [root or self._tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.stmt):
                yield node
                if root is not None and node is not root and isinstance(node, _SCOPES):
                    continue
            inner: list[ast.AST] = []
            for field in BLOCKS:
                block = getattr(node, field, None)
                if block.__class__ is not list or not block:
                    continue
                if lines is None or not isinstance(block[0], ast.stmt):
                    inner += block
                else:
                    inner += [block[number] for number in self._numbers(block, lines)]
            waiting += reversed(inner)

    def _lines_with(
        self, words: Iterable[str], lines_of: Callable[[str], Sequence[int]]
    ) -> Sequence[int] | None:
        """The lines that have one of some words, in their order; None: not known."""
        words = tuple(words)
        if not self._lines.are_known or not all(map(str.isascii, words)):
            return None
        if len(words) == 1:
            return lines_of(words[0])
        return sorted({line for word in words for line in lines_of(word)})

    def _numbers(self, block: Sequence[ast.AST], lines: Sequence[int]) -> Sequence[int]:
        """The numbers of the statements of a block that have one of some lines, in their order."""
        extents = self._extents.get(id(block))
        if extents is None:
            extents = [_first_line(each) for each in block], [_last_line(each) for each in block]
            self._extents[id(block)] = extents
        starts, ends = extents
        at = bisect_left(lines, starts[0])
        end = bisect_right(lines, ends[-1], at)
        found: list[int] = []
        while at < end:
            line = lines[at]
            last = number = bisect_right(starts, line) - 1
            # the last one that begins there, and those before it on the same line
            while number >= 0 and ends[number] >= line and not (found and number <= found[-1]):
                number -= 1
            found += range(number + 1, last + 1)
            at += 1
            # the other lines of a statement say nothing more, where the next one begins behind them
            if ends[last] > line and starts[last + 1 : last + 2] != [ends[last]]:
                at = bisect_right(lines, ends[last], at)
        return found

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around `node`; None: it is the module."""
        if node not in self._parents and node is not self._tree:
            # a comprehension has no line, and its parts have
            lines = (getattr(each, "lineno", None) for each in ast.walk(node))
            line = next((line for line in lines if line is not None), None)
            if line is not None:
                self._walk(self._tree, [line])
            if node not in self._parents:
                self._walk(self._tree, None)
        return self._parents.get(node)

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Return the nodes around `node`, from the inside out."""
        known = self._parents.get
        found = known(node) or self.parent(node)
        while found is not None:
            yield found
            found = known(found) or self.parent(found)

    def adopt(self, node: ast.AST, parent: ast.AST) -> None:
        """Take in a node that the tree does not have, with its parts."""
        self._parents[node] = parent
        self._walk(node, None)

    def _walk(self, root: ast.AST, lines: Sequence[int] | None) -> list[ast.AST]:
        """The nodes outside of statements without one of `lines`; whose parent each is, is known from then on.

        :param lines: in their order; None: every statement counts.
        """
        nodes: list[ast.AST] = [root]
        parents, parts = self._parents, _PARTS
        for node in nodes:  # which grows meanwhile
            kind = node.__class__
            fields = parts.get(kind)
            if fields is None:
                check_time()  # often enough: every statement and call comes by
                fields = _parts_of(kind)
            for name in fields:
                value = getattr(node, name, None)
                if value.__class__ is not list:
                    if isinstance(value, ast.AST):
                        parents[value] = node
                        nodes.append(value)
                    continue
                chosen = value
                if lines is not None and value and isinstance(value[0], ast.stmt):
                    if id(value) not in self._extents:
                        parents.update(dict.fromkeys(value, node))
                    chosen = [value[number] for number in self._numbers(value, lines)]
                for child in chosen:
                    if isinstance(child, ast.AST):
                        parents[child] = node
                        nodes.append(child)
        return nodes


def _first_line(statement: ast.AST) -> int:
    """Return the line that a statement begins on, that of its first decorator where it has one."""
    decorators = getattr(statement, "decorator_list", None)
    return _line(decorators[0] if decorators else statement)


def _line(node: ast.AST) -> int:
    line: int = getattr(node, "lineno", 0)
    return line


def _last_line(statement: ast.AST) -> int:
    line: int = getattr(statement, "end_lineno", None) or _first_line(statement)
    return line


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")
"""The fields of statements that hold statements, or what holds these, in the order of the source."""

_NO_NODES = frozenset({"arg", "attr", "ctx", "id", "kind", "module", "op", "ops", "type_comment"})
"""Fields of nodes that hold no node with parts: names, and operators and contexts, which all that have them share."""

_PARTS: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: (), ast.Name: ()}
"""The fields of each kind of node that may hold nodes, but for statements and calls: looked up at each."""


def remembered(find: Callable[[_Node], _Found]) -> Callable[[_Node], _Found]:
    """Return a function that finds once for each node what `find` does; it is forgotten with the node."""
    name = f"_{find.__name__}"

    @wraps(find)
    def found(node: _Node) -> _Found:
        members = vars(node)
        if name not in members:
            members[name] = find(node)
        return cast("_Found", members[name])

    return found


def last_part(node: ast.expr) -> str:
    """Return an expression as it is written, behind its last dot."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ast.unparse(node).rpartition(".")[2]


def targets_of(statement: ast.stmt) -> Iterator[ast.expr]:
    """Return what a statement sets or deletes, each part of a tuple; walruses and comprehensions are left out."""
    match statement:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            waiting = [*reversed(targets)]
        case (
            ast.AugAssign(target=target)
            | ast.AnnAssign(target=target)
            | ast.For(target=target)
            | ast.AsyncFor(target=target)
        ):
            waiting = [target]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            waiting = [i.optional_vars for i in reversed(items) if i.optional_vars is not None]
        case _:
            return
    while waiting:
        target = waiting.pop()
        match target:
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                waiting += reversed(parts)
            case ast.Starred(value=value):
                waiting.append(value)
            case _:
                yield target


def parts_of(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right in a node, in the order of the source; operators and contexts left out."""
    kind = node.__class__
    parts: list[ast.AST] = []
    fields = _PARTS.get(kind)
    for name in _parts_of(kind) if fields is None else fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            parts += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            parts.append(value)
    return parts


def _parts_of(kind: type[ast.AST]) -> tuple[str, ...]:
    fields = tuple(name for name in kind._fields if name not in _NO_NODES)
    if not issubclass(kind, ast.stmt):
        _PARTS[kind] = fields
    return fields
