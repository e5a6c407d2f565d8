"""What a revision drops besides: said above each drop that leaves no arbiter, and kept whole for the way back."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alembic.operations.ops import CreateIndexOp, CreateUniqueConstraintOp, DropIndexOp

from ...catalog.postgresql import server_version
from ...databases import database_for
from ...findings import FindingCode, without_arbiter
from ...findings.statements import observed_at
from ...inference import ConflictTarget, Element, State, judge
from ..operations import ArbiterRemovedOp, DropIndexByDefinitionOp, DropInvalidIndexOp
from .alembic_ops import arbiters_created_by, arbiters_dropped_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import Table

    from ...inference import Candidate
    from .log_lines import LogLines
    from .observed import ObservedTarget
    from .placement import TableChanges

__all__ = ["GuardedTable", "with_removals_noted"]


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


def with_removals_noted(
    context: AutogenContext, changes: TableChanges, guarded: GuardedTable, lines: LogLines
) -> TableChanges:
    """Return the changes with a comment above each drop that leaves no arbiter, and drops that can be taken back."""
    dropped = {op: arbiters_dropped_by(op, guarded.offered) for op in changes.ops}
    gone = {candidate for candidates in dropped.values() for candidate in candidates}
    created = [
        candidate
        for op in (*changes.ops, *changes.online_creations)
        for candidate in arbiters_created_by(context, op)
    ]
    remaining = [*(c for c in guarded.offered if c not in gone), *created]
    # an expression in the model's spelling cannot be compared with the database's: in doubt it serves
    in_doubt = any(element.column is None for c in created for element in c.elements)

    def noted(op: MigrateOperation) -> Iterator[MigrateOperation]:
        if not in_doubt:
            yield from _removals(context, guarded, dropped[op], remaining, lines)
        yield _reversible(context, op, guarded.table, dropped[op])

    return replace(changes, ops=tuple(each for op in changes.ops for each in noted(op)))


def _removals(
    context: AutogenContext,
    guarded: GuardedTable,
    dropped: Sequence[Candidate],
    remaining: Sequence[Candidate],
    lines: LogLines,
) -> Iterator[MigrateOperation]:
    table, outcome = guarded.table, without_arbiter(database_for(context.dialect))
    for candidate in dropped:
        places = tuple(each.place for each in guarded.observed if each.loses(candidate, remaining))
        if places or (guarded.is_declared and _leaves_no_arbiter(candidate, remaining)):
            lines.removal(
                f"{FindingCode.ARBITER_REMOVED}: ",
                table,
                candidate,
                f" loses its last arbiter, {candidate.name}: code that still upserts on it {outcome}"
                f"{observed_at(places)}",
            )
            yield ArbiterRemovedOp(table.name, candidate.labels, schema=table.schema, places=places)


def _leaves_no_arbiter(gone: Candidate, remaining: Iterable[Candidate]) -> bool:
    """Whether code that upserts on `gone` has no arbiter left among `remaining`; in doubt it has one."""
    usable = gone.unique and gone.valid and gone.immediate and gone.inferable
    if not usable or (gone.partial and gone.predicate is None):
        return False
    # upserts rarely name the collation or operator class of an index
    elements = tuple(Element(e.column, e.expression) for e in gone.elements)
    return judge(ConflictTarget(elements, gone.predicate), remaining).state is State.SHORT


def _reversible(
    context: AutogenContext, op: MigrateOperation, table: Table, dropped: Sequence[Candidate]
) -> MigrateOperation:
    definition = _definition_lost_on_alembic(op, dropped)
    if definition is None:
        return _without_nulls_distinct(context, op)
    assert isinstance(op, DropIndexOp)  # noqa: S101 - nothing else has a definition
    name = str(op.index_name)
    return DropIndexByDefinitionOp(name, table.name, schema=table.schema, definition=definition)


def _definition_lost_on_alembic(op: MigrateOperation, dropped: Sequence[Candidate]) -> str | None:
    """The definition of the index, where Alembic's own way back would create another one than it drops."""
    if not isinstance(op, DropIndexOp) or isinstance(op, DropInvalidIndexOp) or len(dropped) != 1:
        return None
    (candidate,) = dropped
    if candidate.definition is None:
        return None
    # it reflects neither collation nor operator class
    is_lost = any(e.collation is not None or e.opclass is not None for e in candidate.elements)
    # what it reflected has lost a colon by now, and its renderer doubles a per cent sign
    sql = candidate.definition.replace("::", "")
    return candidate.definition if is_lost or "%" in sql or ":" in sql else None


def _without_nulls_distinct(context: AutogenContext, op: MigrateOperation) -> MigrateOperation:
    """The drop without NULLS DISTINCT in its way back: SQLAlchemy reflects it on servers that cannot parse it, too."""
    back = getattr(op, "_reverse", None)
    if not isinstance(back, CreateUniqueConstraintOp | CreateIndexOp):
        return op
    since = database_for(context.dialect).nulls_not_distinct_since
    if since is None or server_version(context.dialect) >= since:
        return op
    spared, spared_back = copy(op), copy(back)
    spared_back.kw = {k: v for k, v in back.kw.items() if k != "postgresql_nulls_not_distinct"}
    vars(spared)["_reverse"] = spared_back
    return spared
