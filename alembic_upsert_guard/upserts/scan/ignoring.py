"""Comments that suppress a finding at its place: ``upsert-guard: ignore[code]``."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...findings import Finding, FindingCode, Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..upsert import Place

__all__ = ["MARK", "IgnoreComment", "IgnoreComments", "ignored_codes", "suppresses_whole_file"]

MARK = "upsert-guard: ignore["
"""What is in the comment before the codes; a space after the colon or none."""


@dataclass(frozen=True, slots=True)
class IgnoreComment:
    """One code of one comment."""

    path: str
    line: int
    """Counted from 1."""
    code: str

    def stale(self) -> Finding:
        """Return the finding that it suppresses nothing."""
        return Finding(
            code=FindingCode.STALE_IGNORE,
            fact=f"the comment that ignores {self.code} matches nothing",
            hint="take it out, or put it on a line of the call: one in the line above it suppresses nothing",
            location=Location(self.path, self.line),
        )


def ignored_codes(comment: str) -> Iterator[str]:
    """Return the codes that a comment suppresses: ``# upsert-guard: ignore[unresolved-upsert, bound-predicate]``."""
    _, mark, rest = comment.replace("upsert-guard:ignore[", MARK).partition(MARK)
    codes, closed, _ = rest.partition("]")
    if mark and closed:
        yield from (code.strip() for code in codes.split(",") if code.strip())


class IgnoreComments:
    """The comments of files, and which of them suppressed something."""

    def __init__(self, comments: Iterable[IgnoreComment]) -> None:
        """None has suppressed anything yet."""
        self.every = tuple(comments)
        """In the order of files and lines."""
        self._by_code: dict[tuple[str, str], dict[int, IgnoreComment]] = {}
        for comment in self.every:
            self._by_code.setdefault((comment.path, comment.code), {})[comment.line] = comment
        self._lines = {key: sorted(found) for key, found in self._by_code.items()}
        self._used: set[IgnoreComment] = set()

    def suppress(self, finding: Finding, place: Place) -> bool:
        """Return whether a comment on any line of the call or string that holds the upsert suppresses the finding.

        Where the upsert is a helper's, a comment on it there counts for each of its calls.
        """
        places = [place] if place.helper is None else [place, place.helper]
        return any([self._suppress(finding, each) for each in places])  # noqa: C419 - both are used then

    def _suppress(self, finding: Finding, place: Place) -> bool:
        if place.extent is None or place.path is None:
            return False
        first_line, last_line = place.extent
        key = place.path, finding.code
        lines = self._lines.get(key, [])
        first = bisect_left(lines, first_line)
        if first == len(lines) or lines[first] > last_line:
            return False
        self._used.add(self._by_code[key][lines[first]])
        return True

    def unused(self) -> list[IgnoreComment]:
        """Return those that have suppressed nothing so far."""
        return [comment for comment in self.every if comment not in self._used]


def suppresses_whole_file(source: bytes, code: str) -> bool:
    """Return whether a file that does not parse suppresses `code`, on whatever line."""
    lines = source.decode("utf-8", errors="replace").splitlines()
    return any(code in ignored_codes(line) for line in lines)
