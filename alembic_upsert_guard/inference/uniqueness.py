"""Whether two indexes or constraints forbid the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .candidate import Candidate

__all__ = [
    "enforce_same_uniqueness",
]


def enforce_same_uniqueness(one: Candidate, other: Candidate, *, nullable: bool) -> bool:
    """Return whether both forbid exactly the same pairs of rows, whatever their name, order or kind.

    :param nullable: whether a key column can be NULL; where none can, the NULL mode makes no difference.
    """
    return (
        one.unique
        and other.unique
        and frozenset(one.elements) == frozenset(other.elements)
        and all(element.is_known for element in one.elements)
        and one.partial == other.partial
        and (not one.partial or (one.predicate is not None and one.predicate == other.predicate))
        and (not nullable or one.nulls_not_distinct == other.nulls_not_distinct)
    )
