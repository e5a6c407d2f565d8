"""What the preflight found in the rows, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .keys import told_of_key

__all__ = ["DuplicateGroup", "RowsReport", "first_line", "violation_text"]

_VALUE_LIMIT = 60
"""Characters of one key value in a report: a key can hold a document."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Rows that share one key."""

    values: tuple[Any, ...]
    """The key, in declared order."""

    rows: int
    """How many rows share it; 2 or more."""

    identities: tuple[tuple[Any, ...], ...] = ()
    """The first of those rows, by primary key (or ctid, rowid), in its order."""


@dataclass(frozen=True, slots=True)
class RowsReport:
    """What one read of the rows found against one key."""

    table: str
    """As SQL names it: quoted where it must be, the schema in front where it was given."""

    elements: tuple[str, ...]
    where: str | None
    nulls: str

    groups: int
    """Keys that more than one row has."""

    surplus: int
    """Rows that would have to go for every key to stand once."""

    null_rows: int
    """Rows with NULL in the key; 0 under ``nulls="not_distinct"``, where they are grouped like others."""

    listing: str
    """The SELECT that lists every such row, ready to paste."""

    sample: tuple[DuplicateGroup, ...] = ()
    """Some groups: most rows first, then by key."""

    identity: tuple[str, ...] = ()
    """The columns that tell rows apart: the primary key's, or ``ctid`` / ``rowid``."""

    reveal: bool = True
    """Whether values may be shown."""

    @property
    def refuses(self) -> bool:
        """Whether the key cannot be made unique on these rows."""
        return self.groups > 0 or (self.nulls == "forbid" and self.null_rows > 0)


def first_line(report: RowsReport) -> str:
    """Return the consequence in one line, without values."""
    found = []
    if report.groups:
        found.append(
            f"{_count(report.groups, 'duplicate group')}, {_count(report.surplus, 'surplus row')}"
        )
    if report.nulls == "forbid" and report.null_rows:
        found.append(f"{_count(report.null_rows, 'row')} with NULL in the key")
    key = told_of_key(report.table, report.elements, report.where)
    return f"{key} does not hold: {', '.join(found)}; nothing was changed"


def violation_text(report: RowsReport) -> str:
    """Return the whole report: the consequence, the rows, how to list them, what can be done."""
    lines = [first_line(report), ""]
    lines += _sample_lines(report)
    if report.null_rows:
        lines += [_null_line(report), ""]
    lines += ["List them all:", f"  {report.listing}", "", "What can be done:"]
    lines += [f"  - {way}" for way in _ways_out(report)]
    return "\n".join(lines)


def _sample_lines(report: RowsReport) -> list[str]:
    if not report.sample or not report.reveal:
        return []
    lines = []
    for group in report.sample:
        key = ", ".join(
            f"{element} = {_shown(value)}"
            for element, value in zip(report.elements, group.values, strict=True)
        )
        lines.append(f"  {key}: {_count(group.rows, 'row')}{_identities(report, group)}")
    if report.groups > len(report.sample):
        lines.append(f"  ... and {_count(report.groups - len(report.sample), 'more group')}")
    return [*lines, ""]


def _identities(report: RowsReport, group: DuplicateGroup) -> str:
    if not group.identities:
        return ""
    shown = [_shown_identity(report, identity) for identity in group.identities]
    more = ", ..." if group.rows > len(shown) else ""
    columns = report.identity[0] if len(report.identity) == 1 else f"({', '.join(report.identity)})"
    return f", {columns} {', '.join(shown)}{more}"


def _shown_identity(report: RowsReport, identity: tuple[Any, ...]) -> str:
    if report.identity == ("ctid",):
        return str(identity[0])  # a place in the heap, "(0,1)", not a string of the user's
    # one column is told by itself, several as a tuple
    return _shown(identity[0]) if len(identity) == 1 else f"({', '.join(map(_shown, identity))})"


def _null_line(report: RowsReport) -> str:
    rows = _count(report.null_rows, "row")
    if report.nulls == "forbid":
        return f'{rows} with NULL in the key, which nulls="forbid" refuses.'
    return f"{rows} with NULL in the key: no upsert ever matches them."


def _ways_out(report: RowsReport) -> list[str]:
    ways = []
    if report.groups:
        ways.append(
            "keep one row of each key and delete or merge the others, in this revision above the check or by hand, "
            "then run the upgrade again"
        )
        ways.append(
            "if the rows are meant to stand, the key is not what the upsert matches by: correct the declaration"
        )
    if report.nulls == "forbid" and report.null_rows:
        ways.append(
            'fill the NULLs in, or declare what they mean: nulls="distinct" or, on PostgreSQL 15, nulls="not_distinct"'
        )
    return ways


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= _VALUE_LIMIT else f"{text[: _VALUE_LIMIT - 3]}..."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
