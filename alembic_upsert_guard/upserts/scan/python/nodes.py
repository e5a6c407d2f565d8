"""The nodes of a syntax tree and their parents, looked up statement by statement: most of a file is never walked."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from ..bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Nodes", "first_line"]


class Nodes:
    """The nodes of one file."""

    def __init__(self, tree: ast.Module, source: bytes) -> None:
        """Nothing is walked yet."""
        self._tree = tree
        self._lines = WordLines(source)
        self._parents: dict[ast.AST, ast.AST] = {}
        self._every: list[ast.AST] = []

    def every(self) -> list[ast.AST]:
        """Return every node that has parts, parents before children."""
        if not self._every:
            self._every = self._walk(self._tree, None)
        return self._every

    def near(self, words: Iterable[str], root: ast.AST | None = None) -> list[ast.AST]:
        """Return the nodes of the statements that have one of `words` on a line of theirs, parents before children.

        Of a compound statement, only those of its parts that have one.

        :param words: of ASCII; their case, and that of the source, makes no difference.
        :param root: whose parts are looked at, itself included; None: the module.
        """
        lines = sorted({line for word in words for line in self._lines.of(word)})
        return self._walk(root or self._tree, lines if self._lines.are_known else None)

    def holding(self, block: Sequence[ast.AST], first_lines: Sequence[int], word: str) -> list[int]:
        """Return the numbers of the statements of a block that have a word on a line of theirs, in their order.

        :param first_lines: of the statements, by :func:`first_line`.
        """
        found: set[int] = set()
        if not self._lines.are_known or not word.isascii():
            return list(range(len(block)))
        for line in self._lines.of(word):
            number = bisect_right(first_lines, line) - 1
            # the last one that begins there, and those before it on the same line
            while number >= 0 and number not in found and _last_line(block[number]) >= line:
                found.add(number)
                number -= 1
        return sorted(found)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around `node`; None: it is the module."""
        if node not in self._parents and node is not self._tree:
            line = getattr(node, "lineno", None)
            if line is not None:
                self._walk(self._tree, [line])
            if node not in self._parents:  # it has no line, such as a comprehension
                self.every()
        return self._parents.get(node)

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
                for child in value if value.__class__ is list else (value,):
                    if isinstance(child, ast.AST):
                        parents[child] = node
                        if (
                            lines is None
                            or not isinstance(child, ast.stmt)
                            or _has_one(child, lines)
                        ):
                            nodes.append(child)
        return nodes


class WordLines:
    """On which lines of a source each word is."""

    def __init__(self, source: bytes) -> None:
        """Nothing is looked for yet."""
        self._lower = source.lower()
        self._found: dict[str, list[int]] = {}
        self.are_known = b"\r" not in source.replace(b"\r\n", b"")
        """False: lines are not ended by line feeds alone."""

    def of(self, word: str) -> list[int]:
        """Return the lines, counted from 1, in their order, whatever their letters' case."""
        if word not in self._found:
            self._found[word] = list(self._lines_of(word.lower().encode()))
        return self._found[word]

    def _lines_of(self, word: bytes) -> Iterator[int]:
        line, last, at = 1, 0, self._lower.find(word)
        while at >= 0:
            check_time()
            line += self._lower.count(b"\n", last, at)
            yield line
            last = self._lower.find(b"\n", at)
            if last < 0:
                return
            at = self._lower.find(word, last)


def first_line(statement: ast.AST) -> int:
    """Return the line that a statement begins on, that of its first decorator where it has one."""
    decorators = getattr(statement, "decorator_list", None)
    return _line(decorators[0] if decorators else statement)


def _line(node: ast.AST) -> int:
    line: int = getattr(node, "lineno", 0)
    return line


def _last_line(statement: ast.AST) -> int:
    line: int = getattr(statement, "end_lineno", None) or first_line(statement)
    return line


def _has_one(statement: ast.stmt, lines: Sequence[int]) -> bool:
    at = bisect_left(lines, first_line(statement))
    return at < len(lines) and lines[at] <= _last_line(statement)


_NO_NODES = frozenset({"arg", "attr", "ctx", "id", "kind", "module", "op", "ops", "type_comment"})
"""Fields of nodes that hold no node with parts: names, and operators and contexts, which all that have them share."""

_PARTS: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: (), ast.Name: ()}
"""The fields of each kind of node that may hold nodes, but for statements and calls: looked up at each."""


def _parts_of(kind: type[ast.AST]) -> tuple[str, ...]:
    fields = tuple(name for name in kind._fields if name not in _NO_NODES)
    if not issubclass(kind, ast.stmt):
        _PARTS[kind] = fields
    return fields
