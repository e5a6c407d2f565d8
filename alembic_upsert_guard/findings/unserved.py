"""What is said of upserts that a database refuses: at their place in the code, with the SQL that serves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..inference import Code, Traits
from .call_sites import upsert_key_line
from .calls import target_line
from .finding import Finding, Location
from .function_findings import HINTS
from .keys import describe_upsert, qualified
from .rows_in_the_way import behind_rows
from .shortfalls import shortfall_fact, shortfall_hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..inference import ConflictTarget, Shortfall
    from .calls import Call
    from .codes import Circumstance, FindingCode
    from .rows_in_the_way import RowsInTheWay

__all__ = [
    "UpsertInCode",
    "by_hand_hint",
    "missing_table_fact",
    "missing_table_hint",
    "model_hint",
    "no_target_hint",
    "occurrence",
    "refusal_fact",
    "refusal_hint",
    "shortfall_of_upsert",
    "sql_hint",
    "unresolved_hint",
    "without_primary_key",
    "without_unique",
]

_UPSERT = "the upsert"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertInCode:
    """One upsert, as a finding is about it."""

    location: Location | None
    """None: it is of a server's statistics, which have no places."""
    helper: Location | None = None
    """Where it is written, by a function that the location calls; None: at the location."""
    occurrence: str = ""
    """That it ran or failed, and how often: ``that ran 12 times``; empty: its source does not count."""
    schema: str | None
    table: str
    elements: tuple[str, ...]
    where: str | None
    constraint: str | None
    """Of ``ON CONSTRAINT``."""

    @property
    def subject(self) -> str:
        """What a sentence about it begins with: ``the upsert into accounts (email)``.

        Without a place a finding begins with its table and target, and the sentence does not repeat them.
        """
        name = _UPSERT
        if self.location is not None:
            table = qualified(self.schema, self.table)
            name = describe_upsert(table, self.elements, self.where, self.constraint)
        return " ".join(filter(None, [name, self.occurrence]))

    def finding(
        self, code: FindingCode, fact: str, hint: str, circumstance: Circumstance | None = None
    ) -> Finding:
        """Return the finding at its place."""
        return Finding(
            code=code,
            circumstance=circumstance,
            schema=self.schema,
            table=self.table,
            elements=self.elements,
            where=self.where,
            fact=fact,
            hint=hint,
            location=self.location,
            helper=self.helper,
        )


def occurrence(times: int, *, failed: bool) -> str:
    """Return how often an upsert ran, as far as a server knows: ``that ran 12 times``.

    :param failed: whether it is of a server's log, which has what failed.
    """
    often = "once" if times == 1 else f"{times:,} times"
    return f"that {'failed' if failed else 'ran'} {often}"


# -- facts


def shortfall_of_upsert(
    upsert: UpsertInCode, target: ConflictTarget, shortfall: Shortfall, database: Database
) -> str:
    """Return why no arbiter serves the upsert."""
    return f"{upsert.subject} {_outcome(shortfall, database)}: {shortfall_fact(target, shortfall, _UPSERT)}"


def _outcome(shortfall: Shortfall, database: Database) -> str:
    if not database.has_conflict_targets:
        return "doubles rows in silence"
    if not database.has_sqlstates:
        return "fails"
    if shortfall.rules:
        return "fails with 0A000"
    return f"fails with {'55000' if shortfall.code is Code.DEFERRABLE_ARBITER else '42P10'}"


def refusal_fact(upsert: UpsertInCode, sqlstate: str, reason: str) -> str:
    """Return that the database refuses the upsert, in its own sentence.

    :param sqlstate: empty: the database has none.
    """
    return f"{upsert.subject} fails{f' with {sqlstate}' if sqlstate else ''}: {reason}"


def missing_table_fact(upsert: UpsertInCode, homes: Sequence[str]) -> str:
    """Return that the table is not where the connection looks for it.

    :param homes: the schemas that do have a table of that name.
    """
    table = qualified(upsert.schema, upsert.table)
    if not homes:
        return f"{_UPSERT} is into {table}, which is not in the database"
    listed = ", ".join(qualified(home, upsert.table) for home in homes)
    where = "is not found by the search path" if upsert.schema is None else "is not in the database"
    return f"{_UPSERT} is into {table}, which {where}; there is {listed}"


def without_primary_key(upsert: UpsertInCode) -> str:
    """Return what Supabase makes of an upsert that names no columns, on a table without a primary key."""
    return (
        f"{upsert.subject} names no columns, and the table has no primary key to match rows by: it is a plain INSERT, "
        "and rows double in silence"
    )


def without_unique(upsert: UpsertInCode) -> str:
    """Return what an upsert without a target does on a table with nothing unique."""
    return (
        f"{upsert.subject} names no conflict target, and nothing is unique on the table: it never meets a conflict, "
        "and rows double in silence"
    )


# -- hints


def sql_hint(
    statements: Sequence[str],
    shortfall: Shortfall,
    target: ConflictTarget,
    rows: RowsInTheWay | None,
    call: Call | None = None,
) -> str:
    """Return what to run, a statement a line; and before it what to write, where the upsert is the likelier fault.

    :param rows: None: the table has none.
    :param call: the upsert as its source writes it; None: it is none's, or a server's record of it.
    """
    apart = ""
    if any(" CONCURRENTLY " in statement for statement in statements):
        apart = ", each statement by itself and outside of a transaction"
    run = behind_rows("\n".join([f"run{apart}:", *statements]), rows)
    if shortfall.code is Code.INVALID_ARBITER:
        return f"wait where a build of the index is running, else {run}"
    candidate = shortfall.candidate
    if shortfall.code is Code.PREDICATE_MISMATCH and candidate and candidate.predicate:
        if target.predicate is None:
            return f"add WHERE {candidate.predicate} to the upsert's conflict target, or {run}"
        return f"write the predicate of the index, WHERE {candidate.predicate}, or {run}"
    line = None if call is None else _wider_target(call, target, shortfall)
    return run if line is None else f"write {line}; or, where the upsert is right, {run}"


def _wider_target(call: Call, target: ConflictTarget, shortfall: Shortfall) -> str | None:
    """The target with the columns that the upsert lacks of what is unique; None: it lacks none.

    A narrower constraint than the one that is there is rarely meant: it forbids rows that are welcome today.
    """
    near = shortfall.candidate
    if shortfall.code is not Code.MISSING_ARBITER or near is None or not near.is_sound:
        return None
    lacks = frozenset(target.labels) < frozenset(near.labels)
    return target_line(call, near.elements, None) if lacks else None


def by_hand_hint(shortfall: Shortfall, traits: Traits) -> str:
    """Return the way out where no statement is one."""
    if shortfall.code is Code.PARTITION_KEY_MISSING:
        return "add the partition columns to the conflict target, or upsert into the partitions"
    particular = shortfall_hint(shortfall)
    if particular is not None:
        return particular
    if traits.relation == "view":
        return "make the elements unique on the table behind the view, or upsert into that table"
    return f"upsert into a table: this is a {traits.relation}"


def model_hint(
    elements: Sequence[tuple[str, bool]], where: str | None, place: str | None, *, declared: bool
) -> str:
    """Return the way out where the table has a model: what to declare, and the command that migrates the database.

    :param elements: each with whether it is SQL and not a column's name; empty: none are named.
    :param place: where the line goes, such as ``__table_args__ of class User (app.models)``.
    :param declared: whether the models have what serves the upsert already.
    """
    command = (
        "run alembic revision --autogenerate, which writes the check of the rows and the constraint"
    )
    if declared:
        return f"run alembic upgrade head; where that changes nothing, {command}: the models serve the upsert"
    line = upsert_key_line(elements, where) if elements else "UpsertKey(...)"
    return f"add {line} to {place} and {command}"


def refusal_hint(sqlstate: str) -> str:
    """Return the way out of a refusal that no arbiter would change."""
    return HINTS.get(sqlstate, "correct the upsert, or the table that it is into")


def no_target_hint() -> str:
    """Return the way out where the upsert names nothing to match rows by, and nothing is there to take for it."""
    return "name the columns that rows are matched by as the conflict target, and make them unique"


def unresolved_hint() -> str:
    """Return the way out where the database cannot tell."""
    return (
        "let a test run the upsert on a migrated database; where it has to stay as it is, suppress it with "
        "upsert-guard: ignore[unresolved-upsert]"
    )


def missing_table_hint(*, has_models: bool) -> str:
    """Return the way out where the table is not there."""
    migrate = "run alembic upgrade head" if has_models else "run the migration that makes it"
    return (
        f"{migrate}, correct the table's name or its schema, or look whether the check reads the "
        "database that is meant"
    )
