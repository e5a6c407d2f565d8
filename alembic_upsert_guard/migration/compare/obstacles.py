"""Keys that no revision can ever serve, refused before one is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alembic.operations.ops import AddColumnOp, AlterColumnOp
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from ...catalog import TableName
from ...databases import POSTGRESQL, database_for
from ...declaration import declarations_of, label_of
from ...errors import UpsertGuardError
from ...findings import (
    CORRECT_THE_SQL,
    folded_fact,
    unmakeable_fact,
    unread_fact,
    written_instead,
)
from ...inference import State, judge
from ...rows import RowsOfKey, index_obstacle_on
from .plan import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import Table

    from ...verdict.inspected import InspectedKey
    from .alembic_ops import StockOps
    from .plan import RepairPlan

__all__ = ["refuse_unservable", "refuse_unsupported"]


def refuse_unsupported(context: AutogenContext, table: Table) -> None:
    """Refuse the keys of a table that this kind of database has no arbiter for.

    :raises CommandError: the key, and what to declare instead.
    """
    for declaration in declarations_of(table):
        reason = declaration.unsupported_by(context.dialect, table)
        reason = reason or declaration.never_served_on(context.dialect, table)
        if reason is not None:
            raise CommandError(f"{label_of(table, declaration.target)} {reason}")


def refuse_unservable(
    context: AutogenContext,
    ops: Sequence[MigrateOperation],
    key: InspectedKey,
    stock: StockOps,
    plan: RepairPlan,
) -> None:
    """Refuse a key that no revision can serve.

    :param ops: all operations of the table: where they bring columns, the key may be about those.
    :raises CommandError: the key, why, and where the database knows it, the shape to declare instead.
    """
    changes_columns = any(isinstance(op, AddColumnOp | AlterColumnOp) for op in ops)
    reason = _never_served(key, stock)
    if reason is None and not changes_columns:
        reason = _unread(key)
    if reason is None and plan.is_refused and plan.shortfall is not None:
        reason = unmakeable_fact(key.target, plan.shortfall)
    # the empty copy that the server is asked on would lack the columns
    creates = any(step.action is Action.CREATE for step in plan.steps)
    if reason is None and creates and not changes_columns:
        reason = _no_index(context, key)
    if reason is not None:
        raise CommandError(f"{label_of(key.table, key.declaration.target)} {reason}")


def _never_served(key: InspectedKey, stock: StockOps) -> str | None:
    """Why the database refuses the key even on the arbiter created for it, unless an index that stays serves it."""
    if key.folded is None or key.named is None:
        return None
    staying = [c for c in key.offered if c not in stock.dropped]
    verdict = judge(key.target, staying, replace(key.traits, refusing_rules=()), named=key.named)
    if verdict.state is not State.SHORT:
        return None
    return (
        f"can never be served: {folded_fact(key.folded)}. Every upsert on it fails with 42P10, whatever the revision "
        f"makes; {written_instead(key.folded)}"
    )


def _unread(key: InspectedKey) -> str | None:
    """Why the database cannot read the key's SQL."""
    if key.unread is None:
        return None
    return f"can never be served: {unread_fact(key.unread)}; {CORRECT_THE_SQL}"


def _no_index(context: AutogenContext, key: InspectedKey) -> str | None:
    """The server's own refusal, asked for on an empty copy of the table.

    A subquery (0A000), a function that is not immutable (42P17), an aggregate (42803), a type without order (42704).
    """
    if database_for(context.dialect) is not POSTGRESQL or context.connection is None:
        return None
    table = TableName(key.table.schema, key.table.name)
    rows = RowsOfKey(table=table, target=key.declared, nulls=key.declaration.nulls)
    try:
        obstacle = index_obstacle_on(context.connection, rows)
    except (DBAPIError, UpsertGuardError):
        return None
    if obstacle is None:
        return None
    way = "declare columns, or immutable expressions over the table's own"
    if obstacle.is_of_relation and obstacle.way_past is not None:
        way = obstacle.way_past
    return (
        f"can never be served: no unique index can be made on it. The database says: {obstacle.message}. "
        f"{way[:1].upper()}{way[1:]}"
    )
