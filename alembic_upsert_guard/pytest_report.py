"""What a run of pytest with the recording on says at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .command.ignores import read_entries
from .command.suppression import suppress
from .errors import UpsertGuardError
from .findings import FindingCode, Severity, as_lines, counted, summary
from .upserts.observed.suppression import is_suppressed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .findings import Finding
    from .upserts.observed import ObservedUpserts

__all__ = ["Report", "report_on"]


@dataclass(frozen=True, slots=True)
class Report:
    """The lines of the section, and whether the session fails for them."""

    lines: tuple[str, ...]
    fails: bool


def report_on(
    upserts: ObservedUpserts, root: Path, record: str, *, lost: int, coloured: bool
) -> Report:
    """Return what is found in recorded upserts and not suppressed, a line each, and a summary.

    :param root: pytest's root directory: paths in findings are relative to it, and its pyproject.toml suppresses some.
    :param record: the file that was written, as messages name it.
    :param lost: the workers of pytest-xdist that handed nothing over.
    """
    found = upserts.findings
    unusable: tuple[str, ...] = ()
    try:
        findings = _left(found, root)
    except UpsertGuardError as error:
        findings, unusable = found, (str(error),)
    last = summary(
        findings,
        f"{counted(len(upserts), 'upsert')} recorded in {record}",
        coloured=False,
        suppressed=len(found) - len(findings),
        conclusion="none was refused",
    )
    lines = (
        *as_lines(findings, coloured=coloured),
        *unusable,
        *_unknown(upserts, lost),
        last,
    )
    is_error = any(finding.severity is Severity.ERROR for finding in findings)
    return Report(lines, fails=is_error or bool(unusable))


def _left(found: Sequence[Finding], root: Path) -> Sequence[Finding]:
    """The findings that neither a comment nor an entry suppresses.

    An entry that nothing matches is not stale: tests that are left out of this run may match it.

    :raises UpsertGuardError: an entry is none.
    """
    left = [finding for finding in found if not is_suppressed(finding, root)]
    if not left:
        return left
    outcome = suppress(left, read_entries(root / "pyproject.toml"), ["pytest"])
    return [each for each in outcome.left if each.code is not FindingCode.STALE_IGNORE]


def _unknown(upserts: ObservedUpserts, lost: int) -> Iterator[str]:
    for each in upserts.unread:
        statements = counted(each.count, "statement")
        yield f"not read: {statements} on {each.dialect}, beginning {each.beginning}"
    if lost:
        workers = counted(lost, "worker")
        yield f"not recorded: what {workers} of pytest-xdist ran that did not end as it should"
