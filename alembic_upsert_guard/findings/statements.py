"""What is said of upserts that a server recorded, beside what is said of any that a database refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .unserved import UpsertInCode

__all__ = [
    "UsedArbiter",
    "arbiter_table",
    "bound_value_fact",
    "bound_value_hint",
    "disagreeing_schemas",
    "hidden_values_fact",
    "hidden_values_hint",
    "hidden_values_reason",
    "observed_at",
    "unknown_table",
    "unresolved_record_hint",
]

_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedArbiter:
    """A line of the table of what production uses."""

    calls: int
    upsert: str
    """Its table and target: ``account (email)``."""
    arbiter: str
    """By name; or that there is none, or that it is not known."""


def arbiter_table(used: Iterable[UsedArbiter]) -> list[str]:
    """Return the table in lines, the most frequent upsert first; empty: there is none."""
    ordered = sorted(used, key=lambda each: (-each.calls, each.upsert))
    if not ordered:
        return []
    cells = [("calls", "upsert", "arbiter")]
    cells += [(f"{each.calls:,}", each.upsert, each.arbiter) for each in ordered]
    calls = max(len(each[0]) for each in cells)
    upsert = max(len(each[1]) for each in cells)
    return [f"{each[0]:>{calls}}  {each[1]:<{upsert}}  {each[2]}" for each in cells]


def bound_value_fact(upsert: UpsertInCode) -> str:
    """Return that a server refused an upsert for what was bound in its predicate."""
    return (
        f"{upsert.subject} fails with 42P10: its predicate compares with a bound value, and a plan for any "
        "value infers no partial index"
    )


def bound_value_hint() -> str:
    """Return the way out where a value was bound in a predicate."""
    return "write the target with literals: **conflict_target() does, and sa.text() with the values in it"


def observed_at(places: Sequence[str]) -> str:
    """Return where upserts were seen, for the end of a sentence about them; empty: nowhere."""
    return f", as that at {_listed(places)} does" if places else ""


def unknown_table(table: str) -> str:
    """Return why nothing is known of an upsert into a table that is not there and that no model has."""
    return f"no table {table} is in the database: it was temporary, is dropped, or is of another database"


def disagreeing_schemas(served: Sequence[str], others: Sequence[str]) -> str:
    """Return why nothing is known of an upsert that names no schema.

    :param served: the schemas in which the table has an arbiter for it.
    :param others: those in which it has none, or which are not known.
    """
    listed = f"{_listed(served)} would serve it and {_listed(others)} would not"
    return f"the statement names no schema, and {listed if served else f'{_listed(others)} differ'}"


def _listed(schemas: Sequence[str]) -> str:
    more = len(schemas) - _FEW
    return ", ".join(schemas[:_FEW]) + (f" and {more} more" if more > 0 else "")


def hidden_values_fact(upsert: UpsertInCode) -> str:
    """Return that an upsert is refused whose target has values that are not shown."""
    return f"{upsert.subject} finds no arbiter with the values that its target was sent with"


def hidden_values_reason() -> str:
    """Return that a database does not tell what it makes of a target whose values are not shown."""
    return "the database does not tell what it makes of the values that the target was sent with"


def hidden_values_hint() -> str:
    """Return the way out where the values of a target are not shown."""
    return (
        "make its elements unique under the predicate that it has, values included, or write in the upsert the "
        "predicate of the index that is there"
    )


def unresolved_record_hint() -> str:
    """Return the way out where the record, or the database, does not tell."""
    return (
        "record the upsert while a test runs it (pytest --upsert-guard) and hold that against the database "
        "(check --observed); where it has to stay as it is, suppress it in pyproject.toml"
    )
