"""What a run of pytest with the recording on says at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import UpsertGuardError
from .wording import counted, last_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .findings import Finding
    from .upserts.observed import ObservedUpserts

__all__ = ["Report", "report_on"]

_NONE_REFUSED = "none was refused"


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
    subject = f"{counted(len(upserts), 'upsert')} recorded in {record}"
    unknown = tuple(_unknown(upserts, lost))
    if not found:
        return Report((*unknown, last_line(subject, _NONE_REFUSED)), fails=False)
    from .findings import Severity, as_lines, summary  # noqa: PLC0415 - most runs have none

    unusable: tuple[str, ...] = ()
    try:
        findings = _left(found, root)
    except UpsertGuardError as error:
        findings, unusable = found, (str(error),)
    last = summary(
        findings,
        subject,
        coloured=False,
        suppressed=len(found) - len(findings),
        conclusion=_NONE_REFUSED,
    )
    is_error = any(finding.severity is Severity.ERROR for finding in findings)
    return Report(
        (*as_lines(findings, coloured=coloured), *unusable, *unknown, last),
        fails=is_error or bool(unusable),
    )


def _left(found: Sequence[Finding], root: Path) -> Sequence[Finding]:
    """The findings that neither a comment nor an entry suppresses.

    An entry that nothing matches is not stale: tests that are left out of this run may match it.

    :raises UpsertGuardError: an entry is none.
    """
    from .command.ignores import read_entries  # noqa: PLC0415 - as above
    from .command.suppression import suppress  # noqa: PLC0415 - as above
    from .findings import FindingCode  # noqa: PLC0415 - as above
    from .upserts.observed.suppression import is_suppressed  # noqa: PLC0415 - as above

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
