"""What PostgreSQL refuses to make unique, asked before a revision is written that can never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.operations.ops import AddColumnOp, AlterColumnOp
from sqlalchemy.exc import DBAPIError

from ..catalog import TableName
from ..errors import UpsertGuardError
from ..findings import unmakeable_fact
from ..rows import RowsOfKey, index_obstacle_on
from .repair import Action, Step

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import ModifyTableOps

    from ..verdict.inspected import InspectedKey
    from .repair import Repair

__all__ = ["obstacle_of"]


def obstacle_of(
    context: AutogenContext, key: InspectedKey, table_ops: ModifyTableOps, repair: Repair
) -> str | None:
    """Return why what the key needs can never be made, as what follows upon its name; None: it can, for all we know."""
    if repair.is_refused and repair.shortfall is not None:
        return unmakeable_fact(key.target, repair.shortfall)
    if Step(Action.CREATE) not in repair.steps:
        return None
    return _why_no_index(context, key, table_ops)


def _why_no_index(
    context: AutogenContext, key: InspectedKey, table_ops: ModifyTableOps
) -> str | None:
    """The server's own refusal.

    The server is asked on an empty copy of the table: a subquery (0A000), a function that is not immutable (42P17), an
    aggregate (42803), a type without order (42704). It is not asked where the revision adds or changes columns of the
    table, which the copy would lack.
    """
    changes = any(isinstance(op, AddColumnOp | AlterColumnOp) for op in table_ops.ops)
    if context.dialect.name != "postgresql" or context.connection is None or changes:
        return None
    table = TableName(key.table.schema, key.table.name)
    rows = RowsOfKey(table=table, target=key.declared, nulls=key.declaration.nulls)
    try:
        words = index_obstacle_on(context.connection, rows)
    except (DBAPIError, UpsertGuardError):
        return None
    if words is None:
        return None
    return (
        f"can never be served: no unique index can be made on it. The database says: {words}. Declare columns, or "
        "immutable expressions over the table's own"
    )
