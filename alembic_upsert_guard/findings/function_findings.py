"""What is reported of upserts in the functions of a database: those that it refuses, and those that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from .call_sites import upsert_key_line
from .codes import Circumstance, FindingCode
from .finding import Finding, Location
from .keys import describe_upsert, qualified
from .lookups import unserved_lookup

__all__ = [
    "HINTS",
    "UpsertOfFunction",
    "missing_constraint_of_function",
    "unresolved_in_function",
    "unserved_function",
    "unserved_lookup_of_function",
]

HINTS = {
    "42P01": "make the table in a migration, or drop the function that nothing can call",
    "3F000": "make the schema in a migration, or drop the function that nothing can call",
    "42703": "correct the column's name in the function, or add the column in a migration",
    "42704": "correct the name in the function, or make what it names in a migration",
    "42702": (
        "name the constraint instead: ON CONFLICT ON CONSTRAINT ..., or write #variable_conflict use_column as the "
        "body's first line"
    ),
}
"""By SQLSTATE, where a declared key is not what is missing."""

_DECLARED = {"42P10", "55000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertOfFunction:
    """One upsert, as a finding is about it."""

    function: str
    """``schema.function(argument types)``."""
    line: int
    """Of its body, counted from 1."""
    schema: str | None
    """None: the session's search path finds the table, or it is not there."""
    table: str | None
    """None: it cannot be read."""
    elements: tuple[tuple[str, bool], ...] = ()
    """Each with whether it is SQL and not a column's name."""
    where: str | None = None
    constraint: str | None = None
    """Of ``ON CONSTRAINT``."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The elements, as messages name them."""
        return tuple(label for label, _ in self.elements)


def unserved_function(
    upsert: UpsertOfFunction, sqlstate: str, reason: str, sql: str | None = None
) -> Finding:
    """Return that every call that reaches the upsert fails, in the server's own sentence.

    :param sql: the hint where no model is to declare the key; None: the declaration.
    """
    hint = HINTS.get(sqlstate, "correct the function, or drop it if nothing calls it")
    if sql is not None:
        hint = sql
    elif sqlstate in _DECLARED and upsert.elements:
        hint = _declaration(upsert)
    elif sqlstate in _DECLARED:
        hint = "name the columns that rows are matched by as the target, and declare them as an UpsertKey"
    return _finding(
        upsert,
        FindingCode.UNSERVED_FUNCTION,
        f"{_subject(upsert)} fails with {sqlstate}: {reason}",
        hint,
    )


def unserved_lookup_of_function(
    upsert: UpsertOfFunction, statement: str, sql: str | None
) -> Finding:
    """Return that nothing in the database keeps unique what a function looks up.

    :param statement: what looks it up, as messages name it.
    :param sql: as for :func:`unserved_function`.
    """
    fact = unserved_lookup(_subject(upsert), statement)
    hint = sql or _declaration(upsert)
    return _finding(upsert, FindingCode.UNSERVED_FUNCTION, fact, hint, Circumstance.LOOKED_UP)


def missing_constraint_of_function(
    upsert: UpsertOfFunction, reason: str, sql: str | None
) -> Finding:
    """Return that every call fails for a name in ``ON CONSTRAINT`` that no constraint has.

    :param sql: the hint where no model is to declare the key; None: the one for every project.
    """
    fact = f"{_subject(upsert)} fails with 42704: {reason}"
    return _finding(upsert, FindingCode.MISSING_CONSTRAINT, fact, sql or HINTS["42704"])


def _declaration(upsert: UpsertOfFunction) -> str:
    line = upsert_key_line(upsert.elements, upsert.where)
    return (
        f"add {line} to the model of {_table(upsert)} and run alembic revision --autogenerate, which writes the check "
        "of the rows and the fix"
    )


def _subject(upsert: UpsertOfFunction) -> str:
    subject = describe_upsert(_table(upsert), upsert.labels, upsert.where, upsert.constraint)
    has_target = upsert.elements or upsert.constraint is not None
    return subject if has_target else f"{subject} without a conflict target"


def unresolved_in_function(upsert: UpsertOfFunction, reason: str) -> Finding:
    """Return that nothing is known of the upsert, and the reason."""
    return _finding(
        upsert,
        FindingCode.UNRESOLVED_UPSERT,
        reason,
        "write table and target as constants in a statement of its own; where it has to stay as it is, suppress the "
        "finding with a reason, and let a test call the function on a migrated database",
    )


def _finding(
    upsert: UpsertOfFunction,
    code: FindingCode,
    fact: str,
    hint: str,
    circumstance: Circumstance | None = None,
) -> Finding:
    return Finding(
        code=code,
        circumstance=circumstance,
        schema=upsert.schema,
        table=upsert.table,
        elements=upsert.labels,
        where=upsert.where,
        fact=fact,
        hint=hint,
        location=Location(upsert.function, upsert.line, is_file=False),
    )


def _table(upsert: UpsertOfFunction) -> str:
    return qualified(upsert.schema, str(upsert.table))
