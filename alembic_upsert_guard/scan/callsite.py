"""One upsert of the source, held against what the models declare."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["CallSite", "Resolution"]


class Resolution(str, Enum):
    """What can be said of a call site. The values are those of the command's JSON."""

    DECLARED = "declared"
    UNDECLARED = "undeclared"
    UNRESOLVED = "unresolved"
    """Table or target cannot be read, or text does not prove that they are the declared ones."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class CallSite:
    """One upsert, seen in a file; suppressed findings change nothing here."""

    path: str
    """As it was asked for: relative where the scanner was given a relative path."""
    line: int
    """Where ``on_conflict_do_update``, ``upsert`` or ``ON CONFLICT`` stands, counted from 1."""

    schema: str | None
    """The declared table's, where it is one; None: neither the model nor the source names one."""
    table: str | None
    """None: it cannot be read."""
    elements: tuple[str, ...]
    """As the source writes them; empty: the upsert names none, or they cannot be read."""
    where: str | None
    """The predicate's SQL in PostgreSQL's spelling; None: there is none, or it cannot be read."""

    resolution: Resolution
    reason: str | None = None
    """Why it is undeclared or unresolved, in words; None: it is declared."""
