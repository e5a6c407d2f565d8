"""Expand and contract: new arbiters first, the old ones last, and those that code may still upsert on after the deploy.

No order of statements leaves a table without the arbiter that running code needs, not even where each of them commits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alembic.operations.ops import DropColumnOp, ModifyTableOps

from .concurrent import as_concurrent_drop, as_online, is_built_concurrently
from .namesakes import created_beside, is_namesake, is_replaced_at_once, takes_the_name
from .plan import Action
from .planned import only

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation

    from ...inference import Candidate
    from .arbiter_ops import ArbiterOps, Repair
    from .placement import TableChanges
    from .removals import GuardedTable, Removal

__all__ = ["in_deploy_order"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordering:
    """What is known of one table while its operations are put in order."""

    context: AutogenContext
    guarded: GuardedTable
    arbiters: ArbiterOps
    removals: Mapping[Candidate, Removal]

    def beside(self, creation: MigrateOperation) -> MigrateOperation:
        """Return the creation under a temporary name."""
        return created_beside(creation, taken={c.name for c in self.guarded.offered})

    def namesakes(
        self, drop: MigrateOperation, ops: Iterable[MigrateOperation]
    ) -> list[MigrateOperation]:
        """Return those of `ops` that need the name which `drop` makes free."""
        return [op for op in ops if is_namesake(self.context.dialect, op, drop)]

    def drops_what_is_removed(self, op: MigrateOperation) -> bool:
        """Return whether code may still upsert on something that the operation drops."""
        return any(c in self.removals for c in self.arbiters.dropped.get(op, ()))


def in_deploy_order(
    context: AutogenContext,
    changes: TableChanges,
    guarded: GuardedTable,
    arbiters: ArbiterOps,
    *,
    removals: Sequence[Removal],
    repairs: Sequence[Repair],
) -> TableChanges:
    """Return the changes with what creates an arbiter before what drops one, and `removals` in the contract."""
    ordering = _Ordering(
        context=context,
        guarded=guarded,
        arbiters=arbiters,
        removals={each.candidate: each for each in removals},
    )
    drops = [op for op in changes.ops if ordering.drops_what_is_removed(op)]
    namesakes = [op for drop in drops for op in ordering.namesakes(drop, changes.ops)]
    beside = {op: ordering.beside(op) for op in namesakes if op in arbiters.created}
    # an index that is no arbiter waits for its name
    waiting = [op for op in namesakes if op not in beside]
    expand = [beside.get(op, op) for op in changes.ops if op not in (*drops, *waiting)]
    contract = _contracted(ordering, drops, beside, waiting)
    changes = replace(changes, ops=tuple(expand), contract=tuple(contract))
    for repair in repairs:
        changes = _with_online(context, changes, repair, beside)
    created = [op for op in changes.ops if op in arbiters.created or op in beside.values()]
    return replace(changes, ops=tuple(_expanded(ordering, changes.ops, created)))


def _contracted(
    ordering: _Ordering,
    drops: Sequence[MigrateOperation],
    beside: Mapping[MigrateOperation, MigrateOperation],
    waiting: Sequence[MigrateOperation],
) -> Iterator[MigrateOperation]:
    """What is left to the contract, as blocks."""
    table, dialect = ordering.guarded.table, ordering.context.dialect
    concurrently = is_built_concurrently(ordering.context, table)
    noted: set[Candidate] = set()
    block: list[MigrateOperation] = []
    for drop in drops:
        gone = [c for c in ordering.arbiters.dropped[drop] if c in ordering.removals]
        ops: list[MigrateOperation] = [
            ordering.removals[c].as_comment(table) for c in gone if c not in noted
        ]
        noted.update(gone)
        in_block = isinstance(drop, DropColumnOp) or not concurrently
        ops.append(drop if in_block else as_concurrent_drop(dialect, table, drop, gone[0]))
        for creation in ordering.namesakes(drop, (*beside, *waiting)):
            ops += (
                takes_the_name(dialect, table, beside[creation], creation)
                if creation in beside
                else [creation]
            )
        if in_block:
            block += ops
        else:
            yield from ops
    if block:
        yield ModifyTableOps(table.name, block, schema=table.schema)


def _with_online(
    context: AutogenContext,
    changes: TableChanges,
    repair: Repair,
    beside: Mapping[MigrateOperation, MigrateOperation],
) -> TableChanges:
    """The changes with the repair done online, where that is asked for."""
    planned = [
        replace(each, op=beside.get(each.op, each.op))
        for each in repair.planned
        if beside.get(each.op, each.op) in changes.ops
    ]
    own = [each.op for each in planned]
    elements = {*repair.key.wanted.elements}
    late = [
        each
        for each in repair.stock.drops
        if each.op in changes.ops
        and each.op not in own
        and (gone := each.step.candidate) is not None
        and gone.unique
        and {*gone.elements} == elements
    ]
    online = as_online(context, repair.key, planned, late)
    if online is None:
        return changes
    taken = [
        each.op
        for action in (Action.VALIDATE, Action.DROP, Action.CREATE)
        for each in only((*planned, *late), action)
    ]
    return replace(changes.without(taken), online=(*changes.online, online))


def _expanded(
    ordering: _Ordering, ops: Sequence[MigrateOperation], created: Sequence[MigrateOperation]
) -> list[MigrateOperation]:
    """The operations with each drop of what is in use after what is created."""
    if not created:
        return list(ops)
    drops = [op for op in ops if ordering.arbiters.drops_in_use(op)]
    replaced = {op: drop for drop in drops for op in ordering.namesakes(drop, ops)}
    last = [drop for drop in drops if drop not in replaced.values()]
    ordered: list[MigrateOperation] = []
    for op in ops:
        if op in replaced:
            ordered += _replaced(ordering, op, replaced[op], is_arbiter=op in created)
        elif op not in drops:
            ordered.append(op)
    after = max((i for i, op in enumerate(ordered) if op in created), default=-1) + 1
    columns = [i for i, op in enumerate(ordered) if i >= after and isinstance(op, DropColumnOp)]
    at = min(columns, default=len(ordered))
    return [*ordered[:at], *last, *ordered[at:]]


def _replaced(
    ordering: _Ordering, creation: MigrateOperation, drop: MigrateOperation, *, is_arbiter: bool
) -> list[MigrateOperation]:
    """What replaces one by another of the same name."""
    dialect = ordering.context.dialect
    if not is_arbiter or is_replaced_at_once(dialect, creation):
        return [drop, creation]
    beside = ordering.beside(creation)
    table = ordering.guarded.table
    return [beside, drop, *takes_the_name(dialect, table, beside, creation)]
