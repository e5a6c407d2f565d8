"""What Alembic's own operations create and drop, as values of the core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from alembic.operations.ops import (
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
)

from ...declaration import arbiter_as_candidate
from ...inference import Kind, enforce_same_uniqueness
from .plan import Action, Step
from .planned import PlannedOp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import UniqueConstraint

    from ...declaration import Arbiter
    from ...inference import Candidate
    from ...verdict.inspected import InspectedKey

__all__ = ["StockOps", "arbiters_created_by", "arbiters_dropped_by", "stock_ops"]


@dataclass(frozen=True, slots=True)
class StockOps:
    """What autogenerate, without us, would do about one key."""

    creation: MigrateOperation | None
    """What creates the key's arbiter, whoever produced it; None: nothing does."""
    drops: tuple[PlannedOp, ...]
    """The drops of what the database offers."""

    @property
    def dropped(self) -> frozenset[Candidate]:
        """What the drops drop."""
        return frozenset(drop.step.candidate for drop in self.drops if drop.step.candidate)

    @property
    def ops(self) -> tuple[MigrateOperation, ...]:
        """All of them."""
        creation = () if self.creation is None else (self.creation,)
        return (*(drop.op for drop in self.drops), *creation)

    def without(self, adopted: Sequence[Candidate]) -> StockOps:
        """Return what is left of them where `adopted` serve as they are: they stay, and nothing is created."""
        if not adopted:
            return self
        drops = tuple(drop for drop in self.drops if drop.step.candidate not in adopted)
        return StockOps(None, drops)


def stock_ops(
    context: AutogenContext, ops: Iterable[MigrateOperation], key: InspectedKey
) -> StockOps:
    """Return those of a table's operations that are about the key's arbiter or about what the database offers."""
    ops = tuple(ops)
    dropping = {c: op for op in ops for c in key.offered if _drops(op, c)}
    return StockOps(
        _creation(context, ops, key),
        tuple(PlannedOp(Step(Action.DROP, c), op) for c, op in dropping.items()),
    )


def _creation(
    context: AutogenContext, ops: Iterable[MigrateOperation], key: InspectedKey
) -> MigrateOperation | None:
    created = [(op, c) for op in ops for c in arbiters_created_by(context, op)]
    if not created:
        return None
    wanted = arbiter_as_candidate(key.arbiter, context.dialect)
    for op, candidate in created:
        same = enforce_same_uniqueness(candidate, wanted, nullable=key.nullable)
        if same and candidate.immediate:
            return op
    return None


def arbiters_created_by(context: AutogenContext, op: MigrateOperation) -> list[Candidate]:
    """Return the unique constraint or index that the operation creates, in the spelling of the model."""
    created = _created_by(context, op)
    return [] if created is None else [arbiter_as_candidate(created, context.dialect)]


def _created_by(context: AutogenContext, op: MigrateOperation) -> Arbiter | None:
    if isinstance(op, CreateUniqueConstraintOp):
        return op.to_constraint(context.migration_context)
    if isinstance(op, CreateIndexOp) and op.unique:
        return op.to_index(context.migration_context)
    return None


def arbiters_dropped_by(op: MigrateOperation, offered: Sequence[Candidate]) -> list[Candidate]:
    """Return those of `offered` that are gone after the operation."""
    if isinstance(op, DropColumnOp):
        # an index goes with any column that it has; a predicate without an expression is left aside
        return [c for c in offered if op.column_name in _columns_of(c)]
    return [candidate for candidate in offered if _drops(op, candidate)]


def _columns_of(candidate: Candidate) -> set[str | None]:
    elements = {element.column for element in candidate.elements}
    return elements | {*candidate.include, *candidate.expression_columns}


def _drops(op: MigrateOperation, candidate: Candidate) -> bool:
    if isinstance(op, DropIndexOp):
        return candidate.name == op.index_name
    if isinstance(op, DropConstraintOp) and op.constraint_type == "unique":
        if candidate.kind is Kind.CONSTRAINT and candidate.definition is None:
            # SQLite's catalog does not have the names of constraints: there they go by their columns
            constraint = cast("UniqueConstraint", op.to_constraint())
            return {column.name for column in constraint.columns} == set(candidate.labels)
        return candidate.name == op.constraint_name
    return False
