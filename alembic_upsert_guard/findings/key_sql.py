"""Why no index serves the SQL of a key, or none is known to, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..inference import Folded, MissingRight

__all__ = ["CORRECT_THE_SQL", "folded_fact", "missing_right_hint", "unread_fact", "written_instead"]


def folded_fact(folded: Folded) -> str:
    """Return why no index that can be made of the SQL serves it, in the present tense, without a full stop."""
    if folded.unwrapped is not None:
        return (
            f"CREATE INDEX takes the parentheses around COLLATE off {folded.sql} and ON CONFLICT does not: no index "
            "made of it serves it"
        )
    if folded.column is not None:
        return (
            f"PostgreSQL reads {folded.sql} in a conflict target as the column {folded.column}, and an index made of "
            "that SQL is none on the column"
        )
    return f"PostgreSQL simplifies {folded.sql} in a conflict target, and no index made of it serves what is left"


def unread_fact(reason: str) -> str:
    """Return that the database cannot read the SQL of a key, without a full stop.

    :param reason: the database's own.
    """
    return f"the database cannot read the key's SQL in a conflict target, and every upsert on it fails: {reason}"


CORRECT_THE_SQL = (
    "correct the SQL in the declaration: an element is a column, a function's call or an expression in parentheses, "
    "its predicate a condition, and functions and types have to be there before the key"
)
"""The way out for a key whose SQL the database cannot read."""


def written_instead(folded: Folded) -> str:
    """Return the shape to declare in place of the SQL, as an instruction."""
    if folded.unwrapped is not None:
        return f"write the element without parentheses around COLLATE: {folded.unwrapped}"
    if folded.column is not None:
        return f'write the column itself: "{folded.column}"'
    return "write the SQL in its simplest form, without constants that decide nothing"


def missing_right_hint(lacking: MissingRight) -> str:
    """Return what has to be granted before the database can be asked."""
    where = ", on the primary" if lacking.is_replica else ""
    return f"run {' or '.join(lacking.grants)}{where}: nothing is written with it, and the planner answers"
