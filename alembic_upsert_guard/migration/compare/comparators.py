"""The comparators: a mark on each table that declares a key, and one pass over the marks at the end.

One pass, because only then is every operation there (Alembic compares constraints, then dropped columns) and
because the catalog is then read once for all tables. A key goes through it as values, each of which is created once:
``InspectedKey -> RepairPlan -> PlannedOp -> TableChanges``; Alembic's own lists are written when all is decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.operations.ops import DropTableOp, MigrateOperation, ModifyTableOps, UpgradeOps
from alembic.util import PriorityDispatchResult

from ...catalog import catalog_for
from ...databases import database_for
from ...declaration import declarations_of
from ...findings import unknown_dialect
from ...rows import ARCHIVE_COLUMNS
from ...verdict.inspected import inspect_keys
from ..context import log, table_of
from ..operations import TableMarkerOp
from ..options import refuse_wrong_options
from .alembic_gaps import with_expression_indexes, with_sql_kept
from .alembic_ops import stock_ops
from .arbiter_ops import Repair, arbiter_ops
from .deploy_order import in_deploy_order
from .key_state import KeyState
from .log_lines import LogLines
from .notes import note_adopted, note_declarations, note_doubts, note_planned
from .observed import is_observed, observed_targets
from .obstacles import refuse_unservable, refuse_unsupported
from .placement import TableChanges, arranged, placed
from .plan import plan_repair
from .planned import planned_ops, visible
from .removals import GuardedTable, note_removals, removals_from
from .revision import split_when_written
from .way_back import with_way_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Table

    from ...inference import Candidate
    from ...verdict.inspected import InspectedKey
    from .alembic_ops import StockOps
    from .observed import ObservedTarget

__all__ = ["guard_tables", "mark_table"]


def mark_table(
    context: AutogenContext,
    modify_ops: ModifyTableOps,
    __: str | None,
    ___: str,
    conn_table: Table | None,
    metadata_table: Table | None,
) -> PriorityDispatchResult:
    """Leave a mark among the operations of a table that declares a key, or that tests may upsert into (``"table"``)."""
    if metadata_table is not None and (declarations_of(metadata_table) or is_observed(context)):
        modify_ops.ops.append(TableMarkerOp(conn_table, metadata_table))
    return PriorityDispatchResult.CONTINUE


def guard_tables(context: AutogenContext, upgrade_ops: UpgradeOps) -> PriorityDispatchResult:
    """Put right what the marked tables' keys need (target ``"autogenerate"``, after everything else)."""
    refuse_wrong_options(context.migration_context)
    ops = list(_without_archive_drops(upgrade_ops.ops))
    marks = {
        op: mark
        for op in ops
        if isinstance(op, ModifyTableOps)
        for mark in op.ops
        if isinstance(mark, TableMarkerOp)
    }
    changes: Mapping[ModifyTableOps, TableChanges] = {}
    if marks:
        lines = LogLines()
        for mark in marks.values():
            refuse_unsupported(context, mark.metadata_table)
            note_declarations(mark.metadata_table, lines)
        changes = _changes(context, marks, lines)
        lines.log()
        ops = arranged(context, ops, changes)
    upgrade_ops.ops = ops
    if any(table.online or table.contract for table in changes.values()):
        split_when_written(context.migration_context)
    return PriorityDispatchResult.CONTINUE


def _without_archive_drops(ops: Sequence[MigrateOperation]) -> Iterator[MigrateOperation]:
    """Leave out the drops of tables that hold what a deduplication moved: no model knows them, and they are data."""
    for op in ops:
        if isinstance(op, DropTableOp):
            columns = op.to_table().columns
            if all(name in columns for name in ARCHIVE_COLUMNS):
                log.info(
                    "Kept the archive %s: drop it by hand when nobody needs its rows", op.table_name
                )
                continue
        yield op


def _changes(
    context: AutogenContext, marks: Mapping[ModifyTableOps, TableMarkerOp], lines: LogLines
) -> dict[ModifyTableOps, TableChanges]:
    """What the revision does to each marked table."""
    existing = {
        mark.metadata_table: ops for ops, mark in marks.items() if mark.conn_table is not None
    }
    inspected = _inspected(context, existing)
    observed = observed_targets(context)
    tables = {
        mark.metadata_table: tuple(t for t in observed if t.is_into(mark.metadata_table))
        for mark in marks.values()
    }
    undeclared = [table for table in existing if tables[table] and not inspected.get(table)]
    offered = _offered(context, undeclared)
    return {
        ops: _changes_of_table(
            context,
            ops,
            mark,
            inspected.get(mark.metadata_table, []),
            lines,
            observed=tables[mark.metadata_table],
            offered=offered.get(mark.metadata_table, ()),
        )
        for ops, mark in marks.items()
    }


def _offered(
    context: AutogenContext, tables: Sequence[Table]
) -> Mapping[Table, Sequence[Candidate]]:
    """What the database has for tables without a key; none where it is not asked."""
    catalog = catalog_for(context.dialect)
    if not tables or catalog is None or context.connection is None:
        return {}
    names = {
        table: table_of(context.migration_context, table.name, table.schema) for table in tables
    }
    found = catalog.read(context.connection, tuple(names.values()))
    return {table: found[name].candidates for table, name in names.items() if name in found}


def _inspected(
    context: AutogenContext, tables: Mapping[Table, ModifyTableOps]
) -> Mapping[Table, Sequence[InspectedKey]]:
    if catalog_for(context.dialect) is None:
        finding = unknown_dialect(database_for(context.dialect).name)
        log.warning("%s: %s", finding.code, finding.fact)
        return {}
    if not tables or context.connection is None:
        return {}
    return inspect_keys(context.connection, tables)


def _changes_of_table(
    context: AutogenContext,
    ops: ModifyTableOps,
    mark: TableMarkerOp,
    keys: Sequence[InspectedKey],
    lines: LogLines,
    *,
    observed: tuple[ObservedTarget, ...],
    offered: Sequence[Candidate],
) -> TableChanges:
    table = mark.metadata_table
    changes = TableChanges(ops=tuple(op for op in ops.ops if not isinstance(op, TableMarkerOp)))
    guarded = GuardedTable(
        table=table,
        offered=tuple(keys[0].offered if keys else offered),
        is_declared=bool(keys),
        observed=observed,
    )
    changes = with_way_back(context, changes, guarded)
    repairs: list[Repair] = []
    for key in keys:
        lines.show_schema(key.table, key.home)
        changes, repair = _repaired(context, changes, key, lines)
        repairs.append(repair)
    if guarded.offered or repairs:
        arbiters = arbiter_ops(context, changes.ops, repairs, guarded.offered)
        removals = removals_from(guarded, arbiters)
        note_removals(context, table, removals, lines)
        changes = in_deploy_order(
            context, changes, guarded, arbiters, removals=removals, repairs=repairs
        )
    if mark.conn_table is None:
        changes = with_expression_indexes(context, changes, table)
    return with_sql_kept(context, changes)


def _repaired(
    context: AutogenContext, changes: TableChanges, key: InspectedKey, lines: LogLines
) -> tuple[TableChanges, Repair]:
    """The changes of a table with what one of its keys needs."""
    stock = stock_ops(context, changes.ops, key)
    plan = plan_repair(_state_of(key, stock))
    kept = stock.without(plan.adopted)
    refuse_unservable(context, changes.ops, key, kept, plan)
    planned = planned_ops(context.dialect, key, plan, kept.creation)
    shown = visible(context, key, planned, kept.creation)
    note_adopted(key, stock, plan, lines)
    note_doubts(context, key, kept, plan, lines)
    note_planned(context, key, plan, lines, planned=planned, shown=shown)
    adopted = changes.without(op for op in stock.ops if op not in kept.ops)
    return placed(adopted, shown, kept), Repair(key=key, planned=shown, stock=kept)


def _state_of(key: InspectedKey, stock: StockOps) -> KeyState:
    return KeyState(
        target=key.target,
        wanted=key.wanted,
        owned=key.declaration.owns(key.table),
        offered=key.offered,
        dropped=stock.dropped,
        created=stock.creation is not None,
        compared=key.compared,
        nullable=key.nullable,
        traits=key.traits,
        attached=key.declaration.attached_its_own(key.table),
        named=key.named,
    )
