"""What the preflight found in the rows, and the report of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..wording import counted
from .keys import describe_key

if TYPE_CHECKING:
    from ..inference import Nulls
    from .deduplication import SuggestedDirectives

__all__ = [
    "NULL_ROWS_HINT",
    "OTHER_KEY",
    "DuplicateGroup",
    "RowsReport",
    "first_line",
    "null_rows_fact",
    "violation_text",
]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsReport:
    """What one read of the rows found against one key."""

    table: str
    """As SQL names it: quoted where it must be, the schema in front where it was given."""

    elements: tuple[str, ...]
    where: str | None
    nulls: Nulls

    groups: int
    """Keys that more than one row has."""

    surplus: int
    """Rows that would have to go for every key to be there once."""

    null_rows: int
    """Rows with NULL in the key; 0 under ``nulls="not_distinct"``, where they are grouped like others."""

    listing: str
    """The SELECT that lists every such row, ready to paste."""

    sample: tuple[DuplicateGroup, ...] = ()
    """Some groups: most rows first, then by key."""

    identity: tuple[str, ...] = ()
    """The columns that identify a row: the primary key's, or ``ctid`` / ``rowid``."""

    reveal: bool = True
    """Whether values may be shown."""

    obstacle: str | None = None
    """The database's reason why no unique index can be made on these elements, or on these rows; None: one can."""

    order_by: tuple[str, ...] = ()
    """Columns that likely order the rows of a group by age; empty: there are none."""

    suggested: SuggestedDirectives | None = None
    """The directives that would leave one row of each key; None: there is nothing to leave."""

    arrived: bool = False
    """Whether the rows came after they had been checked, and the build of the index met them."""

    left_behind: str | None = None
    """The INVALID index that the build left behind, which ran outside a transaction; None: nothing."""

    doubt: str | None = None
    """Why the rows could not be compared as the index will; None: they were."""

    autocommit: bool = False
    """Whether each statement of the revision is committed, so that what came before the check stays."""
    commits_ddl: bool = False
    """Whether the database commits each statement that changes a schema, so that what the revision did before stays."""

    @property
    def refuses(self) -> bool:
        """Whether the key cannot be made unique on these rows."""
        return (
            self.obstacle is not None
            or self.groups > 0
            or (self.nulls == "forbid" and self.null_rows > 0)
        )


def first_line(report: RowsReport) -> str:
    """Return the consequence in one line, without values."""
    key = describe_key(report.table, report.elements, report.where)
    if report.obstacle is not None:
        return f"{key} does not hold: no unique index can be made on it; {_changed(report)}"
    parts = []
    if report.groups:
        parts.append(
            f"{counted(report.groups, 'duplicate group')}, {counted(report.surplus, 'surplus row')}"
        )
    if report.nulls == "forbid" and report.null_rows:
        parts.append(_null_rows(report.null_rows))
    return f"{key} does not hold: {', '.join(parts)}; {_changed(report)}"


def _changed(report: RowsReport) -> str:
    if report.left_behind is not None:
        return f"the build left the INVALID index {report.left_behind} behind"
    if report.autocommit:
        return "what the revision did above the check stays, for it runs in AUTOCOMMIT"
    return "nothing was changed"


def violation_text(report: RowsReport) -> str:
    """Return the whole report: the consequence, the rows, how to list them, what can be done."""
    lines = [first_line(report), ""]
    if report.obstacle is not None:
        lines += [f"The database says: {report.obstacle}", ""]
    if report.arrived:
        lines += ["The rows arrived after the check: the table was written to meanwhile.", ""]
    if report.commits_ddl:
        lines += [_WHAT_STAYS, ""]
    lines += _sample_lines(report)
    if report.null_rows:
        lines += [_null_line(report), ""]
    if report.obstacle is None:
        lines += ["List them all:", f"  {report.listing}", ""]
    return "\n".join([*lines, "What can be done:", *(f"  - {way}" for way in _ways_out(report))])


def _sample_lines(report: RowsReport) -> list[str]:
    if not report.sample or not report.reveal:
        return []
    lines = []
    for group in report.sample:
        key = ", ".join(
            f"{element} = {_shown(value)}"
            for element, value in zip(report.elements, group.values, strict=True)
        )
        lines.append(f"  {key}: {counted(group.rows, 'row')}{_identities(report, group)}")
    if report.groups > len(report.sample):
        lines.append(f"  ... and {counted(report.groups - len(report.sample), 'more group')}")
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
    # one column is shown by itself, several as a tuple
    return _shown(identity[0]) if len(identity) == 1 else f"({', '.join(map(_shown, identity))})"


def _null_line(report: RowsReport) -> str:
    if report.nulls == "forbid":
        return f'{_null_rows(report.null_rows)}, which nulls="forbid" refuses.'
    return f"{null_rows_fact(report.null_rows)}."


def null_rows_fact(number: int) -> str:
    """Return what becomes of rows with NULL in the key, in the present tense, without a full stop."""
    return f"{_null_rows(number)}: no upsert ever matches them"


def _null_rows(number: int) -> str:
    return f"{counted(number, 'row')} with NULL in the key"


OTHER_KEY = (
    "make the key of what can be indexed: an expression such as func.md5(...) or func.left(..., 200), "
    "another type, a shorter column; and declare that"
)
_WHAT_STAYS = (
    "Whatever changed the schema above this line of the revision stays: this database commits each such statement. "
    "Take those lines out before the upgrade runs again."
)
_BY_HAND = (
    "keep one row of each key and delete or merge the others, in this revision above the check or by hand, then run "
    "the upgrade again"
)
_NOT_A_KEY = "if the rows are meant to be there, the key is not what the upsert matches by: correct the declaration"
NULL_ROWS_HINT = (
    "fill the NULLs in, or state in the key what they mean: "
    'nulls="distinct" or (PostgreSQL 15) "not_distinct"'
)


def _ways_out(report: RowsReport) -> list[str]:
    if report.obstacle is not None:
        return [OTHER_KEY]
    ways = []
    if report.groups:
        ways += [*_cleaning(report), *_offered(report), _BY_HAND, _NOT_A_KEY]
    if report.nulls == "forbid" and report.null_rows:
        ways.append(NULL_ROWS_HINT)
    return ways


def _cleaning(report: RowsReport) -> list[str]:
    if report.left_behind is None:
        return []
    return [
        f"drop what was left behind before the next upgrade, in any case: DROP INDEX CONCURRENTLY {report.left_behind};"
    ]


def _offered(report: RowsReport) -> list[str]:
    if report.suggested is None:
        return []
    order = ", ".join(report.order_by) or "their place in the table"
    lines = [
        f"keep the last row of each key by {order} and archive the others: look this over and put it above the check",
        f"      {report.suggested.upgrade}",
        "    and this one, which brings them back, into downgrade() below the drop",
        f"      {report.suggested.downgrade}",
    ]
    return ["\n".join(lines)]


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= _VALUE_LIMIT else f"{text[: _VALUE_LIMIT - 3]}..."
