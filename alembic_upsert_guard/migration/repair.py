"""What a revision has to do for one key. Pure: facts in, steps out; :mod:`.compare` turns them into operations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from ..inference import (
    Candidate,
    Code,
    ConflictTarget,
    Element,
    Kind,
    Shortfall,
    State,
    Traits,
    can_be_inferred,
    enforce_same_uniqueness,
    holds_the_rowid,
    judge,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Action", "KeyState", "Repair", "Step", "leaves_no_arbiter", "plan_repair"]


class Action(Enum):
    """A step of a repair."""

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


@dataclass(frozen=True, slots=True)
class KeyState:
    """What is known of one key when autogenerate has compared its table."""

    target: ConflictTarget
    wanted: Candidate
    """The model's arbiter."""
    owned: bool
    """Whether the key attached `wanted` itself and states no name: any arbiter like it will do."""
    offered: tuple[Candidate, ...]
    dropped: frozenset[Candidate]
    """Those of `offered` that Alembic's own operations drop."""
    created: bool
    """Whether Alembic's own operations create `wanted`."""
    compared: bool
    nullable: bool
    traits: Traits = field(default_factory=Traits)
    attached: bool = False
    """Whether the key attached `wanted` itself, under whatever name: one like it of that name and kind will do."""
    named: tuple[str, ...] | None = None
    """The arbiters that the database named when it was asked about the key on the table; None: it was not asked."""


@dataclass(frozen=True, slots=True)
class Repair:
    """The answer for one key."""

    shortfall: Shortfall | None = None
    """Why; None: nothing is short."""

    steps: tuple[Step, ...] = ()
    """In order; they take the place of Alembic's creation of the arbiter and of its drops of what they drop."""

    adopted: tuple[Candidate, ...] = ()
    """What serves as it is: Alembic's drops of these, and its creation of the arbiter, are taken out."""

    is_refused: bool = False
    """Whether nothing that a revision could make would serve: the declaration has to change."""


def plan_repair(state: KeyState) -> Repair:
    """Return what the revision does for the key.

    `good`: valid, immediate, of the wanted uniqueness. `spoiler`: deferrable, and inferred. `broken`: INVALID, and of
    the wanted shape or name. `impostor`: bears the wanted name and is something else, which Alembic does not see.

    =========================  =======================================================================
    the database has           steps
    =========================  =======================================================================
    good, owned                none, and Alembic's drops and creation are taken out
    good, attached, namesake   the same: Alembic took other words for another index
    good, not owned            Alembic's, with the check before the creation
    good, and spoiler, broken  drop the spoiler, the broken one
    spoiler                    validate, drop, create
    broken                     drop, validate, create
    impostor                   validate, drop, create
    none of them               validate, create
    =========================  =======================================================================

    Primary keys are left to people: a step that verifies, where they have to act and nothing that Alembic creates on
    the same elements serves. What Alembic creates there is created. What can never be served is refused.
    """
    unservable = holds_the_rowid(state.target, state.traits)
    if unservable is not None and state.wanted.kind is not Kind.PRIMARY_KEY:
        return Repair(unservable, is_refused=True)
    good = [c for c in state.offered if c.valid and c.immediate and _is_wanted(state, c)]
    spoilers = [c for c in state.offered if c.valid and not c.immediate and _is_inferred(state, c)]
    broken = [
        c
        for c in state.offered
        if not c.valid and (_is_wanted(state, c) or _has_its_name(state, c))
    ]
    adopted = tuple(
        c for c in good if state.owned or (state.attached and _is_its_namesake(state, c))
    )
    standing = adopted or tuple(c for c in good if c not in state.dropped)
    drops_first = [Step(Action.DROP, c) for c in broken if c.kind is not Kind.PRIMARY_KEY]
    drops_after = [Step(Action.DROP, c) for c in spoilers if c.kind is not Kind.PRIMARY_KEY]
    by_hand = state.wanted.kind is Kind.PRIMARY_KEY or any(
        c.kind is Kind.PRIMARY_KEY for c in spoilers
    )
    if by_hand:
        # what Alembic creates beside a primary key, for unique=True on its column, serves as well
        creates = state.created and not adopted
        serves = standing or (creates and unservable is None)
        undone = not serves or len(drops_after) < len(spoilers)
        steps = (
            *drops_first,
            *([Step(Action.VALIDATE)] if creates else []),
            *drops_after,
            *([Step(Action.CREATE)] if creates else []),
            *([Step(Action.VERIFY)] if undone else []),
        )
        return Repair(_shortfall(state, good, spoilers, broken) if steps else None, steps, adopted)

    impostors = [
        c
        for c in state.offered
        if _has_its_name(state, c) and c not in (*good, *spoilers, *broken, *state.dropped)
    ]
    if not standing and not state.created and impostors and not state.compared:
        return Repair(Shortfall(Code.UNPROVEN_ARBITER, impostors[0]))
    # not adopted: Alembic goes by name, and would ask for the wanted one in the next revision
    loses_its_name = any(_has_its_name(state, c) for c in (*spoilers, *broken))
    creates = not adopted and (state.created or not standing or loses_its_name)
    if creates:
        if not standing:
            drops_after += [Step(Action.DROP, c) for c in impostors]
        steps = (*drops_first, Step(Action.VALIDATE), *drops_after, Step(Action.CREATE))
        lacking = _shortfall(state, good, spoilers, broken)
        if lacking.code is Code.PARTITION_KEY_MISSING:
            # PostgreSQL makes nothing unique that lacks a partition column (0A000)
            return Repair(lacking, is_refused=True)
    else:
        steps = (*drops_first, *drops_after)
    return Repair(_shortfall(state, good, spoilers, broken) if steps else None, steps, adopted)


def _has_its_name(state: KeyState, candidate: Candidate) -> bool:
    """Whether Alembic takes the candidate for `wanted`; what has no name in the models is no namesake of anything."""
    return state.wanted.name is not None and candidate.name == state.wanted.name


def _is_its_namesake(state: KeyState, candidate: Candidate) -> bool:
    return _has_its_name(state, candidate) and candidate.kind is state.wanted.kind


def _is_inferred(state: KeyState, candidate: Candidate) -> bool | None:
    if state.named is not None:
        return candidate.name in state.named
    return can_be_inferred(state.target, candidate, state.traits)


def _is_wanted(state: KeyState, candidate: Candidate) -> bool:
    wanted = state.wanted
    if enforce_same_uniqueness(candidate, wanted, nullable=state.nullable):
        return True
    # to the planner SQL is the same that is spelled otherwise, as a + 2 and a + (1 + 1); it looks at no collation
    return (
        state.owned
        and candidate.name in (state.named or ())
        and candidate.partial == wanted.partial
        and candidate.predicate == wanted.predicate
        and _collations(candidate) == _collations(wanted)
        and (not state.nullable or candidate.nulls_not_distinct == wanted.nulls_not_distinct)
    )


def _collations(candidate: Candidate) -> list[str]:
    return sorted(element.actual_collation or "" for element in candidate.elements)


def _shortfall(
    state: KeyState,
    good: list[Candidate],
    spoilers: list[Candidate],
    broken: list[Candidate],
) -> Shortfall:
    """The reason for whatever steps there are. What Alembic drops and would have served is not told of."""
    if spoilers:
        return Shortfall(Code.DEFERRABLE_ARBITER, spoilers[0])
    if broken:
        return Shortfall(Code.INVALID_ARBITER, broken[0])
    going = [c for c in good if c in state.dropped]
    verdict = judge(
        state.target,
        [c for c in state.offered if c not in going],
        # rules are no reason for a step: none puts them right
        replace(state.traits, refusing_rules=(), discarding_rules=(), takes_insert=True),
        named=state.named,
    )
    found = verdict.shortfall
    if found is None:
        # it upserts, but on other rows or other NULLs than the model's arbiter
        other = verdict.arbiters[0]
        differs = not good and other.nulls_not_distinct != state.wanted.nulls_not_distinct
        return Shortfall(Code.NULLS_MISMATCH if differs else Code.MISSING_ARBITER, other)
    if found.code is Code.UNPROVEN_ARBITER and state.compared:
        # the database was asked, and it is not the same
        partial = found.candidate is not None and found.candidate.partial
        return Shortfall(
            Code.PREDICATE_MISMATCH if partial else Code.MISSING_ARBITER, found.candidate
        )
    return found


def leaves_no_arbiter(gone: Candidate, remaining: Iterable[Candidate]) -> bool:
    """Return whether code that upserts on `gone` has no arbiter left among `remaining`; in doubt it has one."""
    usable = gone.unique and gone.valid and gone.immediate and gone.inferable
    if not usable or (gone.partial and gone.predicate is None):
        return False
    # upserts rarely name the collation or operator class of an index
    elements = tuple(Element(e.column, e.expression) for e in gone.elements)
    return judge(ConflictTarget(elements, gone.predicate), remaining).state is State.SHORT
