"""The report of rows that break a key, as a refused upgrade prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..wording import counted
from .keys import describe_key, describe_target
from .rows import NULL_ROWS_HINT, OTHER_KEY, null_rows_counted, null_rows_fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .rows import DuplicateGroup, RowsReport

__all__ = ["first_line", "violation_text", "what_stays"]

_VALUE_LIMIT = 60
"""Characters of one key value in a report: a key can hold a document."""


def first_line(report: RowsReport) -> str:
    """Return the consequence in one line, without values."""
    fails = f"{_subject(report)} {_outcome(report)}"
    if report.obstacle is not None:
        return f"{fails}: no unique index can be made on it; {_changed(report)}"
    parts = [_counts(report)] if report.groups else []
    if report.nulls == "forbid" and report.null_rows:
        parts.append(null_rows_counted(report.null_rows))
    return f"{fails}: {', '.join(parts)}; {_changed(report)}"


def _counts(report: RowsReport) -> str:
    groups = counted(report.groups, "duplicate group")
    return f"{groups}, {counted(report.surplus, 'surplus row')}"


def _subject(report: RowsReport) -> str:
    if report.created is None:
        return describe_key(report.table, report.elements, report.where)
    return f"{report.created} on {describe_target(report.table, report.elements, report.where)}"


def _outcome(report: RowsReport) -> str:
    return "does not hold" if report.created is None else "cannot be created"


def _place(report: RowsReport) -> str:
    """What a line of the revision is put above."""
    return "the check" if report.created is None else "the operation"


def _changed(report: RowsReport) -> str:
    if report.left_behind is not None:
        return f"the build left the INVALID index {report.left_behind} behind"
    if report.left_copy is not None:
        return f"the batch left its copy {report.left_copy} behind"
    return what_stays(_place(report), autocommit=report.autocommit, commits_ddl=report.commits_ddl)


def what_stays(place: str, *, autocommit: bool, commits_ddl: bool) -> str:
    """Return what is left of a revision that was stopped at `place`, such as "the check".

    :param autocommit: whether each statement is committed.
    :param commits_ddl: whether each statement that changes the schema is.
    """
    if autocommit:
        return f"what the revision did above {place} stays, for it runs in AUTOCOMMIT"
    return f"what changed the schema above {place} stays" if commits_ddl else "nothing was changed"


def violation_text(report: RowsReport, others: Sequence[RowsReport] = ()) -> str:
    """Return the whole report: the consequence, the rows, how to list them, what can be done.

    :param others: of declared keys that have no arbiter yet, and that the rows break as well.
    """
    lines = [first_line(report), ""]
    if report.obstacle is not None:
        lines += [f"The database says: {report.obstacle}", ""]
    if report.arrived:
        lines += ["The rows arrived after the check: the table was written to meanwhile.", ""]
    if report.builds_after_deduplication:
        lines += [_arrivals(report.builds_after_deduplication), ""]
    if report.commits_ddl:
        lines += [_COMMITTED, ""]
    lines += _sample_lines(report)
    if report.null_rows:
        lines += [_null_line(report), ""]
    if report.obstacle is None:
        lines += ["List them all:", f"  {report.listing}", ""]
    for other in others:
        lines += [f"{_subject(other)} does not hold either: {_counts(other)}", ""]
        lines += [*_sample_lines(other), "List them all:", f"  {other.listing}", ""]
    ways = _ways_out(report, others)
    return "\n".join([*lines, "What can be done:", *(f"  - {way}" for way in ways)])


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
        return f'{null_rows_counted(report.null_rows)}, which nulls="forbid" refuses.'
    return f"{null_rows_fact(report.null_rows)}."


def _arrivals(builds: int) -> str:
    after = (
        "The rows arrived after the deduplication above, while the index was built."
        if builds == 1
        else f"{builds} builds met rows that arrived meanwhile, though the deduplication above ran before each."
    )
    return f"{after} The next upgrade begins with it again."


_COMMITTED = (
    "This database has committed each statement that changed the schema. Where the revision has such lines above this "
    "one, take them out before the upgrade runs again."
)
_BY_HAND = (
    "keep one row of each key and delete or merge the others, in this revision above {place} or by hand, then run "
    "the upgrade again"
)
_MORE_BUILDS = (
    "run the upgrade again; where rows arrive that often, let it deduplicate and build again by itself: "
    "attempts_on_duplicates={builds}"
)
_NOT_A_KEY = "if the rows are meant to be there, the key is not what the upsert matches by: correct the declaration"
_NOT_UNIQUE = (
    "if the rows are meant to be there, other columns distinguish them: correct the operation"
)


_ADDED = (
    "add the column without unique=True, give each row a value of its own in it, and make the unique constraint below "
    "that"
)


def _ways_out(report: RowsReport, others: Sequence[RowsReport]) -> list[str]:
    if report.obstacle is not None:
        return [report.past_obstacle or OTHER_KEY]
    if report.adds_column:
        return [_ADDED]
    ways = []
    if report.groups:
        by_hand = _BY_HAND.format(place=_place(report))
        meant = _NOT_A_KEY if report.created is None else _NOT_UNIQUE
        fix = (
            [_MORE_BUILDS.format(builds=report.builds_after_deduplication + 2)]
            if report.builds_after_deduplication
            else [*_offered(report, others), by_hand]
        )
        ways += [*_cleaning(report), *fix, meant]
    if report.nulls == "forbid" and report.null_rows:
        ways.append(NULL_ROWS_HINT)
    return ways


def _cleaning(report: RowsReport) -> list[str]:
    drops = []
    if report.left_behind is not None:
        drops.append(f"DROP INDEX CONCURRENTLY {report.left_behind}")
    if report.left_copy is not None:
        drops.append(f"DROP TABLE {report.left_copy}")
    return [
        f"drop what was left behind before the next upgrade, in any case: {drop};" for drop in drops
    ]


def _offered(report: RowsReport, others: Sequence[RowsReport]) -> list[str]:
    if report.suggested is None:
        return []
    if others:
        return [_offered_in_order([report, *others], _place(report))]
    order = ", ".join(report.order_by.columns) or "their place in the table"
    if report.suggested.is_open:
        order = "columns that you choose, for the primary key says nothing of age,"
    above = f"look this over and put it above {_place(report)}"
    lines = [
        f"keep the last row of each key by {order} and archive the others: {above}",
        f"      {report.suggested.upgrade}",
        "    and this one, which brings them back, into downgrade() below the drop",
        f"      {report.suggested.downgrade}",
    ]
    return ["\n".join(lines)]


def _offered_in_order(reports: Iterable[RowsReport], place: str) -> str:
    ordered = sorted(reports, key=lambda report: report.place)
    lines = [each.suggested for each in ordered if each.suggested is not None]
    above = f"put them above {place}, in this order: a table comes after those that it refers to"
    return "\n".join(
        [
            f"keep the last row of each key and archive the others: look these over and {above}",
            *(f"      {each.upgrade}" for each in lines),
            "    and these, which bring them back, into downgrade() below the drops, in this order",
            *(f"      {each.downgrade}" for each in reversed(lines)),
        ]
    )


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= _VALUE_LIMIT else f"{text[: _VALUE_LIMIT - 3]}..."
