"""The bytes of many files, joined by the megabyte: a word is looked for in hundreds of files at once."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KeptSources"]

_JOINED = 1024 * 1024
"""Bytes that are joined at least."""
_BETWEEN = b"\0"
"""No word has it, and so none begins in one file and ends in the next."""


class KeptSources:
    """The bytes of files, by their paths."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self.size = 0
        """Bytes of all."""
        self._groups: dict[str, list[_Group]] = {}
        """By how the names of the files end: no other is looked at with them."""
        self._places: dict[str, tuple[_Group, int]] = {}

    def __contains__(self, path: str) -> bool:
        """Return whether a file is kept."""
        return path in self._places

    def add(self, path: str, source: bytes) -> None:
        """Keep a file that is not kept yet."""
        groups = self._groups.setdefault(path.rpartition(".")[2], [])
        if not groups or groups[-1].size >= _JOINED:
            groups.append(_Group())
        self._places[path] = groups[-1], groups[-1].add(path, source)
        self.size += len(source)

    def source_of(self, path: str) -> bytes:
        """Return the bytes of a file.

        :raises KeyError: it is not kept.
        """
        group, number = self._places[path]
        return group.source(number)

    def mentioning(self, word: bytes, suffixes: tuple[str, ...]) -> Iterator[str]:
        """Return the files that have `word` in them, whatever is around it.

        :param suffixes: how their names end, each with its dot.
        """
        for suffix in suffixes:
            for group in self._groups.get(suffix.removeprefix("."), ()):
                yield from group.mentioning(word)


class _Group:
    """Some files, joined when they are looked at."""

    def __init__(self) -> None:
        self.size = 0
        self._paths: list[str] = []
        self._pieces: list[bytes] = []
        """What is not joined yet."""
        self._joined = b""
        self._starts: list[int] = []
        """Where each file begins, and where the last one ends, with what is between."""

    def add(self, path: str, source: bytes) -> int:
        self._paths.append(path)
        self._pieces.append(source)
        self.size += len(source)
        if self.size >= _JOINED:
            self._join()
        return len(self._paths) - 1

    def source(self, number: int) -> bytes:
        self._join()
        return self._joined[self._starts[number] : self._starts[number + 1] - len(_BETWEEN)]

    def mentioning(self, word: bytes) -> Iterator[str]:
        self._join()
        joined, starts = self._joined, self._starts
        at = joined.find(word)
        while at >= 0:
            number = bisect_right(starts, at) - 1
            yield self._paths[number]
            at = joined.find(word, starts[number + 1])

    def _join(self) -> None:
        if self._pieces:
            lengths = (len(piece) + len(_BETWEEN) for piece in self._pieces)
            self._starts = [*self._starts[:-1], *accumulate(lengths, initial=len(self._joined))]
            self._joined = b"".join([self._joined, *(p + _BETWEEN for p in self._pieces)])
            self._pieces.clear()
