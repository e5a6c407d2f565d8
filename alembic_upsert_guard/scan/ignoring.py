"""Comments that accept a finding where it stands: ``upsert-guard: ignore[code]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..findings import Finding, Location, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .callsite import CallSite
    from .sighting import Sighting

__all__ = ["MARK", "IgnoreComment", "accepting", "ignored_codes"]

MARK = "upsert-guard: ignore["
"""What stands in the comment before the codes; a space after the colon or none."""


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
            "stale-ignore",
            severity_of("stale-ignore"),
            None,
            None,
            (),
            None,
            f"the comment that ignores {self.code} matches nothing",
            "take it out",
            Location(self.path, self.line),
        )


def ignored_codes(comment: str) -> Iterator[str]:
    """Return the codes that a comment accepts: ``# upsert-guard: ignore[unresolved-upsert, bound-predicate]``."""
    _, mark, rest = comment.replace("upsert-guard:ignore[", MARK).partition(MARK)
    codes, closed, _ = rest.partition("]")
    if mark and closed:
        yield from (code.strip() for code in codes.split(",") if code.strip())


def accepting(
    finding: Finding, sighting: Sighting | CallSite, comments: Iterable[IgnoreComment]
) -> IgnoreComment | None:
    """Return the comment that accepts the finding: one on any line of the call or string that holds the upsert."""
    for comment in comments:
        on_it = sighting.first_line <= comment.line <= sighting.last_line
        if on_it and comment.code == finding.code:
            return comment
    return None
