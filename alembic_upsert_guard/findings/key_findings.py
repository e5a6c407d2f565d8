"""What is reported of a declared key that a database does not serve."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..inference import Code, ConflictTarget, Shortfall
from .codes import CODES, Circumstance, FindingCode
from .finding import Finding
from .shortfalls import describe_candidate, shortfall_fact, shortfall_hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..inference import Candidate, Nulls
    from .finding import Location

__all__ = [
    "NULLABLE_HINT",
    "KeySubject",
    "beside_other_tables",
    "key_finding",
    "missing_table",
    "nullable_fact",
    "nullable_key",
    "nulls_mismatch",
    "rival_fact",
    "rival_unique_key",
    "short_key",
    "unknown_dialect",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySubject:
    """A declared key, as a finding is about it."""

    schema: str | None
    table: str
    elements: tuple[str, ...]
    """In declared order."""
    where: str | None
    nulls: Nulls
    declared_at: Location | None = None
    """Where a model declares it; None: not known."""


_REVISION = "run alembic revision --autogenerate, which writes the check of the rows and the fix"

_HINTS = {
    Code.MISSING_ARBITER: f"{_REVISION}: a unique constraint or index on exactly these elements",
    Code.PREDICATE_MISMATCH: (
        f"{_REVISION}, or declare the key with the index's predicate: UpsertKey(..., where=...)"
    ),
    Code.DEFERRABLE_ARBITER: f"{_REVISION}: the constraint again, without DEFERRABLE",
    Code.INVALID_ARBITER: (
        f"wait where a build is running; else {_REVISION}: the INVALID index is dropped and made again"
    ),
    Code.COLLATION_MISMATCH: (
        "leave COLLATE and the operator class out of the key, or make an index that has them"
    ),
    Code.PARTITION_KEY_MISSING: (
        "add the partition columns to the key and to every upsert on it, or upsert into the partitions"
    ),
    Code.NULLS_MISMATCH: (
        f'{_REVISION}, or state in the key what the database does: nulls="distinct" or "not_distinct"'
    ),
    Code.UNPROVEN_ARBITER: (
        "compare the two by hand, and write the key's SQL as the database prints the index's"
    ),
}


_GENERATED = frozenset(str(code) for code, hint in _HINTS.items() if _REVISION in hint)
"""The codes whose way out is a generated revision."""


def short_key(key: KeySubject, target: ConflictTarget, shortfall: Shortfall) -> Finding:
    """Return why no arbiter serves the key, or is not known to."""
    fact = shortfall_fact(target, shortfall)
    hint = shortfall_hint(shortfall) or _HINTS[shortfall.code]
    return key_finding(key, CODES[shortfall.code], fact, hint)


def beside_other_tables(finding: Finding, others: int) -> Finding:
    """Return the finding, its hint with what autogenerate does besides, where tables of the database have no model.

    :param others: how many tables; 0: every table has a model.
    """
    if not others or finding.code not in _GENERATED:
        return finding
    are = "table of the database is" if others == 1 else "tables of the database are"
    hint = (
        f"{finding.hint}; {others:,} {are} in no model, and autogenerate writes a drop for each, unless env.py leaves "
        "them out (include_name, include_object): read the revision before it is run"
    )
    return replace(finding, hint=hint)


def nulls_mismatch(key: KeySubject, target: ConflictTarget, arbiter: Candidate) -> Finding:
    """Return that the arbiter takes NULLs otherwise than the key states."""
    return short_key(key, target, Shortfall(Code.NULLS_MISMATCH, arbiter))


def missing_table(key: KeySubject) -> Finding:
    """Return that the table is not in the database."""
    return key_finding(
        key,
        FindingCode.MISSING_TABLE,
        "the table is not in the database",
        "run alembic upgrade head, or look whether the check reads the database that is meant",
    )


def missing_tables(key: KeySubject, tables: int, database: str | None) -> Finding:
    """Return that neither the table nor any other with a key is in the database, which people read once.

    :param tables: how many tables have keys.
    :param database: its name; None: it has none.
    """
    name = "" if database is None else f" {database}"
    finding = missing_table(key)
    fact = f"none of the {tables:,} tables is in the database{name}"
    hint = "look whether this is the database that is meant, or run alembic upgrade head"
    return replace(finding, fact=fact, hint=hint, is_of_database=True)


def nullable_key(key: KeySubject, columns: Sequence[str]) -> Finding:
    """Return that rows with NULL in the key double, where nothing says that this is meant."""
    return key_finding(
        key,
        FindingCode.NULLABLE_KEY,
        nullable_fact(columns, " in the database"),
        NULLABLE_HINT,
    )


def nullable_fact(columns: Sequence[str], place: str = "") -> str:
    """Return what becomes of rows with NULL in a key, in the present tense, without a full stop.

    :param place: where the columns may hold NULL; empty: in the model.
    """
    return f"{', '.join(columns)} may hold NULL{place}, and NULLs never conflict: such rows double"


NULLABLE_HINT = 'make it NOT NULL, or state nulls="distinct", "forbid" or (PostgreSQL 15) "not_distinct" in the key'


def rival_fact(rivals: Sequence[Candidate]) -> str:
    """Return what the rivals of a key do, in the present tense, without the code and without a full stop."""
    names = ", ".join(describe_candidate(rival) for rival in rivals)
    are = "is unique as well" if len(rivals) == 1 else "are unique as well"
    return f"{names} {are}: ON DUPLICATE KEY UPDATE updates the row that breaks any of them, this key's or not"


def rival_unique_key(key: KeySubject, rivals: Sequence[Candidate]) -> Finding:
    """Return that another unique key can take the upsert."""
    return key_finding(
        key,
        FindingCode.RIVAL_UNIQUE_KEY,
        rival_fact(rivals),
        "make it a plain index, or write the upsert as UPDATE and INSERT; suppress it where its values never meet "
        "another row's",
    )


def unknown_dialect(dialect: str) -> Finding:
    """Return that nothing was checked."""
    return Finding(
        code=FindingCode.UNKNOWN_DIALECT,
        fact=f"{dialect} is not a database that upsert keys can be judged on; nothing was checked",
        hint="check a PostgreSQL, SQLite, MySQL or MariaDB database, or suppress this finding with a reason",
    )


def key_finding(
    key: KeySubject,
    code: FindingCode,
    fact: str,
    hint: str,
    circumstance: Circumstance | None = None,
) -> Finding:
    """Return the finding of that code about the key."""
    return Finding(
        code=code,
        schema=key.schema,
        table=key.table,
        elements=key.elements,
        where=key.where,
        fact=fact,
        hint=hint,
        declared_at=key.declared_at,
        circumstance=circumstance,
    )
