"""What is known of one key, and what each candidate of its table is to it. Pure: facts in, facts out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ...inference import (
    Candidate,
    ConflictTarget,
    Traits,
    can_be_inferred,
    enforce_same_uniqueness,
)

__all__ = ["KeyState", "SortedCandidates", "has_its_name", "sorted_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
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


class _Role(Enum):
    """What a candidate is to the key."""

    GOOD = "valid, immediate, of the wanted uniqueness"
    SPOILER = "deferrable, and inferred"
    BROKEN = "INVALID, and of the wanted shape or name"
    IMPOSTOR = "of the wanted name and something else, which Alembic does not see"
    OTHER = "nothing to the key, or dropped by Alembic"


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedCandidates:
    """What the database offers, by what it is to the key."""

    good: tuple[Candidate, ...]
    spoilers: tuple[Candidate, ...]
    broken: tuple[Candidate, ...]
    impostors: tuple[Candidate, ...]
    adopted: tuple[Candidate, ...]
    """Those of `good` that serve as they are."""
    staying: tuple[Candidate, ...]
    """Those of `good` that serve after Alembic's own drops."""


def sorted_out(state: KeyState) -> SortedCandidates:
    """Return the candidates of the table by what they are to the key."""
    roles = [(_role(state, candidate), candidate) for candidate in state.offered]
    good, spoilers, broken, impostors = (
        tuple(candidate for role, candidate in roles if role is wanted)
        for wanted in (_Role.GOOD, _Role.SPOILER, _Role.BROKEN, _Role.IMPOSTOR)
    )
    adopted = tuple(c for c in good if _is_adopted(state, c))
    return SortedCandidates(
        good=good,
        spoilers=spoilers,
        broken=broken,
        impostors=impostors,
        adopted=adopted,
        staying=adopted or tuple(c for c in good if c not in state.dropped),
    )


def _role(state: KeyState, candidate: Candidate) -> _Role:
    is_namesake = has_its_name(state, candidate)
    if not candidate.valid and (is_namesake or _is_wanted(state, candidate)):
        return _Role.BROKEN
    if candidate.valid and candidate.immediate and _is_wanted(state, candidate):
        return _Role.GOOD
    if candidate.valid and not candidate.immediate and _is_inferred(state, candidate):
        return _Role.SPOILER
    if is_namesake and candidate not in state.dropped:
        return _Role.IMPOSTOR
    return _Role.OTHER


def _is_adopted(state: KeyState, candidate: Candidate) -> bool:
    is_namesake = has_its_name(state, candidate) and candidate.kind is state.wanted.kind
    return state.owned or (state.attached and is_namesake)


def has_its_name(state: KeyState, candidate: Candidate) -> bool:
    """Return whether Alembic takes the candidate for `wanted`; where that has no name in the models, it takes none."""
    return state.wanted.name is not None and candidate.name == state.wanted.name


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
