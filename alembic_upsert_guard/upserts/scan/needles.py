"""Whether a file may hold an upsert, by its bytes: what cannot is never parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["any_may_upsert", "may_upsert"]

_WORDS = (b"upsert", b"orignore", b"orupdate", b"skipduplicates")
"""Words that need nothing before them: ``orUpdate`` and ``orIgnore`` are TypeORM's, ``skipDuplicates`` Prisma's."""

_BETWEEN = b" \t\r\n\"'_+\\(bfru"
"""What can be between ``ON`` and ``CONFLICT``: ``on_conflict``, and literals with their prefixes that meet."""
_BEHIND = 120
"""How many bytes before ``CONFLICT`` are looked at: a line end and an indentation."""
_OVERLAP = _BEHIND + len(b"duplicate")


def may_upsert(source: bytes) -> bool:
    """Return whether a file has to be parsed: it names an upsert, or suppresses a finding.

    ``on_conflict``, ``ON CONFLICT``, ``onConflict``, ``ON DUPLICATE KEY``, ``upsert``, :data:`_WORDS`; case means
    nothing.
    """
    lower = source.lower()
    return (
        any(word in lower for word in _WORDS)  # and so does the mark of a suppressed finding
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
