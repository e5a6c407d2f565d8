"""What the operations of a table do to its arbiters, in one spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic.operations.ops import (
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
)

from .alembic_ops import arbiters_created_by, arbiters_dropped_by
from .plan import Action
from .planned import only

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation

    from ...inference import Candidate
    from ...verdict.inspected import InspectedKey
    from .alembic_ops import StockOps
    from .planned import PlannedOp

__all__ = ["ArbiterOps", "Repair", "arbiter_ops", "name_created_by", "name_dropped_by"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What is done for one key."""

    key: InspectedKey
    planned: tuple[PlannedOp, ...]
    stock: StockOps
    """What Alembic would do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterOps:
    """What operations create and drop."""

    created: Mapping[MigrateOperation, Candidate]
    """The database's spelling for keys that it was asked about, the model's for everything else."""
    compared: bool
    """Whether SQL in `created` is in the database's spelling."""
    dropped: Mapping[MigrateOperation, Sequence[Candidate]]
    """Those that drop something only."""

    def drops_in_use(self, op: MigrateOperation) -> bool:
        """Return whether the operation drops, by name, what code may upsert on."""
        is_drop = isinstance(op, DropConstraintOp | DropIndexOp)
        return is_drop and any(c.unique and c.valid for c in self.dropped.get(op, ()))


def arbiter_ops(
    context: AutogenContext,
    ops: Iterable[MigrateOperation],
    repairs: Iterable[Repair],
    offered: Sequence[Candidate],
) -> ArbiterOps:
    """Return what `ops`, all of one table, create and drop of `offered`."""
    ops = tuple(ops)
    wanted = {
        each.op: repair.key.wanted
        for repair in repairs
        if repair.key.compared
        for each in only(repair.planned, Action.CREATE)
    }
    modelled = {op: c for op in ops for c in arbiters_created_by(context, op) if op not in wanted}
    return ArbiterOps(
        created={**{op: c for op, c in wanted.items() if op in ops}, **modelled},
        compared=not any(c.partial or _has_sql(c) for c in modelled.values()),
        dropped={op: dropped for op in ops if (dropped := arbiters_dropped_by(op, offered))},
    )


def _has_sql(candidate: Candidate) -> bool:
    return any(element.column is None for element in candidate.elements)


def name_created_by(op: MigrateOperation) -> str | None:
    """Return the name of what the operation creates; None: it has none, or creates no arbiter."""
    if isinstance(op, CreateUniqueConstraintOp):
        return None if op.constraint_name is None else str(op.constraint_name)
    if isinstance(op, CreateIndexOp):
        return None if op.index_name is None else str(op.index_name)
    return None


def name_dropped_by(op: MigrateOperation) -> str | None:
    """Return the name of what the operation drops; None: it has none, or drops neither constraint nor index."""
    if isinstance(op, DropConstraintOp):
        return None if op.constraint_name is None else str(op.constraint_name)
    return str(op.index_name) if isinstance(op, DropIndexOp) else None
