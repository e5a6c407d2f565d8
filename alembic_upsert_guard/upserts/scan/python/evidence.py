"""On which lines of a source reading begins: a call there may upsert, or a string may be a piece of SQL that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..needles import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .word_lines import Found, WordLines

__all__ = ["evidence_lines"]

_TAKEN_BY_PANDAS = "to_sql"
"""Its ``method`` is a function that upserts, and can have any name."""

_BY_KEYWORDS = "bulk_create"
"""Upserts where what ``**`` gives it says ``ignore_conflicts``, on another line."""


def evidence_lines(lines: WordLines, methods: Collection[str]) -> Sequence[int] | None:
    """Return the lines with such a call or string, in their order; None: not known, and any may have one.

    ``cursor.insert(0, x)``, ``store.upsert_session(x)`` and ``"a conflict"`` are none, whatever follows from them.

    :param methods: what calls are called that may upsert.
    """
    if not lines.are_known:
        return None
    any_word = bool(lines.of(_TAKEN_BY_PANDAS))
    words = (*WORDS, _BY_KEYWORDS) if lines.of("_conflict") else WORDS
    return sorted(
        {
            found.line
            for word in words
            for found in lines.places(word)
            if any_word or found.name in methods or _is_evidence(lines, word, found)
        }
    )


def _is_evidence(lines: WordLines, word: str, found: Found) -> bool:
    """Whether a word is a piece of SQL, or of a keyword of a library's."""
    match word:
        case "insert":  # INSERT INTO, or INSERT alone
            return found.name.lower().endswith(word) and found.behind not in b"(."
        case "conflict":
            lower = found.name.lower()
            return "_conflict" in lower or "conflict_" in lower or lines.is_behind_on(found)
        case "duplicate":
            return found.name == "duplicates" or lines.is_behind_on(found)
        case "replace into":
            return True
    return False
