"""On which lines of a source reading begins: a call there may upsert, or a string may be a piece of SQL that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..needles import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from .word_lines import WordLines

__all__ = ["evidence_lines"]

_ALWAYS = frozenset({"conflict", "duplicate"})
_TAKEN_BY_PANDAS = "to_sql"
"""Its ``method`` is a function that upserts, and can have any name."""


def evidence_lines(lines: WordLines, methods: Collection[str]) -> Sequence[int] | None:
    """Return the lines with such a call or string, in their order; None: not known, and any may have one.

    ``cursor.insert(0, x)`` and ``store.upsert_session(x)`` are none, whatever is in the function of that name.

    :param methods: what calls are called that may upsert.
    """
    if not lines.are_known:
        return None
    any_word = bool(lines.of(_TAKEN_BY_PANDAS))
    found: set[int] = set()
    for word in WORDS:
        if any_word or word in _ALWAYS:
            found.update(lines.of(word))
        else:
            found.update(_lines(lines, word, methods))
    return sorted(found)


def _lines(lines: WordLines, word: str, methods: Collection[str]) -> Iterator[int]:
    for line, name, behind in lines.names_with(word):
        # of a string: INSERT INTO, or INSERT alone
        if name in methods or (
            word == "insert" and name.lower().endswith(word) and behind not in b"(."
        ):
            yield line
