"""Whether anything unique keeps a second session from inserting the row that a statement looked up and did not find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..inference import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..inference import Candidate, Element
    from .target import Lookup

__all__ = ["LookupAnswer", "judge_lookup"]


@dataclass(frozen=True, slots=True)
class LookupAnswer:
    """What a table offers for a lookup."""

    state: State
    candidate: Candidate | None = None
    """What keeps the rows unique, or may; None: nothing does."""


def judge_lookup(
    lookup: Lookup, candidates: Iterable[Candidate], *, folds_case: bool = False
) -> LookupAnswer:
    """Return whether two rows that the lookup cannot tell apart are refused. No arbiter is inferred.

    =================================================  =========
    unique, valid, on columns of the lookup or fewer   answer
    =================================================  =========
    without a predicate                                satisfied
    with the predicate that the lookup has             satisfied
    with another one                                   unknown
    on an expression, and the lookup has one           unknown
    none of these                                      short
    =================================================  =========

    A deferrable constraint refuses them too, when the transaction ends. Equal text of an expression counts.

    :param candidates: in the spelling of the SQL parser, as is `lookup`.
    :param folds_case: whether the database takes columns of another case for the same.
    """
    wanted = {_folded(element, folds_case=folds_case) for element in lookup.elements}
    has_expression = any(element.column is None for element in lookup.elements)
    doubtful: Candidate | None = None
    for candidate in candidates:
        if not (candidate.unique and candidate.valid and candidate.is_whole):
            continue
        columns = [e for e in candidate.elements if e.column is not None]
        if not {_folded(e, folds_case=folds_case) for e in columns} <= wanted:
            continue
        text_is_equal = all(e in lookup.elements for e in candidate.elements if e.column is None)
        if text_is_equal and (not candidate.partial or candidate.predicate == lookup.predicate):
            return LookupAnswer(State.SATISFIED, candidate)
        if text_is_equal or has_expression:
            doubtful = doubtful or candidate
    if doubtful is not None:
        return LookupAnswer(State.UNKNOWN, doubtful)
    return LookupAnswer(State.SHORT)


def _folded(element: Element, *, folds_case: bool) -> str:
    label = element.column or element.label
    return label.lower() if folds_case else label
