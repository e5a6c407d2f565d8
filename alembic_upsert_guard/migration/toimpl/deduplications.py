"""The deduplications of the revision that runs: a build that meets duplicate rows may run one of them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError

from ..context import table_of, target_of, when_version_is_written
from ..operations import source_of
from .autocommit import call_of

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

    from ...catalog import TableName
    from ...inference import Element
    from ..operations import CreateConcurrentlyOp, DeduplicateUpsertKeyOp

__all__ = ["deduplication_above", "deduplication_to_repeat", "note_deduplication"]

_NOTED = "_upsert_guard_deduplications"
"""The attribute of a migration context that holds them, which is gone with it."""


@dataclass(frozen=True, slots=True)
class _Key:
    table: TableName
    elements: frozenset[Element]
    where: str | None


def note_deduplication(context: MigrationContext, operation: DeduplicateUpsertKeyOp) -> None:
    """Remember that the revision deduplicates a key, until its version is written."""
    noted: dict[_Key, DeduplicateUpsertKeyOp] | None = getattr(context, _NOTED, None)
    if noted is None:
        noted = {}
        setattr(context, _NOTED, noted)
        when_version_is_written(context, _forget)
    # of several for one key, the first is the one that finds rows
    noted.setdefault(_key_of(context, operation), operation)


def _forget(*, ctx: MigrationContext, **_: Any) -> None:
    getattr(ctx, _NOTED).clear()


def deduplication_above(
    context: MigrationContext, operation: CreateConcurrentlyOp
) -> DeduplicateUpsertKeyOp | None:
    """Return the deduplication of the same table, elements and predicate above `operation` in its revision.

    None: there is none, or it leaves rows that the index takes for duplicates, whose NULLs are equal.
    """
    noted: dict[_Key, DeduplicateUpsertKeyOp] = getattr(context, _NOTED, {})
    there = noted.get(_key_of(context, operation))
    if there is None or (operation.nulls_not_distinct and there.nulls != "not_distinct"):
        return None
    return there


def deduplication_to_repeat(
    context: MigrationContext, operation: CreateConcurrentlyOp
) -> DeduplicateUpsertKeyOp | None:
    """Return what a build that meets duplicate rows runs again; None: it is not to run anything.

    :raises CommandError: it is to, and the revision deduplicates no such key above it.
    """
    if operation.attempts_on_duplicates is None:
        return None
    there = deduplication_above(context, operation)
    if there is None:
        raise CommandError(
            f"{call_of(operation)}: attempts_on_duplicates={operation.attempts_on_duplicates} repeats the deduplication"
            " of this key, and the revision has none above this line; nothing was changed. Put it there:\n"
            f"  {_line_for(operation)}\nor leave attempts_on_duplicates out"
        )
    return there


def _line_for(operation: CreateConcurrentlyOp) -> str:
    elements = ", ".join(map(source_of, operation.elements))
    options = []
    if operation.schema is not None:
        options.append(f"schema={str(operation.schema)!r}")
    if operation.where is not None:
        options.append(f"where={source_of(operation.where)}")
    if operation.nulls_not_distinct:
        options.append("nulls='not_distinct'")
    arguments = [repr(str(operation.table_name)), f"[{elements}]", "keep='last', order_by=[...]"]
    return f"op.deduplicate_upsert_key({', '.join([*arguments, *options])})"


def _key_of(
    context: MigrationContext, operation: CreateConcurrentlyOp | DeduplicateUpsertKeyOp
) -> _Key:
    target = target_of(operation.elements, operation.where, context.dialect)
    table = table_of(context, operation.table_name, operation.schema)
    return _Key(table, frozenset(target.elements), target.predicate)
