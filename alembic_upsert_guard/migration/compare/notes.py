"""What autogenerate logs of one key, once it is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.operations.ops import CreateUniqueConstraintOp

from ...databases import database_for
from ...declaration import declarations_of
from ...findings import (
    NULLABLE_HINT,
    FindingCode,
    nullable_fact,
    rival_fact,
    sentences,
    shortfall_fact,
)
from ...inference import Code, judge
from ...verdict.answer import finds_arbiter, verdict_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Table

    from ...inference import Shortfall
    from ...verdict.inspected import InspectedKey
    from .alembic_ops import StockOps
    from .log_lines import LogLines
    from .plan import RepairPlan
    from .planned import PlannedOp

__all__ = ["note_adopted", "note_declarations", "note_doubts", "note_planned"]


def note_declarations(table: Table, lines: LogLines) -> None:
    """Note keys that may hold NULL and do not say what that means."""
    for declaration in declarations_of(table):
        nullable = declaration.nullable_columns(table)
        if declaration.nulls == "warn" and nullable:
            lines.warning(
                f"{FindingCode.NULLABLE_KEY}: ",
                table,
                declaration.target,
                f": {sentences(nullable_fact(nullable), NULLABLE_HINT)}",
            )


def note_adopted(key: InspectedKey, stock: StockOps, plan: RepairPlan, lines: LogLines) -> None:
    """Note what serves as it is, where Alembic would have done something about it."""
    if stock.without(plan.adopted) != stock:
        names = ", ".join(str(candidate.name) for candidate in plan.adopted)
        lines.info(f"Kept {names}: it serves ", key.table, key.declaration.target)


def note_doubts(
    context: AutogenContext, key: InspectedKey, stock: StockOps, plan: RepairPlan, lines: LogLines
) -> None:
    """Note what no operation changes: rivals, rules, what takes no INSERT, and doubt where all looks well."""
    subject = (key.table, key.declaration.target)
    if not key.traits.database.has_conflict_targets:
        staying = [candidate for candidate in key.offered if candidate not in stock.dropped]
        rivals = judge(key.target, staying, key.traits).rivals
        if rivals:
            lines.warning(f"{FindingCode.RIVAL_UNIQUE_KEY}: ", *subject, f": {rival_fact(rivals)}")
    answered = verdict_on(key).shortfall
    if answered is not None and key.traits.database.has_planner:
        of_relation = bool(answered.rules or answered.relation)
        if of_relation or (key.inferred is not None and plan.shortfall is None):
            _note_shortfall(key, answered, lines)
    if plan.shortfall is None or plan.steps:
        return
    if plan.shortfall.code is not Code.UNPROVEN_ARBITER or not finds_arbiter(
        context.connection, key
    ):
        _note_shortfall(key, plan.shortfall, lines)


def _note_shortfall(key: InspectedKey, shortfall: Shortfall, lines: LogLines) -> None:
    fact = shortfall_fact(key.target, shortfall)
    lines.warning(f"{shortfall.code}: ", key.table, key.declaration.target, f": {fact}")


def note_planned(
    context: AutogenContext,
    key: InspectedKey,
    plan: RepairPlan,
    lines: LogLines,
    *,
    planned: Sequence[PlannedOp],
    shown: Sequence[PlannedOp],
) -> None:
    """Note what the revision does for the key, or that the user's filters hide it: `shown` is then fewer ops."""
    if plan.shortfall is None or not planned:
        return
    subject = (key.table, key.declaration.target)
    code, fact = plan.shortfall.code, shortfall_fact(key.target, plan.shortfall)
    if len(shown) < len(planned):
        lines.info(
            "Left ",
            *subject,
            f" alone ({code}: {fact}): include_object or include_name hides what would be changed",
        )
    else:
        lines.info(f"Detected {code} on ", *subject, f": {fact}{_caveat(context, planned)}")


def _caveat(context: AutogenContext, planned: Sequence[PlannedOp]) -> str:
    if (
        not database_for(context.dialect).alters_constraints
        and not context.opts.get("render_as_batch")
        and any(isinstance(each.op, CreateUniqueConstraintOp) for each in planned)
    ):
        return (
            "; SQLite cannot add a constraint to a table: set render_as_batch=True in env.py, or declare the key "
            "with as_index=True"
        )
    return ""
