"""On which lines of a source each word is: looked for once, in the bytes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import accumulate
from string import ascii_letters, digits
from typing import TYPE_CHECKING, NamedTuple

from ..bounds import check_time
from ..needles import is_behind_on

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Found", "WordLines", "goes_on"]


_NAME = f"{ascii_letters}{digits}_".encode()
_NAMED = frozenset(bytes((each,)) for each in _NAME)
_LONGEST = 60
"""Bytes of a name that are looked at, on either side of a word in it."""


class Found(NamedTuple):  # made by the thousand
    """One place of a word."""

    line: int
    """Counted from 1."""
    name: str
    """The name that it is, or is a part of."""
    behind: bytes
    """The byte behind that; empty: the source ends."""
    at: int
    """In bytes."""


class WordLines:
    """On which lines of a source each word is."""

    def __init__(self, source: bytes) -> None:
        """Nothing is looked for yet."""
        self._source = source
        self._lower = source.lower()
        self._found: dict[str, list[int]] = {}
        self._spans: dict[str, tuple[int, int, list[int]]] = {}
        """The lines with a name, and which lines were looked at for it."""
        self.are_known = b"\r" not in source.replace(b"\r\n", b"")
        """False: lines are not ended by line feeds alone."""

    def of(self, word: str) -> list[int]:
        """Return the lines, counted from 1, in their order, whatever their letters' case."""
        if word not in self._found:
            self._found[word] = list(self._lines_of(word.lower().encode()))
        return self._found[word]

    def naming(self, name: str, first: int, last: int) -> list[int]:
        """Return the lines from a first to a last one that have a name of Python's, in their order.

        ``table`` is in none that has ``tables`` and no other; case matters.
        """
        # blocks are looked at from the outside in, so that what is known of one is known of those in it
        begun, end, found = self._spans.get(name, (first + 1, first, []))
        if not (begun <= first and last <= end):
            found = self._find(name.encode(), first, last)
            self._spans[name] = first, last, found
            return found
        return found[bisect_left(found, first) : bisect_right(found, last)]

    def _find(self, word: bytes, first: int, last: int) -> list[int]:
        source, ends, length = self._source, self._ends, len(word)
        end = ends[last - 1] if last <= len(ends) else len(source)
        at = source.find(word, ends[first - 2] if first > 1 else 0, end)
        found: list[int] = []
        while at >= 0:
            behind = at + length
            if source[at - 1 : at] not in _NAMED and source[behind : behind + 1] not in _NAMED:
                line = bisect_right(ends, at) + 1
                found.append(line)
                behind = ends[line - 1]  # the others on the line say nothing more
            at = source.find(word, behind, end)
        return found

    def places(self, word: str) -> Iterator[Found]:
        """Return where a word is, whatever its case and what is around it."""
        searched = word.lower().encode()
        at = self._lower.find(searched)
        while at >= 0:
            check_time()
            before = self._source[max(0, at - _LONGEST) : at]
            after = self._source[at : at + _LONGEST]
            rest = after.lstrip(_NAME)
            name = before[len(before.rstrip(_NAME)) :] + after[: len(after) - len(rest)]
            yield Found(self.line_at(at), name.decode(), rest[:1], at)
            at = self._lower.find(searched, at + len(searched))

    def is_behind_on(self, found: Found) -> bool:
        """Return whether the SQL word ``ON`` is before a place."""
        return is_behind_on(self._lower, found.at)

    def between(self, first: int, last: int) -> bytes:
        """Return the lines from a first to a last one; all of them where it is not known where they end."""
        if not self.are_known:
            return self._source
        return self._source[self._ends[first - 2] if first > 1 else 0 : self._ends[last - 1]]

    def line_at(self, at: int) -> int:
        """Return the line, counted from 1, that a byte is on, counted from 0."""
        return bisect_right(self._ends, at) + 1

    @cached_property
    def _ends(self) -> list[int]:
        """Where each line ends, behind its line feed."""
        return [*accumulate(len(line) + 1 for line in self._source.split(b"\n"))]

    def of_name(self, name: str) -> list[int]:
        """Return the lines, counted from 1, that have a name of Python's, in their order; see :meth:`naming`."""
        return self.naming(name, 1, len(self._ends))

    def _lines_of(self, word: bytes) -> Iterator[int]:
        line, last, at = 1, 0, self._lower.find(word)
        check_time()
        while at >= 0:
            line += self._lower.count(b"\n", last, at)
            yield line
            last = self._lower.find(b"\n", at)
            if last < 0:
                return
            at = self._lower.find(word, last)


def goes_on(byte: bytes) -> bool:
    """Return whether a name goes on there, before or behind; beyond ASCII it is not known, and may not."""
    return byte in _NAMED
