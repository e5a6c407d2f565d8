"""What one directive is about, in the database at hand: the same few facts for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...findings import describe_key
from ...rows import RowsOfKey
from ...sqltext import named
from ..context import reveals, table_of, target_of

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

    from ...catalog import TableName
    from ...inference import ConflictTarget
    from ..operations import UpsertKeyOp

__all__ = ["Subject", "subject_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The key of one directive."""

    table: TableName
    target: ConflictTarget
    rows: RowsOfKey
    label: str
    """The key, as messages name it."""
    reveal: bool
    """Whether values of rows may be shown."""


def subject_of(context: MigrationContext, operation: UpsertKeyOp) -> Subject:
    """Return what the directive is about."""
    table = table_of(context, operation.table_name, operation.schema)
    target = target_of(operation.elements, operation.where, context.dialect)
    return Subject(
        table=table,
        target=target,
        rows=RowsOfKey(table=table, target=target, nulls=getattr(operation, "nulls", "warn")),
        label=describe_key(named(context.dialect, *table), target.labels, target.predicate),
        reveal=reveals(context, operation),
    )
