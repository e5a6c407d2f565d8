"""Alembic's lists of operations: putting ours in their place, and checks where they can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    DropColumnOp,
    MigrateOperation,
    ModifyTableOps,
    UpgradeOps,
)

from ..databases import database_for
from .operations import (
    ArbiterRemovedOp,
    DropByDefinitionOp,
    DropIndexByDefinitionOp,
    DropInvalidConstraintOp,
    DropInvalidIndexOp,
    UpsertKeyOp,
    ValidateUpsertKeyOp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alembic.autogenerate.api import AutogenContext

__all__ = ["settle", "splice"]

_NOT_IN_A_BLOCK = (
    DropByDefinitionOp,
    DropIndexByDefinitionOp,
    DropInvalidConstraintOp,
    DropInvalidIndexOp,
)
"""Their way back is a statement, which a batch block would run before everything else in it, or nothing at all."""


def splice(
    table_ops: ModifyTableOps,
    sequence: Sequence[MigrateOperation],
    replaced: Sequence[MigrateOperation],
) -> None:
    """Put `sequence` where the last of `replaced` stood, or else before columns are dropped."""
    before = table_ops.ops
    places = [before.index(op) for op in replaced] or [
        i for i, op in enumerate(before) if isinstance(op, DropColumnOp)
    ][:1]
    at = max(places, default=len(before))
    table_ops.ops = [
        *(op for op in before[:at] if op not in replaced),
        *sequence,
        *(op for op in before[at:] if op not in replaced),
    ]


def settle(context: AutogenContext, upgrade_ops: UpgradeOps) -> None:
    """Leave no empty list behind, and no check inside a batch block."""
    settled: list[MigrateOperation] = []
    for op in upgrade_ops.ops:
        if not isinstance(op, ModifyTableOps):
            settled.append(op)
        elif context.opts.get("render_as_batch"):
            settled += _lifted_out(op)
        elif op.ops:
            settled.append(op)
    upgrade_ops.ops = settled
    if database_for(context.dialect).commits_ddl:
        _put_checks_first(upgrade_ops)


def _put_checks_first(upgrade_ops: UpgradeOps) -> None:
    """Put the checks of the rows before everything that need not stand before them.

    Where each change of a schema commits, what stood above a check that refuses would be done, and an upgrade that
    runs again would begin with it: the revision is refused as a whole or not at all.
    """
    checks: list[MigrateOperation] = []
    left: list[MigrateOperation] = []
    above: dict[tuple[str | None, str], list[MigrateOperation]] = {}
    for op in upgrade_ops.ops:
        inner = op.ops if isinstance(op, ModifyTableOps) else [op]
        staying: list[MigrateOperation] = []
        for each in inner:
            if isinstance(each, ValidateUpsertKeyOp):
                done = above.get((each.schema, each.table_name), [])
                if not _prepares(done, each):
                    checks.append(each)
                    continue
            staying.append(each)
            if isinstance(op, ModifyTableOps):
                above.setdefault((op.schema, op.table_name), []).append(each)
        if isinstance(op, ModifyTableOps):
            op.ops = staying
        if staying:
            left.append(op)
    upgrade_ops.ops = [*checks, *left]


def _lifted_out(table_ops: ModifyTableOps) -> Iterator[MigrateOperation]:
    """The block with its checks before it, or between two parts of it.

    A batch block is applied when it is left: a check inside it would read the table as it was. Where the key
    needs a column that the block adds or changes, the check stands after that part.
    """
    block: list[MigrateOperation] = []
    comments: list[MigrateOperation] = []
    for op in table_ops.ops:
        if isinstance(op, ArbiterRemovedOp):
            comments.append(op)  # it goes where the next operation goes
            continue
        outside = isinstance(op, (UpsertKeyOp, *_NOT_IN_A_BLOCK))
        if not outside:
            block += [*comments, op]
        else:
            if block and (not isinstance(op, UpsertKeyOp) or _prepares(block, op)):
                yield ModifyTableOps(table_ops.table_name, block, schema=table_ops.schema)
                block = []
            yield from (*comments, op)
        comments = []
    if block:
        yield ModifyTableOps(table_ops.table_name, block, schema=table_ops.schema)


def _prepares(block: Sequence[MigrateOperation], check: UpsertKeyOp) -> bool:
    touched = {op.column.name for op in block if isinstance(op, AddColumnOp)}
    touched |= {op.column_name for op in block if isinstance(op, AlterColumnOp)}
    # SQL may name any of them
    any_sql = check.where is not None or any(not isinstance(e, str) for e in check.elements)
    return bool(touched) if any_sql else not touched.isdisjoint(map(str, check.elements))
