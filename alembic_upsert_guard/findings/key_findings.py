"""What is told of a declared key that a database does not serve, and of rows that break it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ..inference import Code, ConflictTarget, Shortfall
from .codes import CODES, Circumstance, FindingCode
from .finding import Finding
from .keys import describe_key
from .rows import OTHER_KEY, counted
from .shortfalls import describe_candidate, shortfall_fact, shortfall_hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..inference import Candidate
    from .rows import RowsReport

__all__ = [
    "KeySubject",
    "beside_other_tables",
    "missing_table",
    "nullable_key",
    "nulls_mismatch",
    "of_rows",
    "rival_fact",
    "rival_unique_key",
    "short_key",
    "unknown_dialect",
    "unread_rows",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySubject:
    """A declared key, as a finding is about it."""

    schema: str | None
    table: str
    elements: tuple[str, ...]
    """In declared order."""
    where: str | None
    nulls: str

    @property
    def told(self) -> str:
        """Return how people are told of it."""
        table = self.table if self.schema is None else f"{self.schema}.{self.table}"
        return describe_key(table, self.elements, self.where)


_REVISION = "run alembic revision --autogenerate, which writes the check of the rows and the mend"

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

_UPGRADE_MENDS = "The upgrade that checks them offers the line that mends them"
_BY_HAND = "Keep one row of each key and merge or delete the others, with what refers to them"
_LYING_INDEX = (
    "The index was to keep them apart and does not, as after a change of its collation: mend the rows, then "
    "REINDEX it"
)


def short_key(key: KeySubject, target: ConflictTarget, shortfall: Shortfall) -> Finding:
    """Return why no arbiter serves the key, or is not known to."""
    fact = shortfall_fact(target, shortfall)
    hint = shortfall_hint(shortfall) or _HINTS[shortfall.code]
    return _finding(key, CODES[shortfall.code], fact, hint)


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
    return _finding(
        key,
        FindingCode.MISSING_TABLE,
        "the table is not in the database",
        "run alembic upgrade head, or look whether the check reads the database that is meant",
    )


def nullable_key(key: KeySubject, columns: Sequence[str]) -> Finding:
    """Return that rows with NULL in the key double, where nothing says that this is meant."""
    return _finding(
        key,
        FindingCode.NULLABLE_KEY,
        f"{', '.join(columns)} may hold NULL in the database, and NULLs never conflict: such rows double",
        'make it NOT NULL, or state nulls="distinct", "forbid" or (PostgreSQL 15) "not_distinct" in the key',
    )


def rival_fact(rivals: Sequence[Candidate]) -> str:
    """Return what the rivals of a key do, in the present tense, without the code and without a full stop."""
    names = ", ".join(describe_candidate(rival) for rival in rivals)
    are = "is unique as well" if len(rivals) == 1 else "are unique as well"
    return f"{names} {are}: ON DUPLICATE KEY UPDATE updates the row that breaks any of them, this key's or not"


def rival_unique_key(key: KeySubject, rivals: Sequence[Candidate]) -> Finding:
    """Return that another unique key can take the upsert."""
    return _finding(
        key,
        FindingCode.RIVAL_UNIQUE_KEY,
        rival_fact(rivals),
        "make it a plain index, or write the upsert as UPDATE and INSERT; accept it where its values never meet "
        "another row's",
    )


def of_rows(
    key: KeySubject, report: RowsReport, *, served: bool, mendable: bool = True
) -> list[Finding]:
    """Return what the rows have against the key; counts, and no values.

    :param served: whether the database has an arbiter for the key, which then lies where rows stand twice.
    :param mendable: whether the upgrade can offer a line that mends them, on this kind of database.
    """
    mend = _LYING_INDEX if served else _UPGRADE_MENDS if mendable else _BY_HAND
    findings = []
    if report.obstacle is not None:
        fact = f"no unique index can be made on these elements and rows: {report.obstacle}"
        findings.append(_finding(key, FindingCode.DUPLICATE_ROWS, fact, OTHER_KEY))
    elif report.doubt is not None:
        fact = f"the rows were not compared, and nothing is known of them: {report.doubt}"
        hint = "compare the rows by hand, as the index does"
        findings.append(
            _finding(key, FindingCode.DUPLICATE_ROWS, fact, hint, Circumstance.NOT_COMPARED)
        )
    if report.groups:
        groups = counted(report.groups, "duplicate group")
        fact = f"{groups}, {counted(report.surplus, 'surplus row')}"
        hint = f"list them: {report.listing} {mend}"
        findings.append(_finding(key, FindingCode.DUPLICATE_ROWS, fact, hint))
    if report.null_rows and key.nulls in {"warn", "forbid"}:
        forbidden = Circumstance.NULLS_FORBIDDEN if key.nulls == "forbid" else None
        have = "has" if report.null_rows == 1 else "have"
        fact = f"{counted(report.null_rows, 'row')} {have} NULL in the key, and no upsert ever matches them"
        hint = 'fill the NULLs in, or state in the key what they mean: nulls="distinct" or "not_distinct"'
        findings.append(_finding(key, FindingCode.NULL_ROWS, fact, hint, forbidden))
    return findings


class Unread(Enum):
    """Why rows could not be read; the value is what to do about it, with a place for the statement that reads them."""

    HIDDEN = "run the check as a role that may read every row of the table"
    FAILING = (
        "correct the row, or the key's SQL so that it takes every row; this fails in the same way, and shows the "
        "database's whole message, values included: {listing}"
    )
    BUSY = "run the check again when the database is less busy, or as a role with a longer statement_timeout"
    UNKNOWN = "look into what the database says, and run the check again; it reads the same rows as this: {listing}"


def unread_rows(key: KeySubject, cause: Unread, message: str, listing: str = "") -> Finding:
    """Return that the rows could not be read, so that nothing is known of them.

    :param message: as much of the database's message as may be shown.
    :param listing: a SELECT that reads the same rows.
    """
    return _finding(
        key,
        FindingCode.UNREAD_ROWS,
        f"the rows could not be read, and nothing is known of them: {message}",
        cause.value.format(listing=listing),
    )


def unknown_dialect(dialect: str) -> Finding:
    """Return that nothing was checked."""
    return Finding(
        code=FindingCode.UNKNOWN_DIALECT,
        fact=f"{dialect} is not a database that upsert keys can be judged on; nothing was checked",
        hint="check a PostgreSQL, SQLite, MySQL or MariaDB database, or accept this finding with a reason",
    )


def _finding(
    key: KeySubject,
    code: FindingCode,
    fact: str,
    hint: str,
    circumstance: Circumstance | None = None,
) -> Finding:
    return Finding(
        code=code,
        schema=key.schema,
        table=key.table,
        elements=key.elements,
        where=key.where,
        fact=fact,
        hint=hint,
        circumstance=circumstance,
    )
