"""What is to be done next, from what is found. Pure.

A table that is not partitioned, or a partition of the last level; `same` means the same elements, operator classes,
collations, order, predicate, INCLUDE and NULL mode in the server's own words:

===================================  ==================================================
under the name there is              steps
===================================  ==================================================
nothing                              build, attach
INVALID, and another session builds  wait
INVALID, the same                    drop it, build, attach
INVALID, something else              refuse: another's build failed, and a person looks
valid, something else                refuse; ``replace``: build beside it, then swap
valid, the same, not attached        attach
valid, the same, attached            none
===================================  ==================================================

"Attach" only where a constraint is wanted. INVALID ``_ccnew`` and ``_ccold`` of the same, which an interrupted
``REINDEX CONCURRENTLY`` leaves behind, are dropped first.
https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from .arbiter import name_within, name_without

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..catalog import TableName
    from .arbiter import OnlineArbiter

__all__ = [
    "Attach",
    "AttachPartition",
    "Build",
    "DropIndex",
    "FoundIndex",
    "FoundTable",
    "MakeParent",
    "Refusal",
    "Step",
    "Swap",
    "Wait",
    "is_from_nothing",
    "plan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIndex:
    """An index as the catalog has it."""

    oid: int
    name: str
    same: bool
    """Whether it is what is wanted, constraint or not; names are left aside."""
    valid: bool
    constraint: bool = False
    """Whether a unique or primary key constraint stands on it."""
    timing: str = ""
    """When that constraint is checked: empty, `` DEFERRABLE`` or `` DEFERRABLE INITIALLY DEFERRED``."""
    attached_to: int | None = None
    """The index of the partitioned table that this one is a part of."""
    definition: str = ""
    """As the database prints it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTable:
    """The table, or one of its partitions."""

    oid: int
    name: TableName
    """With its schema."""
    relation: str
    """``table``, ``partitioned table``, or what else it is."""
    indexes: tuple[FoundIndex, ...] = ()
    parent: int | None = None
    """The partitioned table that it is a partition of; None: the table itself."""
    builders: tuple[int, ...] = ()
    """Sessions (pid) with a lock that a concurrent build has, and a VACUUM; no two of them run at once."""

    def named(self, name: str) -> FoundIndex | None:
        """Return its index of that name."""
        return next((index for index in self.indexes if index.name == name), None)


@dataclass(frozen=True, slots=True)
class Wait:
    """Another session may be building `index`: look again later."""

    table: TableName
    index: str
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DropIndex:
    """Drop an index without stopping writers."""

    table: TableName
    index: str
    because: str


@dataclass(frozen=True, slots=True)
class Build:
    """Build an index without stopping writers."""

    table: TableName
    index: str


@dataclass(frozen=True, slots=True)
class Attach:
    """Make a valid index a constraint of the same name."""

    table: TableName
    index: str


@dataclass(frozen=True, slots=True)
class MakeParent:
    """Make the index of a partitioned table, INVALID until every partition has attached its own."""

    table: TableName
    index: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachPartition:
    """Make a partition's index a part of its parent's."""

    parent: TableName
    parent_index: str
    table: TableName
    index: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Put the new index in the place of the old one, in one short transaction."""

    table: TableName
    index: str
    new: str
    going: str
    """What an old index is called until it is dropped."""
    old_constraint: bool
    """Whether the old one is a constraint, which goes in the same transaction."""


Step: TypeAlias = "Wait | DropIndex | Build | Attach | MakeParent | AttachPartition | Swap"


class Refusal(Exception):  # noqa: N818 - it is no error of ours
    """What is found is another's, and a person has to look; the text says what and where."""


def plan(wanted: OnlineArbiter, found: Sequence[FoundTable]) -> tuple[Step, ...]:
    """Return the steps that are left, in order; none: it is there, valid and attached.

    :param found: the table, then its partitions, each after its parent.
    :raises Refusal: something else is in the way.
    """
    table, *partitions = found
    if table.relation == "partitioned table":
        return tuple(_of_partitioned(wanted, table, partitions))
    if table.relation != "table":
        raise Refusal(f"{table.name.name} is a {table.relation}: it takes no unique index")
    return tuple(_of_table(wanted, table))


def is_from_nothing(wanted: OnlineArbiter, found: Sequence[FoundTable]) -> bool:
    """Return whether all of `wanted` is left to be made, and nothing else is to be done for it.

    So an empty table can have it at once (:mod:`.acting`). A partitioned one gets it part by part all the same.

    :param found: as :func:`plan` takes it.
    """
    table = found[0]
    return table.relation == "table" and plan(wanted, found) == tuple(_from_nothing(wanted, table))


def _from_nothing(wanted: OnlineArbiter, table: FoundTable) -> Iterator[Step]:
    yield Build(table.name, wanted.name)
    if wanted.constraint:
        yield Attach(table.name, wanted.name)


def _of_table(wanted: OnlineArbiter, table: FoundTable) -> Iterator[Step]:
    yield from _leftovers(wanted.name, table)
    going = name_without(wanted.name, "old")
    there = table.named(wanted.name)
    if wanted.replace and there is not None and not _is_other(wanted, there):
        # the swap is done: what it put aside goes
        if table.named(going) is not None:
            yield from _dropped(table, going, "it was replaced")
    elif wanted.replace and there is not None and there.valid:
        new = name_without(wanted.name, "new")
        yield from _made(replace(wanted, name=new, constraint=False), table)
        yield Swap(
            table=table.name,
            index=wanted.name,
            new=new,
            going=going,
            old_constraint=there.constraint,
        )
        if not there.constraint:
            yield DropIndex(table.name, going, "it was replaced")
        return
    yield from _made(wanted, table)


def _made(wanted: OnlineArbiter, table: FoundTable) -> Iterator[Step]:
    there = table.named(wanted.name)
    if there is None:
        yield Build(table.name, wanted.name)
    elif there.valid and _is_other(wanted, there):
        raise Refusal(_told_other(wanted, table, there))
    elif not there.valid:
        if table.builders:
            yield Wait(table.name, there.name, table.builders)
            return
        if not there.same and not wanted.replace:
            raise Refusal(
                f"{there.name} on {table.name.name} is INVALID, and not what this revision builds but "
                f"{there.definition}: a build of somebody else's failed. Look at it, drop it with DROP INDEX "
                f"CONCURRENTLY {there.name}, and run the upgrade again"
            )
        yield from _dropped(table, there.name, "an earlier build failed")
        yield Build(table.name, wanted.name)
    if wanted.constraint and (there is None or not there.constraint):
        yield Attach(table.name, wanted.name)


def _leftovers(name: str, table: FoundTable) -> Iterator[Step]:
    for index in table.indexes:
        suffix = index.name.removeprefix(name).rstrip("0123456789")
        if not index.valid and index.same and suffix in ("_ccnew", "_ccold"):
            yield from _dropped(table, index.name, "REINDEX CONCURRENTLY was interrupted")


def _dropped(table: FoundTable, index: str, because: str) -> Iterator[Step]:
    if table.builders:
        yield Wait(table.name, index, table.builders)
    yield DropIndex(table.name, index, because)


def _is_other(wanted: OnlineArbiter, there: FoundIndex) -> bool:
    if not there.same:
        return True
    if there.constraint:
        return not wanted.constraint or there.timing != wanted.timing()
    return (
        False  # a valid index without a constraint: what is wanted, or what only has to be attached
    )


def _told_other(wanted: OnlineArbiter, table: FoundTable, there: FoundIndex) -> str:
    what = _other(table, there)
    if wanted.replace:
        return f"{what}. Drop it, and run the upgrade again"
    return (
        f"{what}. Drop or rename it in an earlier revision, or say replace=True: the right one is then built beside "
        "it, and takes its place when it is valid"
    )


def _other(table: FoundTable, there: FoundIndex) -> str:
    kind = "constraint" if there.constraint else "index"
    return f"the {kind} {there.name} of {table.name.name} is something else: {there.definition}"


# -- partitioned tables


def _of_partitioned(
    wanted: OnlineArbiter, table: FoundTable, partitions: Sequence[FoundTable]
) -> Iterator[Step]:
    for partition in partitions:
        if partition.relation not in ("table", "partitioned table"):
            raise Refusal(
                f"{partition.name.name}, a partition of {table.name.name}, is a {partition.relation}: it takes no "
                "unique index, and so neither does the partitioned table"
            )
    if wanted.replace and (there := table.named(wanted.name)) and _is_other(wanted, there):
        raise Refusal(
            f"{_other(table, there)}, and replace=True is not for partitioned tables: give the new one a name of its "
            "own, and drop the old one after it"
        )
    indexes: dict[int, str] = {}
    parents = {table.oid: table}
    yield from _parent(wanted, table, indexes)
    for partition in partitions:
        above = parents[_known(partition.parent)]
        index_above = above.named(indexes[above.oid])
        parents[partition.oid] = partition
        part = _part_of(partition, index_above)
        if part is not None and (part.valid or partition.relation == "partitioned table"):
            indexes[partition.oid] = part.name
            continue
        own = replace(wanted, name=name_within(wanted.name, partition.name.name), replace=False)
        if partition.relation == "partitioned table":
            yield from _parent(own, partition, indexes)
        else:
            indexes[partition.oid] = own.name
            yield from _leftovers(own.name, partition)
            yield from _made(own, partition)
        yield AttachPartition(
            parent=above.name, parent_index=indexes[above.oid], table=partition.name, index=own.name
        )


def _parent(
    wanted: OnlineArbiter, table: FoundTable, indexes: dict[int, str]
) -> Iterator[MakeParent]:
    indexes[table.oid] = wanted.name
    there = table.named(wanted.name)
    if there is None:
        yield MakeParent(table.name, wanted.name)
    # INVALID and the same is ours, or anybody's: its parts are what is missing
    elif not there.same or there.constraint != wanted.constraint or _is_other(wanted, there):
        raise Refusal(_told_other(replace(wanted, replace=True), table, there))


def _part_of(partition: FoundTable, above: FoundIndex | None) -> FoundIndex | None:
    if above is None:
        return None
    return next((index for index in partition.indexes if index.attached_to == above.oid), None)


def _known(oid: int | None) -> int:
    assert oid is not None  # noqa: S101 - only the table itself has no parent
    return oid
