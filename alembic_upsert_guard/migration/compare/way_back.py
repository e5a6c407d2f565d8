"""The way back of Alembic's own drops: exactly what they drop, in SQL that the server can parse."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from alembic.operations.ops import (
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
)

from ...catalog.postgresql import server_version
from ...databases import database_for
from ..operations import (
    INCLUDE,
    DropIncludingConstraintOp,
    DropIndexByDefinitionOp,
    DropInvalidIndexOp,
)
from .alembic_ops import arbiters_dropped_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import Table

    from ...inference import Candidate
    from .placement import TableChanges
    from .removals import GuardedTable

__all__ = ["with_way_back"]


def with_way_back(
    context: AutogenContext, changes: TableChanges, guarded: GuardedTable
) -> TableChanges:
    """Return the changes with drops that can be taken back."""
    return replace(
        changes,
        ops=tuple(
            _reversible(context, op, guarded.table, arbiters_dropped_by(op, guarded.offered))
            for op in changes.ops
        ),
    )


def _reversible(
    context: AutogenContext, op: MigrateOperation, table: Table, dropped: Sequence[Candidate]
) -> MigrateOperation:
    definition = _definition_lost_on_alembic(op, dropped)
    if definition is None:
        return _with_carried_columns(_without_nulls_distinct(context, op))
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


def _with_carried_columns(op: MigrateOperation) -> MigrateOperation:
    """The drop of a unique constraint whose way back finds the columns that it carries beside its own."""
    if type(op) is not DropConstraintOp or op.constraint_type != "unique":
        return op
    carries = op.to_constraint().dialect_kwargs.get(INCLUDE)
    return DropIncludingConstraintOp.of(op) if carries else op


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
