"""What is done to a table, a step at a time. Values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..errors import UpsertGuardError

if TYPE_CHECKING:
    from ..catalog import TableName

__all__ = [
    "Attach",
    "AttachPartition",
    "Build",
    "DropIndex",
    "MakeParent",
    "Refusal",
    "Step",
    "Swap",
    "Wait",
]


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
    reason: str


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
    """The name that both have in turn."""
    new_name: str
    """The name of the new index until then."""
    old_name: str
    """The name of an old index from then on, until it is dropped."""
    is_constraint: bool
    """Whether the old one is a constraint, which is dropped in the same transaction."""


Step: TypeAlias = Wait | DropIndex | Build | Attach | MakeParent | AttachPartition | Swap


class Refusal(UpsertGuardError):  # noqa: N818 - what its caller makes an error of
    """An index is another's, and a person has to look; the text says which and where."""
