"""What came of the plays: held against what has to come, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .changes import FAILS, SCHEMAS, SOME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .changes import Change, Outcome, Target
    from .play import Mode, Played

__all__ = ["expected_rows", "rows", "shortcomings"]


def shortcomings(change: Change, mode: Mode, played: Played) -> list[str]:
    """Return what is other than it has to be: an outcome, a moment without an arbiter, a failure that nothing named."""
    change = change.on(mode.database)
    expected = {
        (code, schema): outcome
        for (code, schema), outcome in change.expected.items()
        if outcome is not None and change.codes[code] is not None
    }
    wrong = [
        f"the {code} code on the schema {schema}: {played.outcomes.get((code, schema))}, not {outcome}"
        for (code, schema), outcome in expected.items()
        if played.outcomes.get((code, schema)) is not outcome
    ]
    unnamed = [
        f"nothing named that the {code} code {outcome.value} on the schema {schema}: {played.log}"
        for (code, schema), outcome in played.outcomes.items()
        if not _is_named(change, code, schema, outcome, played.log)
    ]
    return [*played.broken, *wrong, *unnamed]


def _is_named(change: Change, code: str, schema: str, outcome: Outcome, log: str) -> bool:
    """Whether the log of autogenerate names the outcome, where it is none that was there before."""
    target = change.codes[code]
    assert target is not None
    if outcome is FAILS:
        words = f"Detected missing-arbiter on upsert key t {target.label}"
        if code == "old":
            words = f"arbiter-removed: t {target.label} loses"
        return words in log or "Detected predicate-mismatch" in log or "Detected deferr" in log
    if outcome is SOME and schema == "between":
        return f"rows of the {code} code that are the same in" in log
    return True


def expected_rows(change: Change) -> Iterator[str]:
    """Yield the lines that come out where all is as it has to be, on PostgreSQL and SQLite."""
    for code, target in change.codes.items():
        if target is not None:
            outcomes = [change.expected[code, schema] for schema in SCHEMAS]
            cells = ["" if outcome is None else outcome.value for outcome in outcomes]
            yield _row(change, code, target, cells)


def rows(change: Change, played: Sequence[Played]) -> Iterator[str]:
    """Yield the lines of the table for one kind of change, where all of `played` agree."""
    for code, target in change.codes.items():
        if target is None:
            continue
        cells = [
            " / ".join(
                sorted(
                    {p.outcomes[code, schema].value for p in played if (code, schema) in p.outcomes}
                )
            )
            for schema in SCHEMAS
        ]
        yield _row(change, code, target, cells)


def _row(change: Change, code: str, target: Target, cells: Sequence[str]) -> str:
    return f"| {change.name} | {code}, on {target.label} | {' | '.join(cells)} |"
