"""The one answer for a key: the judge, the database where text cannot prove, NULL modes and rivals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..catalog import TableName, catalog_for
from ..inference import (
    Code,
    Shortfall,
    State,
    Verdict,
    can_be_inferred,
    judge,
    refused_candidate,
)
from .inferred import inferred_arbiters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

    from ..catalog import Inferred
    from ..inference import Candidate, Traits
    from .inspected import InspectedKey

__all__ = ["Answer", "answer_for", "conclude", "finds_arbiter", "verdict_on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known of one declared key on one database."""

    state: State
    arbiters: tuple[str, ...]
    """Every arbiter that the database infers, by name, or by its kind where it has none; those that spoil included."""
    shortfall: Shortfall | None
    """Why no arbiter is found, or none for certain; None: one is."""
    other_nulls: Candidate | None
    """The arbiter, where each takes NULLs otherwise than the key; `state` is then short. None: one takes them so."""
    nullable: tuple[str, ...]
    """The elements, by label, that may be NULL while the key does not state what that means."""
    rivals: tuple[Candidate, ...]
    """See :attr:`.inference.Verdict.rivals`."""


def answer_for(connection: Connection, key: InspectedKey) -> Answer:
    """Return what the rules and the database make of the key. Nothing is written."""
    verdict = verdict_on(key)
    state, shortfall, arbiters = verdict.state, verdict.shortfall, _names(verdict.arbiters)
    if key.inferred is None and (state is State.UNKNOWN or _may_have_more(key, verdict)):
        inferred = inferred_arbiters(connection, _name_of(key), key.declared)
        state, shortfall = conclude(inferred, key.offered, verdict, key.traits)
        arbiters = arbiters if inferred.doubt is not None else inferred.arbiters
        arbiters = () if inferred.refusal is not None else arbiters
    other = None if shortfall is not None else _of_other_nulls(key, verdict.arbiters, arbiters)
    nullable = _nullable_elements(connection, key) if key.declaration.nulls == "warn" else ()
    if (other is not None or nullable) and _keeps_null_out(connection, key):
        other, nullable = None, ()
    return Answer(
        state=state if other is None else State.SHORT,
        arbiters=arbiters,
        shortfall=shortfall,
        other_nulls=other,
        nullable=nullable,
        rivals=verdict.rivals,
    )


def verdict_on(key: InspectedKey) -> Verdict:
    """Return whether the database serves the key: the database's own answer where it gave one, else the rules'."""
    verdict = judge(key.target, key.offered, key.traits, named=key.named)
    found = verdict.shortfall
    if key.unread is not None and not (found and (found.rules or found.relation)):
        return Verdict(State.SHORT, (), Shortfall(Code.MISSING_ARBITER, unread=key.unread))
    if found is not None and found.code is Code.UNPROVEN_ARBITER:
        return replace(verdict, shortfall=replace(found, lacking=key.lacking))
    if key.folded is None or found is None or found.code is Code.DEFERRABLE_ARBITER:
        return verdict
    if key.named is None or found.rules or found.relation:
        return verdict
    shortfall = Shortfall(Code.MISSING_ARBITER, found.candidate, folded=key.folded)
    return Verdict(State.SHORT, (), shortfall)


def conclude(
    inferred: Inferred, offered: Sequence[Candidate], verdict: Verdict, traits: Traits
) -> tuple[State, Shortfall | None]:
    """Return what the database's answer makes of a target; what text proves, where it has none.

    :param offered: what the table has.
    :param verdict: the judge's; its candidate is the one to name.
    """
    shortfall = verdict.shortfall
    candidate = None if shortfall is None else shortfall.candidate
    if inferred.is_refused_by_rules and inferred.doubt is not None and traits.relation == "view":
        return State.SHORT, Shortfall(Code.MISSING_ARBITER, relation=traits.relation)
    if inferred.unread:
        return State.SHORT, Shortfall(Code.MISSING_ARBITER, unread=inferred.doubt)
    if inferred.doubt is not None:
        return verdict.state, shortfall
    if inferred.refusal is not None and verdict.state is State.SHORT:
        return State.SHORT, shortfall
    if inferred.refusal is not None and traits.relation == "view":
        return State.SHORT, Shortfall(Code.MISSING_ARBITER, is_behind_view=True)
    if inferred.refusal is not None:
        return State.SHORT, refused_candidate(candidate)
    if inferred.deferrable:
        spoiler = next((c for c in offered if c.name in inferred.deferrable), candidate)
        return State.SHORT, Shortfall(Code.DEFERRABLE_ARBITER, spoiler)
    return State.SATISFIED, None


def finds_arbiter(connection: Connection | None, key: InspectedKey) -> bool:
    """Return whether the database itself finds an arbiter, where text could not prove it.

    :param connection: None: it cannot be asked, and what was answered before counts.
    """
    inferred = key.inferred
    if inferred is None and connection is not None:
        inferred = inferred_arbiters(connection, _name_of(key), key.declared)
    return inferred is not None and not (inferred.refusal or inferred.doubt or inferred.deferrable)


def _name_of(key: InspectedKey) -> TableName:
    return TableName(key.table.schema, key.table.name)


def _nullable_elements(connection: Connection, key: InspectedKey) -> tuple[str, ...]:
    """The key's elements that may be NULL in the database, by label: columns, and expressions that it knows of."""
    if all(each.column is not None for each in key.declared.elements):
        return key.nullable_columns
    catalog = catalog_for(connection.dialect)
    assert catalog is not None  # noqa: S101 - the caller has asked
    return (
        *key.nullable_columns,
        *catalog.null_makes_null(connection, _name_of(key), key.declared),
    )


def _keeps_null_out(connection: Connection, key: InspectedKey) -> bool:
    """Whether the key's predicate lets no NULL in, so that it does not matter how an index takes it."""
    catalog = catalog_for(connection.dialect)
    assert catalog is not None  # noqa: S101 - the caller has asked
    return catalog.keeps_null_out(connection, _name_of(key), key.declared)


def _of_other_nulls(
    key: InspectedKey, judged: Sequence[Candidate], named: Sequence[str]
) -> Candidate | None:
    """An arbiter that takes NULLs otherwise than the key, where none takes them as the key does.

    :param named: the names of the arbiters.
    """
    serving = judged or [c for c in key.offered if c.name in named]
    fitting = {c.nulls_not_distinct == key.wanted.nulls_not_distinct for c in serving}
    return serving[0] if key.nullable and fitting == {False} else None


def _names(arbiters: Iterable[Candidate]) -> tuple[str, ...]:
    return tuple(str(c.name or c.kind.value) for c in arbiters)


def _may_have_more(key: InspectedKey, verdict: Verdict) -> bool:
    """Whether a partial index may be an arbiter, too, of a key of plain columns: where its predicate folds to true."""
    if not key.traits.database.has_planner or key.traits.refusing_rules:
        return False
    return any(
        can_be_inferred(key.target, replace(c, partial=False, predicate=None), key.traits)
        for c in key.offered
        if c.partial and c.valid and c not in verdict.arbiters
    )
