"""What a revision has to do for one key. Pure: facts in, steps out; :mod:`.planned` turns them into operations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ...inference import Code, Kind, Shortfall, holds_the_rowid, judge, refused_candidate
from .key_state import has_its_name, sorted_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...inference import Candidate
    from .key_state import KeyState, SortedCandidates

__all__ = ["Action", "RepairPlan", "Step", "plan_repair"]


class Action(Enum):
    """What one step does."""

    VALIDATE = "validate"
    DROP = "drop"
    CREATE = "create"
    VERIFY = "verify"
    """A person has to act, and the database is asked whether it was done."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action; `candidate` is what a DROP drops, None elsewhere."""

    action: Action
    candidate: Candidate | None = None


_VALIDATE, _CREATE, _VERIFY = Step(Action.VALIDATE), Step(Action.CREATE), Step(Action.VERIFY)


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """The answer for one key."""

    shortfall: Shortfall | None = None
    """Why; None: nothing is short."""

    steps: tuple[Step, ...] = ()
    """In order; they take the place of Alembic's creation of the arbiter and of its drops of what they drop."""

    adopted: tuple[Candidate, ...] = ()
    """What serves as it is: Alembic's drops of these, and its creation of the arbiter, are taken out."""

    is_refused: bool = False
    """Whether nothing that a revision could create would serve: the declaration has to change."""


def plan_repair(state: KeyState) -> RepairPlan:
    """Return what the revision does for the key.

    =========================  =======================================================================
    the database has           steps
    =========================  =======================================================================
    good, owned                none, and Alembic's drops and creation are taken out
    good, attached, namesake   the same: Alembic took other SQL for another index
    good, not owned            Alembic's, with the check before the creation
    good, and spoiler, broken  drop the spoiler, the broken one
    spoiler                    validate, create, drop
    broken                     validate, drop, create
    impostor, unique           validate, create, drop
    impostor, not unique       validate, drop, create
    none of them               validate, create
    =========================  =======================================================================

    What code may rely on is dropped when the new one is there: :mod:`.deploy_order` has a name free for it until then.
    Primary keys are left to people: a step that verifies, where they have to act and nothing that Alembic creates on
    the same elements serves. What Alembic creates there is created. What can never be served is refused.
    """
    unservable = holds_the_rowid(state.target, state.traits)
    wants_primary_key = state.wanted.kind is Kind.PRIMARY_KEY
    if unservable is not None and not wants_primary_key:
        return RepairPlan(unservable, is_refused=True)
    candidates = sorted_out(state)
    if wants_primary_key or any(c.kind is Kind.PRIMARY_KEY for c in candidates.spoilers):
        return _by_hand(state, candidates, can_be_served=unservable is None)
    if not candidates.staying and not state.created and candidates.impostors and not state.compared:
        return RepairPlan(Shortfall(Code.UNPROVEN_ARBITER, candidates.impostors[0]))
    return _in_order(state, candidates)


def _by_hand(state: KeyState, candidates: SortedCandidates, *, can_be_served: bool) -> RepairPlan:
    """The plan where a primary key has to change: a person does that."""
    # what Alembic creates beside a primary key, for unique=True on its column, serves as well
    creates = state.created and not candidates.adopted
    serves = bool(candidates.staying) or (creates and can_be_served)
    undone = not serves or any(c.kind is Kind.PRIMARY_KEY for c in candidates.spoilers)
    steps = (
        *([_VALIDATE] if creates else []),
        *_drops(candidates.broken),
        *([_CREATE] if creates else []),
        *_drops(candidates.spoilers),
        *([_VERIFY] if undone else []),
    )
    return _because(state, candidates, steps)


def _in_order(state: KeyState, candidates: SortedCandidates) -> RepairPlan:
    """The plan where the revision itself does everything."""
    # not adopted: Alembic goes by name, and would ask for the wanted one in the next revision
    loses_its_name = any(has_its_name(state, c) for c in (*candidates.spoilers, *candidates.broken))
    if candidates.adopted or not (state.created or not candidates.staying or loses_its_name):
        return _because(
            state, candidates, (*_drops(candidates.broken), *_drops(candidates.spoilers))
        )
    lacking = _shortfall(state, candidates)
    if lacking.code is Code.PARTITION_KEY_MISSING:
        # PostgreSQL makes nothing unique that lacks a partition column (0A000)
        return RepairPlan(lacking, is_refused=True)
    impostors = () if candidates.staying else candidates.impostors
    before = (*candidates.broken, *(c for c in impostors if not c.unique))
    after = (*candidates.spoilers, *(c for c in impostors if c.unique))
    return RepairPlan(lacking, (_VALIDATE, *_drops(before), _CREATE, *_drops(after)))


def _drops(candidates: Iterable[Candidate]) -> tuple[Step, ...]:
    return tuple(Step(Action.DROP, c) for c in candidates if c.kind is not Kind.PRIMARY_KEY)


def _because(state: KeyState, candidates: SortedCandidates, steps: tuple[Step, ...]) -> RepairPlan:
    return RepairPlan(_shortfall(state, candidates) if steps else None, steps, candidates.adopted)


def _shortfall(state: KeyState, candidates: SortedCandidates) -> Shortfall:
    """The reason for whatever steps there are. What Alembic drops and would have served is not mentioned."""
    if candidates.spoilers:
        return Shortfall(Code.DEFERRABLE_ARBITER, candidates.spoilers[0])
    if candidates.broken:
        return Shortfall(Code.INVALID_ARBITER, candidates.broken[0])
    going = [c for c in candidates.good if c in state.dropped]
    verdict = judge(
        state.target,
        [c for c in state.offered if c not in going],
        # rules are no reason for a step: none puts them right
        replace(state.traits, refusing_rules=(), discarding_rules=(), takes_insert=True),
        named=state.named,
    )
    short = verdict.shortfall
    if short is None:
        # it upserts, but on other rows or other NULLs than the model's arbiter
        other = verdict.arbiters[0]
        differs = (
            not candidates.good and other.nulls_not_distinct != state.wanted.nulls_not_distinct
        )
        return Shortfall(Code.NULLS_MISMATCH if differs else Code.MISSING_ARBITER, other)
    if short.code is Code.UNPROVEN_ARBITER and state.compared:
        # the database was asked, and it is not the same
        return refused_candidate(short.candidate)
    return short
