"""On which lines of a source each word is: looked for once, in the bytes."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from ..bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["WordLines"]


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

    def are_in(self, words: Iterable[str], first: int, last: int) -> bool:
        """Return whether one of some words is on the lines from a first to a last one."""
        for word in words:
            lines = self.of(word)
            at = bisect_left(lines, first)
            if at < len(lines) and lines[at] <= last:
                return True
        return False

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
