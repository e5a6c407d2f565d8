"""Where operations go: ours in the place of Alembic's, and checks where they can be run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    DropColumnOp,
    MigrateOperation,
    ModifyTableOps,
)

from ...findings import FEW_SCHEMAS
from ...rows import parents_first
from ..context import metadata_of
from ..operations import (
    ArbiterRemovedOp,
    ContractOps,
    DropByDefinitionOp,
    DropIndexByDefinitionOp,
    DropInvalidConstraintOp,
    DropInvalidIndexOp,
    OnlineOps,
    RenameArbiterOp,
    UpsertKeyOp,
    ValidateUpsertKeyOp,
)
from .plan import Action
from .planned import only

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeGuard

    from alembic.autogenerate.api import AutogenContext

    from .alembic_ops import StockOps
    from .planned import PlannedOp

__all__ = ["TableChanges", "arranged", "placed"]

_NOT_IN_A_BLOCK = (
    DropByDefinitionOp,
    DropIndexByDefinitionOp,
    DropInvalidConstraintOp,
    DropInvalidIndexOp,
    RenameArbiterOp,
)
"""Their way back is a statement, which a batch block would run before everything else in it, or nothing at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChanges:
    """What a revision does to one table."""

    ops: tuple[MigrateOperation, ...]
    """In order."""
    verifications: tuple[MigrateOperation, ...] = ()
    """What comes after all of the table's."""
    online: tuple[OnlineOps, ...] = ()
    """What is done outside a transaction, after everything else of the revision."""
    contract: tuple[MigrateOperation, ...] = ()
    """What comes after the deploy, in order: the table's block, and what has a place in none."""

    def without(self, ops: Iterable[MigrateOperation]) -> TableChanges:
        """Return the changes without `ops`."""
        gone = tuple(ops)
        return replace(self, ops=tuple(op for op in self.ops if op not in gone))


def placed(changes: TableChanges, planned: Sequence[PlannedOp], stock: StockOps) -> TableChanges:
    """Return the changes with what is planned in the place of the stock operations that do the same."""
    sequence = [each.op for each in planned if each.step.action is not Action.VERIFY]
    verifications = (each.op for each in only(planned, Action.VERIFY))
    ops = _spliced(changes.ops, sequence, _replaced(planned, stock))
    return replace(changes, ops=ops, verifications=(*changes.verifications, *verifications))


def _replaced(planned: Sequence[PlannedOp], stock: StockOps) -> list[MigrateOperation]:
    """The stock operations that do what is planned."""
    dropped = {each.step.candidate for each in only(planned, Action.DROP)}
    drops = [each.op for each in stock.drops if each.step.candidate in dropped]
    return drops if stock.creation is None else [*drops, stock.creation]


def _spliced(
    ops: Sequence[MigrateOperation],
    sequence: Sequence[MigrateOperation],
    replaced: Sequence[MigrateOperation],
) -> tuple[MigrateOperation, ...]:
    """`ops` with `sequence` in the place of the last of `replaced`, or else before columns are dropped."""
    places = [ops.index(op) for op in replaced] or [
        i for i, op in enumerate(ops) if isinstance(op, DropColumnOp)
    ][:1]
    at = max(places, default=len(ops))
    return (
        *(op for op in ops[:at] if op not in replaced),
        *sequence,
        *(op for op in ops[at:] if op not in replaced),
    )


def arranged(
    context: AutogenContext,
    ops: Iterable[MigrateOperation],
    changes: Mapping[ModifyTableOps, TableChanges],
) -> list[MigrateOperation]:
    """Return the operations of the revision: no empty list among them, and no check inside a batch block.

    :param changes: what becomes of those of `ops` that are about tables with keys.
    """
    blocks: list[MigrateOperation] = []
    for op in ops:
        own = changes.get(op) if isinstance(op, ModifyTableOps) else None
        blocks += [op] if own is None else [_like(op, own.ops), *own.verifications]
    places = _places(context)
    by_table = sorted(changes, key=lambda block: places.get((block.schema, block.table_name), 0))
    blocks += [online for block in by_table for online in changes[block].online]
    expand = _with_checks_first(_lifted(context, _offered_once(blocks)), places)
    contract = _lifted(context, (op for own in changes.values() for op in own.contract))
    if not contract or not expand:
        return expand or contract
    return [*expand, ContractOps(contract)]


def _places(context: AutogenContext) -> Mapping[tuple[str | None, str], int]:
    """The order of the tables in which the lines that are offered for their rows can be run."""
    metadata = metadata_of(context.migration_context)
    places = parents_first(table for each in metadata for table in each.tables.values())
    return {(table.schema, table.name): place for table, place in places.items()}


def _lifted(context: AutogenContext, blocks: Iterable[MigrateOperation]) -> list[MigrateOperation]:
    is_batch = bool(context.opts.get("render_as_batch"))
    return [each for op in blocks for each in _whole_or_lifted(op, is_batch=is_batch)]


def _like(block: MigrateOperation, ops: Iterable[MigrateOperation]) -> MigrateOperation:
    assert isinstance(block, ModifyTableOps)  # noqa: S101 - nothing else has operations of its own
    return ModifyTableOps(block.table_name, list(ops), schema=block.schema)


def _whole_or_lifted(op: MigrateOperation, *, is_batch: bool) -> Iterator[MigrateOperation]:
    if not isinstance(op, ModifyTableOps):
        yield op
    elif is_batch:
        yield from _lifted_out(op)
    elif op.ops:
        yield op


def _offered_once(blocks: Iterable[MigrateOperation]) -> Iterator[MigrateOperation]:
    """The blocks; where many schemas have one key, the line that deduplicates is above the first one's check only."""
    listed = list(blocks)
    checks = (op for block in listed if isinstance(block, ModifyTableOps) for op in block.ops)
    schemas = Counter(_offer_of(op) for op in checks if isinstance(op, ValidateUpsertKeyOp))
    offered = set()
    for block in listed:
        if not isinstance(block, ModifyTableOps):
            yield block
            continue
        ops: list[MigrateOperation] = []
        for op in block.ops:
            if isinstance(op, ValidateUpsertKeyOp):
                offer = _offer_of(op)
                is_known = schemas[offer] > FEW_SCHEMAS and offer in offered
                ops.append(op.without_suggestion() if is_known else op)
                offered.add(offer)
            else:
                ops.append(op)
        yield _like(block, ops)


def _offer_of(check: ValidateUpsertKeyOp) -> tuple[object, ...]:
    """What the line has besides the schema."""
    elements = tuple(map(str, check.elements))
    return check.table_name, elements, str(check.where), check.suggested_order


def _with_checks_first(
    blocks: Iterable[MigrateOperation], places: Mapping[tuple[str | None, str], int]
) -> list[MigrateOperation]:
    """The checks of the rows before everything that need not come before them.

    Where each change of a schema commits (MySQL, AUTOCOMMIT), what is above a check that refuses would be done, and an
    upgrade that runs again would begin with it: the revision is refused as a whole or not at all.
    """
    checks: list[ValidateUpsertKeyOp] = []
    rest: list[MigrateOperation] = []
    above: dict[tuple[str | None, str], list[MigrateOperation]] = {}

    def is_first(op: MigrateOperation) -> TypeGuard[ValidateUpsertKeyOp]:
        return isinstance(op, ValidateUpsertKeyOp) and not _prepares(
            above.get((op.schema, op.table_name), []), op
        )

    for block in blocks:
        if not isinstance(block, ModifyTableOps):
            if is_first(block):
                checks.append(block)
            else:
                rest.append(block)
            continue
        ops: list[MigrateOperation] = []
        for op in block.ops:
            if is_first(op):
                checks.append(op)
            else:
                ops.append(op)
            above.setdefault((block.schema, block.table_name), []).append(op)
        rest += [_like(block, ops)] if ops else []
    checks.sort(key=lambda check: places.get((check.schema, check.table_name), 0))
    return [*checks, *rest]


def _lifted_out(table_ops: ModifyTableOps) -> Iterator[MigrateOperation]:
    """The block with its checks before it, or between two parts of it.

    A batch block is applied when it is left: a check inside it would read the table as it was. Where the key
    needs a column that the block adds or changes, the check comes after that part.
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
                yield _like(table_ops, block)
                block = []
            yield from (*comments, op)
        comments = []
    if block:
        yield _like(table_ops, block)


def _prepares(block: Sequence[MigrateOperation], check: UpsertKeyOp) -> bool:
    touched = {op.column.name for op in block if isinstance(op, AddColumnOp)}
    touched |= {op.column_name for op in block if isinstance(op, AlterColumnOp)}
    # SQL may name any of them
    any_sql = check.where is not None or any(not isinstance(e, str) for e in check.elements)
    return bool(touched) if any_sql else not touched.isdisjoint(map(str, check.elements))
