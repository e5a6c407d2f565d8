"""What Alembic's operations make and take, in the words of the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from alembic.operations.ops import (
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
)

from ..declaration import arbiter_as_candidate
from ..inference import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import UniqueConstraint

    from ..declaration import Arbiter
    from ..inference import Candidate

__all__ = ["drops", "made_by", "taken_by"]


def made_by(context: AutogenContext, op: MigrateOperation) -> list[Candidate]:
    """Return the unique constraint or index that the operation makes, in the spelling of the model."""
    made = _created_by(context, op)
    return [] if made is None else [arbiter_as_candidate(made, context.dialect)]


def _created_by(context: AutogenContext, op: MigrateOperation) -> Arbiter | None:
    if isinstance(op, CreateUniqueConstraintOp):
        return op.to_constraint(context.migration_context)
    if isinstance(op, CreateIndexOp) and op.unique:
        return op.to_index(context.migration_context)
    return None


def taken_by(op: MigrateOperation, offered: Sequence[Candidate]) -> list[Candidate]:
    """Return those of `offered` that are gone after the operation."""
    if isinstance(op, DropColumnOp):
        # an index goes with any column that it has, INCLUDE and predicate left aside
        return [c for c in offered if any(e.column == op.column_name for e in c.elements)]
    return [candidate for candidate in offered if drops(op, candidate)]


def drops(op: MigrateOperation, candidate: Candidate) -> bool:
    """Return whether the operation is the drop of the candidate."""
    if isinstance(op, DropIndexOp):
        return candidate.name == op.index_name
    if isinstance(op, DropConstraintOp) and op.constraint_type == "unique":
        if candidate.kind is Kind.CONSTRAINT and candidate.definition is None:
            # SQLite's catalog does not tell the names of constraints: there they go by their columns
            constraint = cast("UniqueConstraint", op.to_constraint())
            return {column.name for column in constraint.columns} == set(candidate.labels)
        return candidate.name == op.constraint_name
    return False
