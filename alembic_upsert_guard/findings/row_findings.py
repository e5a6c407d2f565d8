"""What is reported of rows that break a declared key, and of rows that could not be read."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from ..wording import counted
from .codes import Circumstance, FindingCode
from .finding import OfferedLines
from .key_findings import key_finding
from .rows import NULL_ROWS_HINT, OTHER_KEY, null_rows_fact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .finding import Finding
    from .key_findings import KeySubject
    from .rows import RowsReport

__all__ = ["Unread", "of_rows", "unread_rows", "with_lines_in_order"]

_PASTE = "If it keeps the rows that are right, put this into the revision above the check"
_BY_HAND = "Keep one row of each key and merge or delete the others, with what refers to them"
_AS_LINE = " (line {} of {}: a table comes after those that it refers to)"
_LYING_INDEX = (
    "The index was to keep them apart and does not, as after a change of its collation: fix the rows, then "
    "REINDEX it"
)


def of_rows(key: KeySubject, report: RowsReport, *, served: bool) -> list[Finding]:
    """Return what the rows have against the key; counts, and no values. The report may suggest the lines that fix them.

    :param served: whether the database has an arbiter for the key, which then lies where there are duplicate rows.
    """
    duplicates = _duplicates(key, report, _LYING_INDEX if served else _BY_HAND)
    if duplicates is not None and report.suggested is not None and not served:
        lines = OfferedLines(upgrade=report.suggested.upgrade, downgrade=report.suggested.downgrade)
        duplicates = _with_lines(duplicates, report.listing, lines)
    findings = (_uncompared(key, report), duplicates, _nulls(key, report))
    return [finding for finding in findings if finding is not None]


def with_lines_in_order(
    findings: Sequence[Finding], places: Mapping[Finding, int]
) -> list[Finding]:
    """Return the findings, each line that is offered with its place among all of them.

    :param places: where the table of each finding comes, those that others refer to first.
    """
    offering = [each for each in findings if each.deduplication is not None]
    ordered = sorted(offering, key=lambda each: places.get(each, 0))
    numbers = {id(each): number for number, each in enumerate(ordered, 1)}
    return [
        replace(
            each,
            deduplication=replace(each.deduplication, place=numbers[id(each)], of=len(ordered)),
            hint=f"{each.hint}{_AS_LINE.format(numbers[id(each)], len(ordered))}",
        )
        if each.deduplication is not None and len(ordered) > 1
        else each
        for each in findings
    ]


def _with_lines(finding: Finding, listing: str, lines: OfferedLines) -> Finding:
    return replace(
        finding, hint=f"list them: {listing} {_PASTE}: {lines.upgrade}", deduplication=lines
    )


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
