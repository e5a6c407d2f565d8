"""One upsert of a source, and what can be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scan.sighting import Target, Unread

__all__ = ["CallSite", "Resolution", "Source", "call_site_member"]


class Source(str, Enum):
    """Where an upsert was found. The values are those of the command's JSON."""

    CODE = "code"
    FUNCTIONS = "functions"

    def __str__(self) -> str:
        return self.value


class Resolution(str, Enum):
    """What can be said of a call site. The values are those of the command's JSON."""

    DECLARED = "declared"
    """An upsert key of the models has this target."""
    MODELLED = "modelled"
    """No upsert key has, but a primary key, unique constraint or unique index of the models serves it."""
    UNDECLARED = "undeclared"
    """Nothing in the models serves it."""
    UNRESOLVED = "unresolved"
    """Table or target cannot be read, or text does not prove that they are those of the models."""
    READ = "read"
    """Table and target are read, and there are no models to hold them against."""

    SERVED = "served"
    """A database was asked, and has an arbiter for it."""
    UNSERVED = "unserved"
    """A database was asked, and refuses it."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """One upsert, whether its findings are suppressed or not."""

    source: Source = Source.CODE
    path: str
    """As it was asked for: relative where the scanner was given a relative path."""
    line: int
    """Where ``on_conflict_do_update``, ``upsert`` or ``ON CONFLICT`` stands, counted from 1."""
    first_line: int
    """Of the call or the string that holds it; an ignore comment counts from here ..."""
    last_line: int
    """... to here, inclusive."""

    schema: str | None
    """The declared table's, where it is one; None: neither the model nor the source names one."""
    table: str | None
    """None: it cannot be read."""
    elements: tuple[str, ...]
    """As the source writes them; empty: the upsert names none, or they cannot be read."""
    where: str | None
    """The predicate's SQL in PostgreSQL's spelling; None: there is none, or it cannot be read."""
    constraint: str | None
    """The name in ``ON CONFLICT ON CONSTRAINT``; None: the upsert names none."""
    target: Target | Unread
    """The target in values, columns apart from expressions: what a judge other than the models takes."""

    resolution: Resolution
    reason: str | None = None
    """The fact of its finding, where it is modelled, undeclared or unresolved; None: there is none."""


def call_site_member(site: CallSite) -> dict[str, Any]:
    """Return the call site as the command's JSON has it."""
    return {
        "source": str(site.source),
        "path": site.path,
        "line": site.line,
        "schema": site.schema,
        "table": site.table,
        "elements": list(site.elements),
        "where": site.where,
        "constraint": site.constraint,
        "resolution": str(site.resolution),
    }
