"""Why a key has no arbiter, as a sentence: one code, one fact, the candidate named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inference import Candidate, Code, ConflictTarget, Shortfall
from .key_sql import (
    CORRECT_THE_SQL,
    folded_fact,
    missing_right_hint,
    unread_fact,
    written_instead,
)
from .relations import relation_fact, relation_hint

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NOT_DEFERRABLE_HINT",
    "deferrable_fact",
    "describe_candidate",
    "shortfall_fact",
    "shortfall_hint",
    "unique_by_itself",
    "unmakeable_fact",
    "unserved_rowid_fact",
]


def shortfall_fact(target: ConflictTarget, shortfall: Shortfall, subject: str = "the key") -> str:
    """Return the fact behind `shortfall`, in the present tense, without the code and without a full stop.

    :param subject: what the target is of.
    """
    if shortfall.code is Code.PARTITION_KEY_MISSING:
        lacking = _listed(list(shortfall.columns))
        by = lacking if shortfall.partitioner is None else f"{lacking} ({shortfall.partitioner})"
        return f"the table is partitioned by {by}, which {subject} lacks: nothing unique can span the partitions"
    of_relation = relation_fact(shortfall)
    if of_relation is not None:
        return of_relation
    if shortfall.folded is not None:
        return folded_fact(shortfall.folded)
    if shortfall.unread is not None:
        return unread_fact(shortfall.unread)
    if _holds_the_rowid(shortfall):
        (rowid,) = shortfall.columns
        return (
            f"{rowid} is the rowid, and SQLite infers nothing that holds it beside other elements"
        )
    if shortfall.lacking is not None:
        why = f"{shortfall.lacking.role} may not ask the database"
        return _unproven(target, shortfall.candidate, why)
    if shortfall.code is Code.PREDICATE_MISMATCH:
        return _predicate(target, shortfall.candidate, subject)
    return _FACTS[shortfall.code](target, shortfall.candidate)


def shortfall_hint(shortfall: Shortfall) -> str | None:
    """Return the way out that goes with the particular reason; None: the one that goes with the code."""
    of_relation = relation_hint(shortfall)
    if of_relation is not None:
        return of_relation
    if shortfall.folded is not None:
        return written_instead(shortfall.folded)
    if shortfall.unread is not None:
        return CORRECT_THE_SQL
    if shortfall.lacking is not None:
        return missing_right_hint(shortfall.lacking)
    if shortfall.partitioner is not None:
        return f"add {_listed(list(shortfall.columns))} to the key and to every upsert on it"
    if shortfall.code is Code.MISSING_ARBITER and shortfall.columns:
        return unique_by_itself(shortfall.columns[0])
    return None


def unserved_rowid_fact(rowid: str) -> str:
    """Return why a key that holds the rowid has to be declared otherwise, as what follows upon its name."""
    return (
        f"is never served on SQLite: {rowid} is the rowid there (INTEGER PRIMARY KEY), which SQLite infers by itself "
        f"or not at all; {unique_by_itself(rowid)}"
    )


def unmakeable_fact(target: ConflictTarget, shortfall: Shortfall) -> str:
    """Return why no revision can make what the key needs, as what follows upon its name.

    :param shortfall: one that :func:`.plan_repair` refuses to repair.
    """
    if shortfall.code is not Code.PARTITION_KEY_MISSING:
        return unserved_rowid_fact(shortfall.columns[0])
    fact = shortfall_fact(target, shortfall)
    names = ", ".join(f'"{label}"' for label in (*target.labels, *shortfall.columns))
    plain = all(e.column is not None for e in target.elements)
    way = f"declare UpsertKey({names})" if plain else "add it to the declared key"
    if "an expression" in shortfall.columns:
        way = "partition it by columns of the key"  # 0A000 for expressions, whatever the key holds
    return (
        f"is never served ({shortfall.code}): {fact}, and {_refusing_index(shortfall)}. To be served, {way}, "
        "and upsert on the same"
    )


def _refusing_index(shortfall: Shortfall) -> str:
    state = "TS103" if shortfall.partitioner == "TimescaleDB" else "0A000"
    return f"{shortfall.partitioner or 'PostgreSQL'} makes no such index ({state})"


def unique_by_itself(rowid: str) -> str:
    """Return the way out of a key that holds the rowid beside other elements."""
    return f'declare UpsertKey("{rowid}") and upsert on it, {rowid} is unique by itself'


def _holds_the_rowid(shortfall: Shortfall) -> bool:
    return shortfall.code is Code.MISSING_ARBITER and bool(shortfall.columns)


def _missing(target: ConflictTarget, near: Candidate | None) -> str:
    fact = "nothing is unique on exactly these elements"
    if near is None:
        return fact
    return f"{fact}; nearest is {describe_candidate(near)}: {_difference(target, near)}"


def _difference(target: ConflictTarget, near: Candidate) -> str:
    surplus = [label for label in near.labels if label not in target.labels]
    lacking = [label for label in target.labels if label not in near.labels]
    is_same = not surplus and not lacking
    if not near.unique:
        return "it is not unique"
    if surplus and lacking:
        return f"it covers {_listed(surplus)} and not {_listed(lacking)}"
    if is_same and not near.is_whole:
        return f"only {_listed(_prefixes(near))} count"
    if not near.inferable:
        return "SQLite infers no index that holds the rowid"
    if is_same:
        same_rows = near.predicate == target.predicate
        return "it has another name" if same_rows else "it covers other rows"
    if surplus:
        return f"{_counted(surplus)} too many ({_listed(surplus)})"
    return f"{_counted(lacking)} too few ({_listed(lacking)})"


def _predicate(target: ConflictTarget, candidate: Candidate | None, subject: str) -> str:
    where = target.predicate
    key = f"{subject} is not" if where is None else f"{subject} is WHERE {where}"
    return f"{_named(candidate)} is partial, {key}"


def _deferrable(_: ConflictTarget, candidate: Candidate | None) -> str:
    return deferrable_fact(_named(candidate))


def deferrable_fact(name: str) -> str:
    """Return what an upsert does on a deferrable constraint, in the present tense, without a full stop."""
    return f"{name} is DEFERRABLE, and ON CONFLICT fails on it with 55000"


NOT_DEFERRABLE_HINT = "declare that constraint without deferrable= and initially="


def _invalid(_: ConflictTarget, candidate: Candidate | None) -> str:
    return f"{_named(candidate)} is INVALID: a concurrent build failed or is running"


def _collation(_: ConflictTarget, candidate: Candidate | None) -> str:
    return f"{_named(candidate)} has another collation or operator class than the key names"


def _nulls(_: ConflictTarget, candidate: Candidate | None) -> str:
    distinct = candidate is not None and not candidate.nulls_not_distinct
    mode = "distinct" if distinct else "not distinct"
    return f"{_named(candidate)} takes NULLs as {mode}, the key states otherwise"


def _unproven(
    _: ConflictTarget, candidate: Candidate | None, why: str = "the database could not be asked"
) -> str:
    if candidate is None:
        return "it is a view: the database infers on the table behind it"
    return f"{_named(candidate)} may or may not serve: its SQL reads differently, and {why} whether it means the same"


_FACTS: dict[Code, Callable[[ConflictTarget, Candidate | None], str]] = {
    Code.MISSING_ARBITER: _missing,
    Code.DEFERRABLE_ARBITER: _deferrable,
    Code.INVALID_ARBITER: _invalid,
    Code.COLLATION_MISMATCH: _collation,
    Code.NULLS_MISMATCH: _nulls,
    Code.UNPROVEN_ARBITER: _unproven,
}


def _named(candidate: Candidate | None) -> str:
    return "an index" if candidate is None else describe_candidate(candidate)


def describe_candidate(candidate: Candidate) -> str:
    """Return how messages name a candidate: ``index uq_email (email) WHERE live``."""
    predicate = f" WHERE {candidate.predicate}" if candidate.predicate is not None else ""
    name = f" {candidate.name}" if candidate.name else ""
    elements = ", ".join(
        element.label if element.prefix is None else f"{element.label}({element.prefix})"
        for element in candidate.elements
    )
    return f"{candidate.kind.value}{name} ({elements}){predicate}"


def _prefixes(candidate: Candidate) -> list[str]:
    return [
        f"the first {element.prefix} characters of {element.label}"
        for element in candidate.elements
        if element.prefix is not None
    ]


def _counted(labels: list[str]) -> str:
    return "one column" if len(labels) == 1 else f"{len(labels)} columns"


def _listed(labels: list[str]) -> str:
    return ", ".join(labels)
