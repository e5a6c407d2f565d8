"""One upsert in SQL text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...target import NamedTable, Target, Unread

__all__ = ["SqlUpsert"]


@dataclass(frozen=True, slots=True)
class SqlUpsert:
    """One upsert, as the SQL spells it."""

    start: int
    """Of ``ON CONFLICT`` or ``ON DUPLICATE KEY``, in characters of the text."""
    table: NamedTable | Unread
    target: Target | Unread
    binds: bool = False
    """Whether the conflict target holds a parameter."""
    first: int = 0
    """Where its statement begins, in characters of the text ..."""
    last: int = 0
    """... and where it ends."""

    def moved(self, by: int) -> SqlUpsert:
        """Return the same upsert in a longer text, `by` characters further on."""
        return replace(self, start=self.start + by, first=self.first + by, last=self.last + by)
