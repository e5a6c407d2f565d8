"""What of the models comes nearest to a target, or to a constraint's name, that they do not have."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ...findings.call_sites import Miss
from ...inference import Kind
from .matching import Match, columns_of, match_elements, normalized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...inference import Candidate, Element

__all__ = ["likeliest_constraint", "nearest_arbiter"]


def nearest_arbiter(
    arbiters: Sequence[Candidate], elements: Sequence[Element]
) -> tuple[Miss, Candidate] | None:
    """Return the arbiter that comes nearest to the elements, and how it differs; None: none is near.

    ====================================  ==========  =============================================
    the arbiter has                       miss        likelier fault
    ====================================  ==========  =============================================
    the same elements, and a predicate    PREDICATE   the call lacks the predicate
    the same columns in other elements    EXPRESSION  the call lacks the expression, or has one more
    all columns of the target and more    MORE        the call lacks a column
    some columns of the target            FEWER       the call has a column too many, or the model lags
    ====================================  ==========  =============================================

    :param arbiters: all unique; none serves the target.
    """
    wanted = columns_of(elements)
    ranked = []
    for place, arbiter in enumerate(arbiters):
        miss = _miss(normalized(arbiter), elements, wanted)
        if miss is not None:
            difference = len(columns_of(arbiter.elements) ^ wanted)
            surrogate = arbiter.kind is Kind.PRIMARY_KEY
            ranked.append((_RANK[miss], difference, surrogate, place, miss, arbiter))
    if not ranked:
        return None
    *_, miss, arbiter = min(ranked, key=lambda each: each[:4])
    return miss, arbiter


_RANK = {Miss.PREDICATE: 0, Miss.EXPRESSION: 1, Miss.MORE: 2, Miss.FEWER: 3}


def _miss(arbiter: Candidate, elements: Sequence[Element], wanted: frozenset[str]) -> Miss | None:
    found = columns_of(arbiter.elements)
    if arbiter.partial and match_elements(arbiter.elements, elements) is Match.SAME:
        return Miss.PREDICATE
    if found == wanted:
        return Miss.EXPRESSION
    if wanted and wanted < found:
        return Miss.MORE
    if found and found < wanted:
        return Miss.FEWER
    return None


def likeliest_constraint(named: Sequence[Candidate], name: str) -> Candidate | None:
    """Return the constraint that a name is likeliest meant for; None: none is.

    One that is called alike, else the only one beside the primary key.
    """
    by_name = {str(each.name): each for each in named if each.name is not None}
    alike = get_close_matches(name, by_name, n=1, cutoff=0.7)
    if alike:
        return by_name[alike[0]]
    unique = [each for each in by_name.values() if each.kind is Kind.CONSTRAINT]
    return unique[0] if len(unique) == 1 else None
