"""One upsert in SQL text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...target import Unread

if TYPE_CHECKING:
    from ...target import NamedTable, Target
    from ...upsert import NameClash, RoutineHead

__all__ = ["SqlUpsert"]


@dataclass(frozen=True, slots=True)
class SqlUpsert:
    """One upsert, as the SQL spells it."""

    start: int
    """Of ``ON CONFLICT`` or ``ON DUPLICATE KEY``, in characters of the text; of the EXECUTE or DO with its string."""
    table: NamedTable | Unread
    target: Target | Unread
    binds: bool = False
    """Whether the conflict target holds a parameter."""
    first: int = 0
    """Where its statement begins, in characters of the text ..."""
    last: int = 0
    """... and where it ends."""

    definition: RoutineHead | None = None
    """The routine that its statement defines; None: it runs where it is written."""

    # of one in a routine
    statement: str = ""
    """What the planner is asked: NULL for values, and nothing of what is around it; empty: it cannot be."""
    clashes: tuple[tuple[str, NameClash], ...] = ()
    """Names in the conflict target that are a variable's or a parameter's, whether or not a column's too."""
    is_certain: bool = True
    """False: the statement is put together at run time, and may be no upsert."""

    @property
    def is_read(self) -> bool:
        """Whether its table, the schema included, and its target are read."""
        schema = None if isinstance(self.table, Unread) else self.table.schema
        return not any(isinstance(part, Unread) for part in (self.table, schema, self.target))

    def moved(self, by: int) -> SqlUpsert:
        """Return the same upsert in a longer text, `by` characters further on."""
        return replace(self, start=self.start + by, first=self.first + by, last=self.last + by)
