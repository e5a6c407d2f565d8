"""Whether a file may hold an upsert, by its bytes: what cannot is never parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["REPLACING", "WORDS", "any_may_upsert", "is_behind_on", "may_upsert"]

WORDS = ("conflict", "duplicate", "insert", "prefix_with", "replace into", "upsert")
"""In lower case: a statement of Python that upserts, or states a piece of an upsert's SQL, has one of them."""

_METHODS = (b"orIgnore", b"orReplace", b"orUpdate")
"""TypeORM's and Kysely's, in this case and with no letter before them: ``errorUpdate`` is none."""

REPLACING = ("insert ignore", "insert or ignore", "insert or replace", "replace into")
"""What SQLite and MySQL write in front of an INSERT instead of a conflict clause, in lower case."""
_REPLACING = tuple(words.encode() for words in REPLACING)

_WORDS = (
    b"upsert",
    b"match_fields",
    b"prefix_with",
    b"replaceinto",
    *(w for w in _REPLACING if b"insert" not in w),
)
"""Words that need nothing before them."""
_CONFLICTS = (b"ignore_conflicts", b"update_conflicts")
_DUPLICATES = (b"resolution=", b"skipduplicates")
_INSERTS = (
    *(b".ignore(", b"insert_rows", b"insertorignore", b"insertorupdate"),
    *(words for words in _REPLACING if b"insert" in words),
)
"""Words that need not be looked for where ``conflict`` or the like is not, each a pass over all bytes."""

_BETWEEN = b" \t\r\n\"'_+\\(bfru"
"""What can be between ``ON`` and ``CONFLICT``: ``on_conflict``, and literals with their prefixes that meet."""
_BEHIND = 120
"""How many bytes before ``CONFLICT`` are looked at: a line end and an indentation."""
_OVERLAP = _BEHIND + len(b"duplicate")


def may_upsert(source: bytes) -> bool:
    """Return whether a file has to be parsed: it names an upsert, or suppresses a finding.

    ``on_conflict``, ``ON CONFLICT``, ``onConflict``, ``ON DUPLICATE KEY``, ``upsert``, ``MERGE ... NOT MATCHED``,
    ``INSERT ... WHERE NOT EXISTS``, ``INSERT OR REPLACE``, :data:`_WORDS`; case means nothing. And :data:`_METHODS`.
    """
    lower = source.lower()
    return (
        any(word in lower for word in _WORDS)  # and so does the mark of a suppressed finding
        or any(_begins_name(source, method) for method in _METHODS)
        or (
            b"conflict" in lower
            and (_follows(lower, b"on", b"conflict") or any(word in lower for word in _CONFLICTS))
        )
        or (
            b"duplicate" in lower
            and (_follows(lower, b"on", b"duplicate") or any(word in lower for word in _DUPLICATES))
        )
        or (b"merge" in lower and _follows(lower, b"not", b"matched"))
        or (
            b"insert" in lower
            and (
                any(word in lower for word in _INSERTS)
                or _follows(lower, b"not", b"exists", behind=(b"where", b"and"))
            )
        )
    )


def is_behind_on(lower: bytes, at: int) -> bool:
    """Return whether ``ON`` is before a place, as a word of its own, with nothing between them that is SQL."""
    before = lower[max(0, at - _BEHIND) : at].rstrip(_BETWEEN)
    if not before.endswith(b"on"):
        return False
    # of ``resolution conflict`` it is the end of a word, and of ``\\nON CONFLICT`` the n belongs to the backslash
    last = before[-4:-2]
    return not last[-1:].isalpha() or last.startswith(b"\\")


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


def _begins_name(source: bytes, word: bytes) -> bool:
    at = source.find(word)
    while at >= 0:
        before = source[at - 1 : at]
        if not before.isalnum() and before not in (b"_", b"$"):
            return True
        at = source.find(word, at + 1)
    return False


def _follows(
    lower: bytes, first: bytes, word: bytes, *, behind: bytes | tuple[bytes, ...] = b""
) -> bool:
    """Whether `word` is somewhere behind `first`, and this behind another, with nothing between them that is SQL."""
    at = lower.find(word)
    while at >= 0:
        before = lower[max(0, at - _BEHIND) : at].rstrip(_BETWEEN)
        if before.endswith(first) and before.removesuffix(first).rstrip(_BETWEEN).endswith(behind):
            return True
        at = lower.find(word, at + 1)
    return False
