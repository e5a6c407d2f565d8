"""What a revision drops that code may still upsert on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...databases import database_for
from ...findings import FindingCode, with_both_arbiters, without_arbiter
from ...findings.statements import observed_at
from ...inference import ConflictTarget, Element, State, enforce_same_uniqueness, judge
from ..operations import ArbiterRemovedOp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Table

    from ...inference import Candidate
    from .arbiter_ops import ArbiterOps
    from .log_lines import LogLines
    from .observed import ObservedTarget

__all__ = ["GuardedTable", "Removal", "note_removals", "removals_from"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedTable:
    """A table that drops are noted of."""

    table: Table
    offered: tuple[Candidate, ...]
    """What it has in the database."""
    is_declared: bool
    """Whether it has a declared key: any arbiter that goes is noted then, whoever upserts on it."""
    observed: tuple[ObservedTarget, ...]
    """What the application was seen to upsert on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """An arbiter that goes, and that leaves none in its place."""

    candidate: Candidate
    places: tuple[str, ...]
    """``path:line`` of the upserts on it that tests ran."""
    in_doubt: bool
    """Whether what is left may serve them all the same: its SQL is other SQL, and that proves nothing."""
    refuses_new_rows: bool
    """Whether rows that what is created allows break it as long as it is there."""
    refusing_old_rows: tuple[tuple[str, ...], ...]
    """The elements of what is created and is broken by rows that it allows: old code may write such."""

    def as_comment(self, table: Table) -> ArbiterRemovedOp:
        """Return the comment above the operation that drops it."""
        return ArbiterRemovedOp(
            table.name,
            self.candidate.labels,
            schema=table.schema,
            places=self.places,
            in_doubt=self.in_doubt,
            refuses_new_rows=self.refuses_new_rows,
        )


def removals_from(guarded: GuardedTable, ops: ArbiterOps) -> tuple[Removal, ...]:
    """Return what goes and leaves no arbiter for upserts on it, each once, in the order of the drops."""
    gone = tuple(dict.fromkeys(c for candidates in ops.dropped.values() for c in candidates))
    remaining = [*(c for c in guarded.offered if c not in gone), *ops.created.values()]
    return tuple(
        removal
        for candidate in gone
        if (removal := _removal(guarded, candidate, remaining, ops)) is not None
    )


def _removal(
    guarded: GuardedTable, gone: Candidate, remaining: Sequence[Candidate], ops: ArbiterOps
) -> Removal | None:
    places = tuple(each.place for each in guarded.observed if each.loses(gone, remaining))
    state = _state_without(gone, remaining) if guarded.is_declared else State.SATISFIED
    # SQL in two spellings proves nothing, and is mostly the same
    if not places and state is not State.SHORT and (state is State.SATISFIED or not ops.compared):
        return None
    instead = [c for c in ops.created.values() if not {*c.labels}.isdisjoint(gone.labels)]
    return Removal(
        candidate=gone,
        places=places,
        in_doubt=not places and state is State.UNKNOWN,
        refuses_new_rows=any(not _implies(c, gone) for c in instead),
        refusing_old_rows=tuple(c.labels for c in instead if not _implies(gone, c)),
    )


def _state_without(gone: Candidate, remaining: Iterable[Candidate]) -> State:
    """Whether code that upserts on `gone` has an arbiter among `remaining`."""
    if not (gone.unique and gone.valid and gone.immediate and gone.inferable):
        return State.SATISFIED
    remaining = tuple(remaining)
    if any(enforce_same_uniqueness(c, gone, nullable=False) for c in remaining if c.immediate):
        return State.SATISFIED
    # upserts rarely name the collation or operator class of an index
    elements = tuple(Element(e.column, e.expression) for e in gone.elements)
    is_unread = gone.partial and gone.predicate is None
    state = judge(ConflictTarget(elements, gone.predicate), remaining).state
    return State.UNKNOWN if is_unread and state is State.SHORT else state


def _implies(one: Candidate, other: Candidate) -> bool:
    """Whether rows that `one` allows never break `other`; in doubt they do."""
    rows_are_covered = not one.partial or (other.partial and one.predicate == other.predicate)
    nulls_are = one.nulls_not_distinct >= other.nulls_not_distinct
    return rows_are_covered and nulls_are and {*one.elements} <= {*other.elements}


def note_removals(
    context: AutogenContext, table: Table, removals: Iterable[Removal], lines: LogLines
) -> None:
    """Note each of them in a warning."""
    outcome = without_arbiter(database_for(context.dialect))
    both = with_both_arbiters(database_for(context.dialect))
    for each in removals:
        name = each.candidate.name
        loss = (
            f" loses {name}, and it is not known whether anything else serves upserts on it: code that still does them "
            if each.in_doubt
            else f" loses its last arbiter, {name}: code that still upserts on it "
        )
        lines.removal(
            f"{FindingCode.ARBITER_REMOVED}: ",
            table,
            each.candidate,
            f"{loss}{outcome}{observed_at(each.places)}{''.join(_between(each, both))}",
        )


def _between(removal: Removal, both: str) -> Iterator[str]:
    """What is refused as long as the old arbiter and the new one are both there."""
    for labels in removal.refusing_old_rows:
        yield f"; from the new one on, rows of the old code that are the same in ({', '.join(labels)}) {both}"
    if removal.refuses_new_rows:
        own = ", ".join(removal.candidate.labels)
        yield f"; until it is dropped, rows of the new code that are the same in ({own}) {both}"
