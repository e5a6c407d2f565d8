"""The judge: which candidates a database takes as arbiters for a conflict target, and why not the others.

The rules are PostgreSQL's ``infer_arbiter_indexes`` (plancat.c) and SQLite's ``sqlite3UpsertAnalyzeTarget``
(upsert.c), where both agree. Text is compared for equality only, and what that cannot prove is unknown; on PostgreSQL
it proves columns, and SQL only where the planner was seen to take an index of that SQL. MySQL and MariaDB infer
nothing: ``ON DUPLICATE KEY UPDATE`` takes whatever unique key the row breaks, so the key must be one of them, and the
others are its rivals (:mod:`.rivals`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .candidate import Candidate, ConflictTarget, Traits
from .elements import with_folded_case
from .implication import can_be_inferred, holds_the_rowid, missing_partition_columns, text_proves
from .near_misses import distance, nearest_shortfall, refused_candidate
from .rivals import rivals_of
from .verdict import Code, Shortfall, State, Verdict

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence


__all__ = [
    "judge",
]


_PLAIN = Traits()


def judge(
    target: ConflictTarget,
    candidates: Iterable[Candidate],
    traits: Traits = _PLAIN,
    *,
    named: Container[str | None] | None = None,
) -> Verdict:
    """Return whether the database finds an arbiter for `target` among `candidates`, all of one table.

    :param named: the arbiters that the database named when it was asked about the target on this table, none of them
     where it refused; None: it was not asked.

    Per candidate whose key elements are the target's:

    ======  =====  =========  =====================  ==================================
    unique  valid  immediate  predicate              result
    ======  =====  =========  =====================  ==================================
    no                                               near miss of `missing-arbiter`
    yes     no                                       `invalid-arbiter`
    yes     yes               partial, target plain  `predicate-mismatch`
    yes     yes               texts differ           `unproven-arbiter` (unknown)
    yes     yes    no         none, or same text     `deferrable-arbiter`: spoils all
    yes     yes    yes        none, or same text     arbiter
    ======  =====  =========  =====================  ==================================

    On PostgreSQL SQL of a target that is not proven (:attr:`.ConflictTarget.proven`) counts as a text that differs.
    One deferrable arbiter spoils the upsert though a good one is there, too: the planner lists both
    and the executor refuses (execIndexing.c, 55000). A view stands for the table behind it, whose candidates are
    not these: unknown. Inheritance children and partitions have candidates of their own. INSERT and UPDATE rules of a
    table refuse every ON CONFLICT (rewriteHandler.c: RewriteQuery, 0A000).

    On MySQL and MariaDB an index on a prefix of an element is a near miss as well, and what else is unique is named
    beside the arbiters (:func:`rivals_of`).
    """
    decided = _without_candidates(traits)
    if decided is not None:
        return decided
    offered = tuple(candidates)
    if traits.database.folds_column_names:
        target = replace(target, elements=with_folded_case(target.elements))
        offered = tuple(replace(c, elements=with_folded_case(c.elements)) for c in offered)
    inferred = tuple(
        c
        for c in offered
        if (_is_inferred(target, c, traits) if named is None else c.name in named)
    )
    spoiler = next((c for c in inferred if not c.immediate), None)
    if spoiler is not None:
        return Verdict(State.SHORT, inferred, Shortfall(Code.DEFERRABLE_ARBITER, spoiler))
    if inferred and named is not None:
        return Verdict(State.SATISFIED, inferred)
    if inferred:
        return _served(target, offered, inferred, traits)
    return _unserved(target, offered, traits, is_answered=named is not None)


def _is_inferred(target: ConflictTarget, candidate: Candidate, traits: Traits) -> bool:
    """Whether text proves that the database infers it."""
    return candidate.valid and can_be_inferred(target, candidate, traits) is True


def _without_candidates(traits: Traits) -> Verdict | None:
    """The verdict on a relation whose candidates decide nothing; None: they do."""
    if traits.refusing_rules:
        shortfall = Shortfall(Code.MISSING_ARBITER, rules=traits.refusing_rules)
        return Verdict(State.SHORT, (), shortfall)
    if traits.relation == "materialized view" or not traits.takes_insert:
        shortfall = Shortfall(Code.MISSING_ARBITER, relation=traits.relation)
        return Verdict(State.SHORT, (), shortfall)
    if traits.discarding_rules:
        shortfall = Shortfall(Code.UNPROVEN_ARBITER, rules=traits.discarding_rules)
        return Verdict(State.UNKNOWN, (), shortfall)
    if traits.relation == "view":
        # it stands for the table behind it
        return Verdict(State.UNKNOWN, (), Shortfall(Code.UNPROVEN_ARBITER))
    return None


def _served(
    target: ConflictTarget,
    offered: Sequence[Candidate],
    inferred: tuple[Candidate, ...],
    traits: Traits,
) -> Verdict:
    """The verdict where text finds an arbiter, and none that spoils the upsert."""
    # from 19 on an index that is ready joins the arbiters as soon as one of them is valid
    joining = [c for c in offered if c.ready and not c.valid and traits.version >= (19,)]
    joined = tuple(c for c in joining if can_be_inferred(target, c, traits))
    has_target = traits.database.has_conflict_targets
    rivals = () if has_target else rivals_of(target, offered, traits)
    return Verdict(State.SATISFIED, (*inferred, *joined), rivals=rivals)


def _unserved(
    target: ConflictTarget, offered: Sequence[Candidate], traits: Traits, *, is_answered: bool
) -> Verdict:
    """The verdict where no arbiter is found.

    :param is_answered: whether the database was asked about the target, and named none.
    """
    if traits.relation == "foreign table":  # it has no indexes, and what is behind it is not asked
        return Verdict(State.SHORT, (), Shortfall(Code.MISSING_ARBITER, relation=traits.relation))
    lacking = missing_partition_columns(target, traits)
    if lacking:
        shortfall = Shortfall(
            Code.PARTITION_KEY_MISSING, columns=lacking, partitioner=traits.partitioner
        )
        return Verdict(State.SHORT, (), shortfall)
    unservable = holds_the_rowid(target, traits)
    if unservable is not None:
        return Verdict(State.SHORT, (), unservable)
    doubtful = [c for c in offered if c.valid and can_be_inferred(target, c, traits) is None]
    if doubtful and not is_answered:
        nearest = min(doubtful, key=lambda c: distance(target, c))
        return Verdict(State.UNKNOWN, (), Shortfall(Code.UNPROVEN_ARBITER, nearest))
    if doubtful and text_proves(target, traits):
        return Verdict(State.SHORT, (), refused_candidate(doubtful[0]))
    return Verdict(State.SHORT, (), nearest_shortfall(target, offered, traits))
