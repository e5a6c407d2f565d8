"""Whether a conflict target is that of a declared key; text is compared for equality, and doubt is said."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from .sighting import Unread
from .sql import normal_element, normal_predicate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..inference import Element
    from .declared import DeclaredKey

__all__ = ["Match", "match_key", "spelled_alike"]


class Match(Enum):
    """How a target compares with a key."""

    SAME = "same"
    DOUBT = "doubt"
    OTHER = "other"


def match_key(
    key: DeclaredKey, elements: Sequence[Element], predicate: str | Unread | None
) -> Match:
    """Return whether the key's arbiter serves the target.

    ===========  =================  ==========================
    key          target             answer, elements the same
    ===========  =================  ==========================
    no WHERE     any or no WHERE    same: a full index serves every predicate
    WHERE        no WHERE           other
    WHERE        the same text      same
    WHERE        other text         doubt: it may imply the key's
    WHERE        not read           doubt
    ===========  =================  ==========================
    """
    matched = _match_elements(spelled_alike(key.elements), elements)
    if matched is Match.OTHER or key.where is None:
        return matched
    if predicate is None:
        return Match.OTHER
    if not isinstance(predicate, Unread) and predicate == normal_predicate(key.where):
        return matched
    return Match.DOUBT


def spelled_alike(elements: Sequence[Element]) -> tuple[Element, ...]:
    """Return declared elements in the spelling of those that were read from SQL."""
    return tuple(e if e.expression is None else normal_element(e.expression) or e for e in elements)


def _match_elements(declared: Sequence[Element], found: Sequence[Element]) -> Match:
    """Elements are a set: each of one side needs its like on the other."""
    either = [[_match(one, other) for other in declared] for one in found]
    mirrored = [[row[n] for row in either] for n in range(len(declared))]
    best = [_best(row) for row in (*either, *mirrored)]
    if not found or Match.OTHER in best:
        return Match.OTHER
    return Match.DOUBT if Match.DOUBT in best else Match.SAME


def _best(matches: Sequence[Match]) -> Match:
    return next((m for m in (Match.SAME, Match.DOUBT) if m in matches), Match.OTHER)


def _match(found: Element, declared: Element) -> Match:
    # found              | declared                 | answer
    # column             | the column, any COLLATE  | same: inference looks at what the target names alone
    # column COLLATE     | the same                 | same
    # column COLLATE     | the column, otherwise    | doubt: it may be the column's own
    # column             | expression               | other
    # expression         | the same text            | same
    # expression         | other text               | doubt
    if found == declared:
        return Match.SAME
    if (found.column is None) != (declared.column is None):
        return Match.OTHER
    if found.column is None:
        return Match.DOUBT
    if found.column != declared.column:
        return Match.OTHER
    return Match.SAME if not (found.collation or found.opclass) else Match.DOUBT
