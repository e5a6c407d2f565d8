"""The candidate that comes nearest to a target that nothing serves, and why it does not serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .candidate import Candidate, ConflictTarget, Element, Traits
from .elements import cover
from .implication import counts_differ, text_proves
from .verdict import Code, Folded, Shortfall

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = [
    "distance",
    "nearest_shortfall",
    "refused_candidate",
]


def refused_candidate(candidate: Candidate | None) -> Shortfall:
    """Return why `candidate` does not serve, where the database was asked and does not take it.

    :param candidate: what looks like an arbiter as far as text shows; None: nothing does.
    """
    partial = candidate is not None and candidate.partial
    return Shortfall(Code.PREDICATE_MISMATCH if partial else Code.MISSING_ARBITER, candidate)


def nearest_shortfall(
    target: ConflictTarget, offered: Sequence[Candidate], traits: Traits
) -> Shortfall:
    """Return the candidate that comes nearest, and why it does not serve: same elements before all others."""
    bare = ConflictTarget(
        tuple(Element(e.column, e.expression) for e in target.elements), target.predicate
    )
    same = [
        candidate
        for candidate in offered
        if candidate.unique
        and candidate.inferable
        and candidate.is_whole
        and not counts_differ(target, candidate, traits)
        and cover(bare.elements, candidate.elements) is not False
    ]
    if same:
        # what an accident left behind is reported first, then what a person chose
        code, nearest = min(((_reason(c), c) for c in same), key=lambda found: _PRIORITY[found[0]])
        if code is not Code.INVALID_ARBITER and not text_proves(target, traits):
            return _unlike_its_text(target, nearest)
        return Shortfall(code, nearest)
    wanted = frozenset(bare.labels)
    misses = [c for c in offered if wanted & {*c.labels, *c.expression_columns}]
    misses.sort(key=lambda c: distance(target, c))
    return Shortfall(Code.MISSING_ARBITER, misses[0] if misses else None)


def _unlike_its_text(target: ConflictTarget, candidate: Candidate) -> Shortfall:
    """Why a candidate does not serve that reads like a target which holds SQL; the database has refused it."""
    same_rows = candidate.predicate == target.predicate
    if candidate.partial and not same_rows:
        return Shortfall(Code.PREDICATE_MISMATCH, candidate)
    folded = None
    if cover(target.elements, candidate.elements) and same_rows:
        sql = [e.label for e in target.elements if e.column is None]
        folded = Folded(", ".join(sql) or str(target.predicate))
    return Shortfall(Code.MISSING_ARBITER, candidate, folded=folded)


def distance(target: ConflictTarget, candidate: Candidate) -> tuple[int, int, bool, str]:
    """Return how far a candidate is from the target: the nearest is the least, and always the same.

    What has an element in common comes before what has its column in an expression (``lower(email)`` for ``email``);
    then as few elements too many or too few as can be; of those a unique one; then the name.
    """
    wanted, found = frozenset(target.labels), frozenset(candidate.labels)
    return (not wanted & found, len(wanted ^ found), not candidate.unique, candidate.name or "")


_PRIORITY = {
    Code.INVALID_ARBITER: 0,
    Code.PREDICATE_MISMATCH: 1,
    Code.COLLATION_MISMATCH: 2,
}


def _reason(candidate: Candidate) -> Code:
    if not candidate.valid:
        return Code.INVALID_ARBITER
    return Code.PREDICATE_MISMATCH if candidate.partial else Code.COLLATION_MISMATCH
