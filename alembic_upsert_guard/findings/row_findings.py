"""What is reported of rows that break a declared key, and of rows that could not be read."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ..wording import counted
from .codes import Circumstance, FindingCode
from .key_findings import key_finding
from .rows import NULL_ROWS_HINT, OTHER_KEY, null_rows_fact

if TYPE_CHECKING:
    from .finding import Finding
    from .key_findings import KeySubject
    from .rows import RowsReport

__all__ = ["Unread", "of_rows", "unread_rows"]

_UPGRADE_FIXES = "The upgrade that checks them offers the line that fixes them"
_BY_HAND = "Keep one row of each key and merge or delete the others, with what refers to them"
_LYING_INDEX = (
    "The index was to keep them apart and does not, as after a change of its collation: fix the rows, then "
    "REINDEX it"
)


def of_rows(
    key: KeySubject, report: RowsReport, *, served: bool, fixable: bool = True
) -> list[Finding]:
    """Return what the rows have against the key; counts, and no values.

    :param served: whether the database has an arbiter for the key, which then lies where there are duplicate rows.
    :param fixable: whether the upgrade can offer a line that fixes them, on this kind of database.
    """
    way_out = _LYING_INDEX if served else _UPGRADE_FIXES if fixable else _BY_HAND
    findings = (_uncompared(key, report), _duplicates(key, report, way_out), _nulls(key, report))
    return [finding for finding in findings if finding is not None]


def _uncompared(key: KeySubject, report: RowsReport) -> Finding | None:
    code = FindingCode.DUPLICATE_ROWS
    if report.obstacle is not None:
        fact = f"no unique index can be made on these elements and rows: {report.obstacle}"
        return key_finding(key, code, fact, OTHER_KEY)
    if report.doubt is not None:
        fact = f"the rows were not compared, and nothing is known of them: {report.doubt}"
        hint = "compare the rows by hand, as the index does"
        return key_finding(key, code, fact, hint, Circumstance.NOT_COMPARED)
    return None


def _duplicates(key: KeySubject, report: RowsReport, way_out: str) -> Finding | None:
    if not report.groups:
        return None
    groups = counted(report.groups, "duplicate group")
    fact = f"{groups}, {counted(report.surplus, 'surplus row')}"
    return key_finding(
        key, FindingCode.DUPLICATE_ROWS, fact, f"list them: {report.listing} {way_out}"
    )


def _nulls(key: KeySubject, report: RowsReport) -> Finding | None:
    if not report.null_rows or key.nulls not in {"warn", "forbid"}:
        return None
    forbidden = Circumstance.NULLS_FORBIDDEN if key.nulls == "forbid" else None
    fact = null_rows_fact(report.null_rows)
    return key_finding(key, FindingCode.NULL_ROWS, fact, NULL_ROWS_HINT, forbidden)


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
    return key_finding(
        key,
        FindingCode.UNREAD_ROWS,
        f"the rows could not be read, and nothing is known of them: {message}",
        cause.value.format(listing=listing),
    )
