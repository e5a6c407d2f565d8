"""Text that is put in at run time, where it touches a keyword: ``VALUES{rows}``, ``{rows}ON CONFLICT``."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from string import ascii_letters, digits
from typing import TYPE_CHECKING

from .tokens import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .upsert import SqlUpsert

__all__ = ["Apart"]

_NAME = f"{ascii_letters}{digits}_"
_LONGEST = 12
"""Characters of a keyword, and one before it, that are looked at."""

_BEFORE = frozenset(
    {
        *("conflict", "default", "do", "from", "into", "nothing", "on", "returning"),
        *("select", "set", "update", "values", "where"),
    }
)
"""Keywords of an INSERT that are no beginning of a name: what is put in behind one begins with something else."""

_BEHIND = {
    "do": ("nothing", "update"),
    "insert": ("into", "ignore", "or"),
    "on": ("conflict", "duplicate"),
    "returning": (),
    "select": (),
}
"""Keywords that are no end of a name, each with the words of which one follows; empty: whatever does."""


class Apart:
    """SQL with a space wherever a keyword or a number touches text that is put in at run time."""

    def __init__(self, sql: str) -> None:
        """Look for what is put in."""
        places = list(_touching(sql))
        starts = [0, *places]
        ends = [*places, len(sql)]
        self.text = " ".join(sql[start:end] for start, end in zip(starts, ends, strict=True))
        self._spaces = [place + number for number, place in enumerate(places)]

    def moved_back(self, upsert: SqlUpsert) -> SqlUpsert:
        """Return an upsert of the text with its places in what the text was made of."""
        if not self._spaces:
            return upsert
        return replace(
            upsert,
            start=self._before(upsert.start),
            first=self._before(upsert.first),
            last=self._before(upsert.last),
        )

    def _before(self, at: int) -> int:
        return at - bisect_left(self._spaces, at)


def _touching(sql: str) -> Iterator[int]:
    """Where a keyword or a number ends and what is put in begins, or the other way round."""
    at = sql.find(HOLE)
    while at >= 0:
        word = _word_before(sql, at)
        # a number that letters follow is no token
        if word.isdigit() or (word in _BEFORE and not _is_of_name(sql, at - len(word))):
            yield at
        end = sql.find("_", at + len(HOLE)) + 1 or len(sql)
        if _begins_clause(sql, end):
            yield end
        at = sql.find(HOLE, end)


def _word_before(sql: str, at: int) -> str:
    before = sql[max(0, at - _LONGEST) : at]
    return before[len(before.rstrip(_NAME)) :].lower()


def _is_of_name(sql: str, at: int) -> bool:
    """Whether a word that begins there is the beginning of a table's name: it follows INTO, or a dot."""
    before = sql[max(0, at - _LONGEST) : at].rstrip()
    return before.endswith(".") or _word_before(before, len(before)) == "into"


def _begins_clause(sql: str, at: int) -> bool:
    """Whether a keyword begins there that no name ends with."""
    rest = sql[at : at + 3 * _LONGEST]
    word = rest[: len(rest) - len(rest.lstrip(_NAME))]
    following = _BEHIND.get(word.lower())
    if following is None:
        return False
    then = rest[len(word) :].split()[:1]
    return not following or (bool(then) and then[0].lower() in following)
