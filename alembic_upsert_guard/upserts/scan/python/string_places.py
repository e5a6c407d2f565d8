"""Which line of the source an upsert in a string is on, that is put together of several literals."""

from __future__ import annotations

import ast
from bisect import bisect_right
from typing import TYPE_CHECKING

from ..needles import REPLACING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .composition import Piece, Root
    from .module import Module

__all__ = ["StringPlaces"]

_WORDS = ("conflict", "duplicate", "exists", "merge", *REPLACING)
"""One of them begins an upsert, or is right behind its beginning: ON CONFLICT."""


class StringPlaces:
    """The lines of one string."""

    def __init__(self, module: Module, root: Root, pieces: Iterable[Piece]) -> None:
        """The pieces are gone through once; the source is, when a line is asked for."""
        self._module = module
        self._root = root
        self._inside = set(ast.walk(root))
        self._literals: list[tuple[int, ast.Constant, str, int]] = []
        """Where each piece begins, its literal, its text, and how many words are before it in the literal."""
        self._ends: list[int] = []
        self._words: dict[int, list[int]] = {}
        self._lines: dict[ast.Constant, list[int]] = {}
        before: dict[ast.AST, int] = {}
        at = 0
        for piece in pieces:
            literal = piece.literal
            if literal is not None:
                of: ast.AST = root if _has_place_of_whole(literal, root) else literal
                if piece.text:
                    self._literals.append((at, literal, piece.text, before.get(of, 0)))
                    self._ends.append(at + len(piece.text))
                before[of] = before.get(of, 0) + len(_ends_of_words(piece.text))
            at += len(piece.text)

    def line(self, start: int) -> int:
        """Return the line of an upsert, where it is in the string itself; else the string's first.

        :param start: in characters of the string.
        """
        # a conflict clause can begin at the end of one literal and go on in the next
        number = bisect_right(self._ends, start)
        if number == len(self._literals):
            return self._root.lineno
        at, literal, text, before = self._literals[number]
        if literal not in self._inside:
            return self._root.lineno
        if number not in self._words:
            self._words[number] = _ends_of_words(text)
        skipped = before + bisect_right(self._words[number], max(start - at, 0))
        lines = self._lines_of(literal)
        return lines[skipped] if skipped < len(lines) else literal.lineno

    def _lines_of(self, literal: ast.Constant) -> list[int]:
        """The line of each word in a literal, as they are counted in the source."""
        if literal not in self._lines:
            source = self._module.lines
            last = min(literal.end_lineno or literal.lineno, len(source))
            self._lines[literal] = [
                line
                for line in range(literal.lineno, last + 1)
                for _ in _ends_of_words(self._inside_of(literal, line, source[line - 1]))
            ]
        return self._lines[literal]

    def _inside_of(self, literal: ast.Constant, line: int, source: str) -> str:
        """The part of a line that the literal is in; columns are counted in bytes."""
        encoded = source.encode()
        if line == literal.end_lineno:
            encoded = encoded[: literal.end_col_offset]
        if line == literal.lineno:
            encoded = encoded[literal.col_offset :]
        return encoded.decode(errors="replace")


def _ends_of_words(text: str) -> list[int]:
    """Where each of the words ends by which upserts are counted."""
    lower = text.lower()
    found = []
    for word in _WORDS:
        at = lower.find(word)
        while at >= 0:
            found.append(at + len(word))
            at = lower.find(word, at + len(word))
    return sorted(found)


def _has_place_of_whole(literal: ast.Constant, root: Root) -> bool:
    """Whether a piece of an f-string is said to be where the f-string is, as before Python 3.12."""
    return (literal.lineno, literal.col_offset) == (root.lineno, root.col_offset)
