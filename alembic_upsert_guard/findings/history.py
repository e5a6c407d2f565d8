"""What is reported of upserts in migrations, which met the schema of their day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .call_sites import Wording
from .keys import describe_upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["history_doubt", "unresolved_in_history", "unserved_in_history"]


def unserved_in_history(
    table: str,
    elements: Sequence[str],
    where: str | None,
    constraint: str | None,
    unique: Sequence[str],
) -> Wording:
    """Return that an upsert fails when its migration runs.

    :param unique: what is unique on the table then, in words.
    """
    subject = describe_upsert(table, elements, where, constraint)
    there = f"there is the {' and the '.join(unique)}" if unique else "nothing is unique on it"
    return Wording(
        f"{subject} fails when the migration runs: of the migrations before it, {there}",
        "make what serves it in a migration before it, or above it in this one; or correct the target",
    )


def unresolved_in_history(reason: str) -> Wording:
    """Return that it is not known what an upsert met when its migration ran."""
    return Wording(
        reason,
        "run the migrations on an empty database, which shows it; or leave out --migrations",
    )


def history_doubt(named: str | None) -> str:
    """Return that equal text does not prove what serves an upsert.

    :param named: what may serve it; None: several may.
    """
    what = "what was unique then" if named is None else f"the {named}"
    return f"whether {what} serves it is not known: its SQL reads differently, or the planner may simplify it"
