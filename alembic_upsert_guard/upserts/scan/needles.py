"""Whether a file may hold an upsert, by its bytes: what cannot is never parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["WORDS", "any_may_upsert", "may_upsert"]

WORDS = ("conflict", "duplicate", "insert", "upsert")
"""In lower case: a statement of Python that upserts, or states a piece of an upsert's SQL, has one of them."""

_BETWEEN = b" \t\r\n\"'_+\\(bfru"
"""What can be between ``ON`` and ``CONFLICT``: ``on_conflict``, and literals with their prefixes that meet."""
_BEHIND = 120
"""How many bytes before ``CONFLICT`` are looked at: a line end and an indentation."""
_OVERLAP = _BEHIND + len(b"duplicate")


def may_upsert(source: bytes) -> bool:
    """Return whether a file has to be parsed: it names an upsert, or suppresses a finding.

    ``on_conflict``, ``ON CONFLICT``, ``onConflict``, ``ON DUPLICATE KEY``, ``upsert``; case means nothing.
    """
    lower = source.lower()
    return (
        b"upsert" in lower  # and so does the mark of a suppressed finding
        or _on(lower, b"conflict")
        or _on(lower, b"duplicate")
    )


def any_may_upsert(chunks: Iterable[bytes]) -> bool:
    """Return whether a file has to be parsed that is given in parts."""
    kept = b""
    for chunk in chunks:
        check_time()
        looked_at = kept + chunk
        if may_upsert(looked_at):
            return True
        kept = looked_at[-_OVERLAP:]
    return False


def _on(lower: bytes, word: bytes) -> bool:
    at = lower.find(word)
    while at >= 0:
        before = lower[max(0, at - _BEHIND) : at].rstrip(_BETWEEN)
        if before.endswith(b"on"):
            return True
        at = lower.find(word, at + 1)
    return False
