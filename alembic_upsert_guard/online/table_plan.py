"""The steps that are left on a table that is not partitioned, or on a partition of the last level. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .arbiter import scratch_index_name
from .steps import Attach, Build, DropIndex, Refusal, Swap, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .arbiter import OnlineArbiter
    from .state import IndexState, TableState
    from .steps import Step

__all__ = [
    "describe_other",
    "is_other",
    "refusal_of_other",
    "steps_of_table",
    "steps_to_create",
    "steps_to_drop_leftovers",
]


def steps_of_table(wanted: OnlineArbiter, table: TableState) -> Iterator[Step]:
    """Yield the steps that are left on a table of its own.

    :raises Refusal: something else is in the way.
    """
    yield from steps_to_drop_leftovers(wanted.name, table)
    old_name = scratch_index_name(wanted.name, "old")
    there = table.named(wanted.name)
    if wanted.replace and there is not None and not is_other(wanted, there):
        # the swap is done: the old index is dropped
        if table.named(old_name) is not None:
            yield from _steps_to_drop(table, old_name, "it was replaced")
    elif wanted.replace and there is not None and there.valid:
        if there.needed_by is not None:
            raise Refusal(
                f"{describe_other(table, there)}, and the foreign key {there.needed_by} needs it. Drop that above, and "
                "make it again where its columns are still unique, or give this one another name"
            )
        new_name = scratch_index_name(wanted.name, "new")
        yield from steps_to_create(replace(wanted, name=new_name, constraint=False), table)
        yield Swap(
            table=table.name,
            index=wanted.name,
            new_name=new_name,
            old_name=old_name,
            is_constraint=there.constraint,
        )
        if not there.constraint:
            yield DropIndex(table.name, old_name, "it was replaced")
        return
    yield from steps_to_create(wanted, table)


def steps_to_create(wanted: OnlineArbiter, table: TableState) -> Iterator[Step]:
    """Yield the steps until the index is there, valid, and attached where it is a constraint.

    :raises Refusal: the name is another index's.
    """
    there = table.named(wanted.name)
    if there is None:
        yield Build(table.name, wanted.name)
    elif there.valid and is_other(wanted, there):
        raise refusal_of_other(wanted, table, there)
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
        yield from _steps_to_drop(table, there.name, "an earlier build failed")
        yield Build(table.name, wanted.name)
    if wanted.constraint and (there is None or not there.constraint):
        yield Attach(table.name, wanted.name)


def steps_to_drop_leftovers(index_name: str, table: TableState) -> Iterator[Step]:
    """Yield the steps that drop what an interrupted ``REINDEX CONCURRENTLY`` of the index left."""
    for index in table.indexes:
        suffix = index.name.removeprefix(index_name).rstrip("0123456789")
        if not index.valid and index.same and suffix in ("_ccnew", "_ccold"):
            yield from _steps_to_drop(table, index.name, "REINDEX CONCURRENTLY was interrupted")


def _steps_to_drop(table: TableState, index: str, reason: str) -> Iterator[Step]:
    if table.builders:
        yield Wait(table.name, index, table.builders)
    yield DropIndex(table.name, index, reason)


def is_other(wanted: OnlineArbiter, there: IndexState) -> bool:
    """Return whether an index is something else than what is wanted, and not a part of the way to it."""
    if not there.same:
        return True
    if there.constraint:
        return not wanted.constraint or there.timing is not wanted.timing
    # a valid index without a constraint is what is wanted, or only has to be attached
    return False


def refusal_of_other(wanted: OnlineArbiter, table: TableState, there: IndexState) -> Refusal:
    """Return the refusal of an index for which :func:`is_other` is true."""
    description = describe_other(table, there)
    if wanted.replace:
        return Refusal(f"{description}. Drop it, and run the upgrade again")
    return Refusal(
        f"{description}. Drop or rename it in an earlier revision, or say replace=True: the right one is then built "
        "beside it, and takes its place when it is valid"
    )


def describe_other(table: TableState, there: IndexState) -> str:
    """Return which index is something else, and what."""
    kind = "constraint" if there.constraint else "index"
    return f"the {kind} {there.name} of {table.name.name} is something else: {there.definition}"
