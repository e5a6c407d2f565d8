"""The steps that are left on a partitioned table: an index of its own, and a part of it on each partition. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..catalog.contract import RelationKind
from .arbiter import partition_index_name
from .steps import AttachPartition, MakeParent, Refusal
from .table_plan import (
    describe_other,
    is_other,
    refusal_of_other,
    steps_to_create,
    steps_to_drop_leftovers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .arbiter import OnlineArbiter
    from .state import IndexState, TableState
    from .steps import Step

__all__ = ["steps_of_partitioned"]


def steps_of_partitioned(
    wanted: OnlineArbiter, table: TableState, partitions: Sequence[TableState]
) -> Iterator[Step]:
    """Yield the steps that are left on a partitioned table and its partitions, each after its parent.

    :raises Refusal: something else is in the way.
    """
    for partition in partitions:
        if partition.relation not in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE):
            raise Refusal(
                f"{partition.name.name}, a partition of {table.name.name}, is a {partition.kind}: it takes no "
                "unique index, and so neither does the partitioned table"
            )
    if wanted.replace and (there := table.named(wanted.name)) and is_other(wanted, there):
        raise Refusal(
            f"{describe_other(table, there)}, and replace=True is not for partitioned tables: give the new one a name "
            "of its own, and drop the old one after it"
        )
    indexes = {table.oid: wanted.name}
    parents = {table.oid: table}
    yield from _steps_to_create_parent(wanted, table)
    for partition in partitions:
        above = parents[_known(partition.parent)]
        index_above = above.named(indexes[above.oid])
        parents[partition.oid] = partition
        part = _part_of(partition, index_above)
        is_partitioned = partition.relation is RelationKind.PARTITIONED_TABLE
        if part is not None and (part.valid or is_partitioned):
            indexes[partition.oid] = part.name
            continue
        own = replace(
            wanted, name=partition_index_name(wanted.name, partition.name.name), replace=False
        )
        indexes[partition.oid] = own.name
        if is_partitioned:
            yield from _steps_to_create_parent(own, partition)
        else:
            yield from steps_to_drop_leftovers(own.name, partition)
            yield from steps_to_create(own, partition)
        yield AttachPartition(
            parent=above.name, parent_index=indexes[above.oid], table=partition.name, index=own.name
        )


def _steps_to_create_parent(wanted: OnlineArbiter, table: TableState) -> Iterator[MakeParent]:
    there = table.named(wanted.name)
    if there is None:
        yield MakeParent(table.name, wanted.name)
    # INVALID and the same is ours, or anybody's: its parts are what is missing
    elif not there.same or there.constraint != wanted.constraint or is_other(wanted, there):
        raise refusal_of_other(replace(wanted, replace=True), table, there)


def _part_of(partition: TableState, above: IndexState | None) -> IndexState | None:
    if above is None:
        return None
    return next((index for index in partition.indexes if index.attached_to == above.oid), None)


def _known(oid: int | None) -> int:
    assert oid is not None  # noqa: S101 - only the table itself has no parent
    return oid
