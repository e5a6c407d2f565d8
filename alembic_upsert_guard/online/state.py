"""Unique indexes of a table and its partitions, as the catalog has them. Values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .arbiter import Timing

if TYPE_CHECKING:
    from ..catalog import TableName
    from ..catalog.contract import RelationKind

__all__ = ["IndexState", "TableState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """An index."""

    oid: int
    name: str
    same: bool
    """Whether it is what is wanted, constraint or not, whatever its name."""
    shape: str = ""
    """What :func:`.catalog.shape_of` returns of it."""
    valid: bool
    constraint: bool = False
    """Whether it is the index of a unique or primary key constraint."""
    timing: Timing = Timing.IMMEDIATE
    """When that constraint is checked."""
    attached_to: int | None = None
    """The index of the partitioned table that this one is a part of."""
    definition: str = ""
    """As the database prints it."""
    needed_by: str | None = None
    """A foreign key that refers to a table by it, and keeps it from being dropped; None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """The table, or one of its partitions."""

    oid: int
    name: TableName
    """With its schema."""
    relation: RelationKind | None
    """None: a relation of another kind, such as a sequence."""
    indexes: tuple[IndexState, ...] = ()
    parent: int | None = None
    """The partitioned table that it is a partition of; None: the table itself."""
    builders: tuple[int, ...] = ()
    """Sessions (pid) with a lock that a concurrent build has, and a VACUUM; no two of them run at once."""

    @property
    def kind(self) -> str:
        """The kind of relation, as a message names it."""
        return "relation of another kind" if self.relation is None else self.relation.value

    def named(self, name: str) -> IndexState | None:
        """Return its index of that name."""
        return next((index for index in self.indexes if index.name == name), None)
