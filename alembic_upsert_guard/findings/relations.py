"""What stands in the way of every key of a relation: its kind, or its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inference import Code

if TYPE_CHECKING:
    from ..inference import Shortfall

__all__ = ["relation_fact", "relation_hint"]


def relation_fact(shortfall: Shortfall) -> str | None:
    """Return the fact behind a shortfall that comes of the relation, as a clause; None: it does not."""
    if shortfall.rules:
        return _rules(shortfall)
    if shortfall.relation == "foreign table":
        return "a foreign table has nothing unique, whatever is unique in the table behind it"
    if shortfall.relation is not None:
        return f"the {shortfall.relation} takes no INSERT with ON CONFLICT, whatever is unique"
    if shortfall.is_behind_view:
        return "nothing is unique on exactly these elements in the table behind the view"
    return None


def relation_hint(shortfall: Shortfall) -> str | None:
    """Return the way out of a shortfall that comes of the relation; None: it does not."""
    if shortfall.rules and shortfall.code is Code.MISSING_ARBITER:
        return (
            "replace the rule by a trigger, or upsert into another table: an index cannot help here"
        )
    if shortfall.rules:
        return "drop the rule, or upsert into the table that is written to"
    if shortfall.relation is not None:
        return "upsert into the table behind it, and declare the key there"
    if shortfall.is_behind_view:
        return (
            "make them unique in the table behind the view; or where a trigger stands INSTEAD OF the INSERT, upsert "
            "into the table: nothing is inferred then"
        )
    return None


def _rules(shortfall: Shortfall) -> str:
    names = ", ".join(shortfall.rules)
    rules = f"the rule {names}" if len(shortfall.rules) == 1 else f"the rules {names}"
    if shortfall.code is Code.UNPROVEN_ARBITER:
        return f"{rules} of the table may turn every INSERT into nothing, and PostgreSQL makes no plan of that"
    return (
        f"PostgreSQL refuses every INSERT with ON CONFLICT on a table with INSERT or UPDATE rules (0A000), and it has "
        f"{rules}"
    )
