"""What becomes of an upsert where a table lacks what it needs, or has more, by database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..databases import Database

__all__ = ["with_both_arbiters", "without_arbiter", "without_column"]


def without_arbiter(database: Database) -> str:
    """Return what an upsert does where nothing is unique on what it matches rows by, as a verb."""
    if not database.has_conflict_targets:
        return "doubles rows in silence"
    return "fails with 42P10" if database.has_sqlstates else "fails"


def without_column(database: Database) -> str:
    """Return what a statement does that names a column which its table lacks, as a verb."""
    return "fails with 42703" if database.has_sqlstates else "fails"


def with_both_arbiters(database: Database) -> str:
    """Return what an upsert on another key does with rows that are the same in a unique key's elements, as a verb."""
    return (
        "fail with a unique violation"
        if database.has_conflict_targets
        else "are updated, not inserted"
    )
