"""What is told of upserts in code: undeclared ones, unreadable ones, and predicates that bind values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .keys import told_of_key

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BOUND_PREDICATE",
    "UNDECLARED_UPSERT",
    "UNRESOLVED_UPSERT",
    "Wording",
    "bound_predicate",
    "undeclared_constraint",
    "undeclared_target",
    "undeclared_without_target",
    "unknown_columns",
    "unknown_table",
    "unresolved_upsert",
    "upsert_key_line",
]

UNDECLARED_UPSERT = "undeclared-upsert"
UNRESOLVED_UPSERT = "unresolved-upsert"
BOUND_PREDICATE = "bound-predicate"


@dataclass(frozen=True, slots=True)
class Wording:
    """The two sentences of a finding."""

    fact: str
    hint: str


def upsert_key_line(
    elements: Sequence[tuple[str, bool]], where: str | None = None, name: str | None = None
) -> str:
    """Return the line to paste: ``UpsertKey("user_id", "question_id")``.

    :param elements: each with whether it is SQL and not a column's name.
    """
    parts = [f"sa.text({_quoted(e)})" if is_sql else _quoted(e) for e, is_sql in elements]
    if where is not None:
        parts.append(f"where=sa.text({_quoted(where)})")
    if name is not None:
        parts.append(f"name={_quoted(name)}")
    return f"UpsertKey({', '.join(parts)})"


def undeclared_target(
    table: str,
    elements: Sequence[tuple[str, bool]],
    where: str | None,
    declared: Sequence[str],
    place: str,
) -> Wording:
    """Return what is told of a target that no key of its table declares.

    :param declared: the keys that the table does declare, as people are told of them.
    :param place: where the line goes, such as ``class User (app.models)``.
    """
    key = told_of_key(table, [element for element, _ in elements], where)
    return Wording(
        f"{key} is declared by no model{_beside(declared)}",
        f"add {upsert_key_line(elements, where)} to {place}",
    )


def undeclared_constraint(
    table: str,
    name: str,
    covered: Sequence[tuple[str, bool]] | None,
    declared: Sequence[str],
    place: str,
) -> Wording:
    """Return what is told of a constraint that no key states or points at.

    :param covered: the elements of the constraint of that name in the models; None: they have none.
    """
    fact = f"no upsert key of {table} states the name {name} or points at a constraint of that name"
    line = (
        f'UpsertKey(..., name="{name}") with its columns'
        if covered is None
        else upsert_key_line(covered)
    )
    return Wording(f"{fact}{_beside(declared)}", f"add {line} to {place}")


def undeclared_without_target(table: str, place: str) -> Wording:
    """Return what is told of an upsert that names no target, on a table without keys."""
    return Wording(
        f"the upsert into {table} names no conflict target, and the table declares no upsert key",
        f"add UpsertKey(...), with the columns that rows are matched by, to {place}",
    )


def unknown_table(table: str) -> Wording:
    """Return what is told of a table that the models lack."""
    return Wording(
        f"no model has the table {table}, so no upsert key of it is declared",
        f"correct the table's name, or add a model of {table} with its UpsertKey(...)",
    )


def unknown_columns(table: str, unknown: Sequence[str], columns: Sequence[str]) -> Wording:
    """Return what is told of a target with columns that the table's model lacks."""
    plural = "s" if len(unknown) > 1 else ""
    return Wording(
        f"{table} has no column{plural} {', '.join(unknown)}",
        f"correct the upsert, or add the column{plural}; the model of {table} has {', '.join(columns)}",
    )


def unresolved_upsert(reason: str) -> Wording:
    """Return what is told of an upsert whose table or target the source does not tell."""
    return Wording(
        reason,
        "write table and target as constants, or as **conflict_target(Model); where it has to stay as it is, "
        f"accept it with upsert-guard: ignore[{UNRESOLVED_UPSERT}]",
    )


def bound_predicate(key: str | None) -> Wording:
    """Return what is told of a conflict target that binds values, in an element or in its predicate.

    :param key: the arguments of ``conflict_target()`` that spell it without; None: they cannot be told.
    """
    return Wording(
        "the conflict target binds values: an index with a predicate or an expression is inferred from literals only, "
        "and the upsert fails, on SQLite at once, on PostgreSQL with 42P10 once the plan of the prepared statement "
        "turns generic",
        f"write **conflict_target({key or '...'}), which binds none, or the target's values as literals",
    )


def _beside(declared: Sequence[str]) -> str:
    return f"; declared: {', '.join(declared)}" if declared else ""


def _quoted(text: str) -> str:
    """`text` as Python source, in double quotes where that reads well."""
    return f'"{text}"' if not set(text) & set('"\\\n') else repr(text)
