"""From the steps of a plan to Alembic's operations, each with a reverse that loses nothing."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.operations.ops import (
    AddConstraintOp,
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
    MigrateOperation,
)
from sqlalchemy import Index

from ...databases import database_for
from ...declaration import as_index_element
from ...inference import Code
from ...names import name_of_unnamed
from ...rows import can_deduplicate, newest_by
from ...sqltext import literal_sql, sql_as_text
from ..operations import (
    DropByDefinitionOp,
    ValidateUpsertKeyOp,
    VerifyUpsertKeyOp,
)
from .drops import drop_of
from .plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import TextClause

    from ...declaration import Arbiter, Declaration
    from ...verdict.inspected import InspectedKey
    from .plan import RepairPlan, Step

__all__ = ["PlannedOp", "only", "planned_ops", "visible"]


@dataclass(frozen=True, slots=True)
class PlannedOp:
    """One step and the operation that does it."""

    step: Step
    op: MigrateOperation


def only(planned: Iterable[PlannedOp], action: Action) -> list[PlannedOp]:
    """Return those of `planned` that are such a step, in order."""
    return [each for each in planned if each.step.action is action]


def planned_ops(
    dialect: Dialect, key: InspectedKey, plan: RepairPlan, creation: MigrateOperation | None
) -> tuple[PlannedOp, ...]:
    """Return the steps of the plan with their operations, in order.

    :param creation: Alembic's own creation of the key's arbiter; None: it has none.
    """
    return tuple(
        PlannedOp(step, _operation(dialect, key, plan, step, creation)) for step in plan.steps
    )


def _operation(
    dialect: Dialect,
    key: InspectedKey,
    plan: RepairPlan,
    step: Step,
    creation: MigrateOperation | None,
) -> MigrateOperation:
    assert plan.shortfall is not None  # noqa: S101 - a plan with steps has a reason
    if step.action is Action.VALIDATE:
        return _validation(dialect, key, plan.shortfall.code)
    if step.action is Action.VERIFY:
        return _verification(dialect, key, plan.shortfall.code)
    if step.candidate is not None:
        return drop_of(key, step.candidate)
    return _named(dialect, key, plan, creation or _creation_of(key.arbiter))


def _validation(dialect: Dialect, key: InspectedKey, code: Code) -> ValidateUpsertKeyOp:
    elements, where = _as_directive(dialect, key.declaration)
    if key.declaration.attached_its_own(key.table):
        # rows are compared and no index is named: an operator class would be a syntax error
        elements = [
            own.column or sql_as_text(str(own.expression)) if own.opclass is not None else element
            for element, own in zip(elements, key.wanted.elements, strict=True)
        ]
    return ValidateUpsertKeyOp(
        key.table.name,
        elements,
        schema=key.table.schema,
        where=where,
        nulls=key.declaration.nulls,
        _code=str(code),
        _suggested_order=_suggested_order(dialect, key, code),
    )


def _suggested_order(dialect: Dialect, key: InspectedKey, code: Code) -> tuple[str, ...]:
    """The columns by which the newest row is known; empty: no line is offered."""
    # what is deferred is enforced all the same
    cannot_have_duplicates = (
        code is Code.DEFERRABLE_ARBITER and key.declaration.nulls != "not_distinct"
    )
    if cannot_have_duplicates or not can_deduplicate(dialect):
        return ()
    return newest_by(
        [(c.name, c.type, bool(c.nullable)) for c in key.table.columns],
        [column.name for column in key.table.primary_key],
        key.target,
    ).columns


def _verification(dialect: Dialect, key: InspectedKey, code: Code) -> VerifyUpsertKeyOp:
    elements, where = _as_directive(dialect, key.declaration)
    columns = ", ".join(key.target.labels)
    return VerifyUpsertKeyOp(
        key.table.name,
        elements,
        schema=key.table.schema,
        where=where,
        _code=str(code),
        _comment=(
            f"put the primary key change here: upserts on ({columns}) need it, and Alembic does not",
            "compare primary keys. The next line fails until the database has an arbiter for them.",
        ),
    )


def _as_directive(
    dialect: Dialect, declaration: Declaration
) -> tuple[list[str | TextClause], TextClause | None]:
    elements: list[str | TextClause] = [
        element.column
        if element.column is not None
        else sql_as_text(literal_sql(as_index_element(clause), dialect))
        for element, clause in zip(declaration.target.elements, declaration.elements, strict=True)
    ]
    where = declaration.where
    return elements, None if where is None else sql_as_text(literal_sql(where, dialect))


def _creation_of(arbiter: Arbiter) -> MigrateOperation:
    if isinstance(arbiter, Index):
        return CreateIndexOp.from_index(arbiter)
    return AddConstraintOp.from_constraint(arbiter)


def _named(
    dialect: Dialect, key: InspectedKey, plan: RepairPlan, creation: MigrateOperation
) -> MigrateOperation:
    """The creation, under a name where the model states none: Alembic cannot drop it again otherwise."""
    if not isinstance(creation, CreateUniqueConstraintOp) or creation.constraint_name is not None:
        return creation
    gone = {step.candidate for step in plan.steps}
    named = copy(creation)
    named.constraint_name = name_of_unnamed(
        key.table.name,
        key.wanted.labels,
        database=database_for(dialect),
        taken={candidate.name for candidate in key.offered if candidate not in gone},
    )
    return named


def visible(
    context: AutogenContext,
    key: InspectedKey,
    planned: tuple[PlannedOp, ...],
    creation: MigrateOperation | None,
) -> tuple[PlannedOp, ...]:
    """Return all of `planned`, or where the user's filters hide a part of it, what Alembic does all the same, checked.

    :param creation: as for :func:`planned_ops`; what Alembic creates itself passed the filters.
    """
    ours = [p.op for p in planned if creation is None or p.step.action is not Action.CREATE]
    if not any(_is_hidden(context, key, op) for op in ours):
        return planned
    if creation is None:
        return ()
    return tuple(p for p in planned if p.step.action is not Action.DROP)


def _is_hidden(context: AutogenContext, key: InspectedKey, op: MigrateOperation) -> bool:
    """Whether the user's filters keep autogenerate from touching what `op`, one of ours, touches."""
    item: Any
    name: Any
    if isinstance(op, DropByDefinitionOp):
        return False  # Alembic knows no exclusion constraints, and no filter is asked about one
    if isinstance(op, DropIndexOp):
        item, name, kind, reflected = op.to_index(), op.index_name, "index", True
    elif isinstance(op, DropConstraintOp):
        item, name, kind, reflected = (
            op.to_constraint(),
            op.constraint_name,
            "unique_constraint",
            True,
        )
    elif isinstance(op, CreateIndexOp | CreateUniqueConstraintOp):
        kind = "index" if isinstance(key.arbiter, Index) else "unique_constraint"
        item, name, reflected = key.arbiter, key.arbiter.name, False
    else:
        return False
    parents: Any = {"table_name": key.table.name, "schema_name": key.table.schema}
    kind_: Any = kind
    if reflected and not context.run_name_filters(name, kind_, parents):
        return True
    return not context.run_object_filters(item, name, kind_, reflected, None)
