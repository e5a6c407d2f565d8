"""Which line a character is in, without counting from the beginning each time."""

from __future__ import annotations

from bisect import bisect_left

__all__ = ["Lines"]


class Lines:
    """The lines of one text, ended by line feeds."""

    def __init__(self, text: str) -> None:
        """The text is gone through once."""
        self._ends: list[int] = []
        at = text.find("\n")
        while at >= 0:
            self._ends.append(at)
            at = text.find("\n", at + 1)

    def at(self, character: int) -> int:
        """Return the line of a character, both: characters counted from 0, lines from 1."""
        return bisect_left(self._ends, character) + 1
