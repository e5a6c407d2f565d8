"""What a command reports: its findings, less what the project suppresses, in one of the formats."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from importlib.metadata import metadata, version
from typing import TYPE_CHECKING, Any

from ..findings import (
    DatabaseFacts,
    Finding,
    FindingCode,
    Run,
    RunReport,
    Severity,
    as_github,
    as_gitlab,
    as_json,
    as_junit,
    as_sarif,
    as_text,
    as_unread,
    counted,
    statistics,
    summary,
)
from .baseline import append_entries, entries_for
from .ignores import path_speller, read_entries
from .source_lines import SourceLines
from .suppression import Suppressed, suppress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

__all__ = [
    "FORMATS",
    "PACKAGE",
    "Rendering",
    "Report",
    "fails",
    "project_url",
    "rendered",
    "suppressed_in",
    "with_baseline",
]

FORMATS = ("text", "json", "github", "sarif", "junit", "gitlab")

PACKAGE = "alembic-upsert-guard"


def project_url(label: str) -> str:
    """Return the address that ``[project.urls]`` has under that label; empty where there is none."""
    urls = (url.partition(", ") for url in metadata(PACKAGE).get_all("Project-URL") or ())
    return next((address for name, _, address in urls if name == label), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a command found."""

    commands: tuple[str, ...]
    """As the table of codes names them: what can be found by them."""
    findings: tuple[Finding, ...]
    subject: str
    """What the summary says was looked at: ``3 upsert keys``."""
    conclusion: str = "nothing to do"
    """What the summary says where there are no findings."""
    keys: tuple[Mapping[str, Any], ...] = ()
    call_sites: tuple[Mapping[str, Any], ...] | None = None
    """None: the command looks at none."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Names in the models of tables that live under others."""
    databases: tuple[DatabaseFacts, ...] = ()
    """Those that were asked; empty: none was."""
    tables: tuple[str, ...] = ()
    """Lines for people that are no findings, above these."""
    unread: tuple[Finding, ...] = ()
    """Upserts that could not be read, which text lists and which are no findings."""
    notes: tuple[str, ...] = ()
    """Lines for standard error."""
    diff: tuple[bytes, ...] | None = None
    """Lines for standard output, which then holds nothing else; None: none was asked for."""

    def with_source(
        self,
        command: str,
        subject: str,
        call_sites: Sequence[Mapping[str, Any]],
        findings: Sequence[Finding],
    ) -> Report:
        """Return the report with the upserts of one more source."""
        return replace(
            self,
            commands=(*self.commands, command),
            findings=(*self.findings, *findings),
            call_sites=(*(self.call_sites or ()), *call_sites),
            subject=", ".join(filter(None, [self.subject, subject])),
        )


def suppressed_in(report: Report, pyproject: Path) -> Suppressed:
    """Return the report's findings, each once, sorted by whether an entry of the project suppresses them.

    :raises PyprojectError: the entries cannot be used.
    """
    # several databases may report the same
    findings = tuple(dict.fromkeys(report.findings))
    return suppress(
        findings,
        read_entries(pyproject),
        report.commands,
        models=report.models,
        spell=path_speller(pyproject),
    )


def with_baseline(outcome: Suppressed, pyproject: Path) -> tuple[Suppressed, str]:
    """Write entries for what is left; return what is left then, and a line that says what was written.

    A stale entry cannot be suppressed: a person has to take it out.

    :raises PyprojectError: the file cannot take them; nothing was written.
    """
    today = date.today()  # noqa: DTZ011 - as for the entries that are there
    added = entries_for(outcome.left, pyproject, today)
    append_entries(pyproject, added)
    stale = tuple(each for each in outcome.left if each.code is FindingCode.STALE_IGNORE)
    others = tuple(each for each in outcome.left if each not in stale)
    note = f"{counted(len(added), 'entry', 'entries')} added to {pyproject}"
    return Suppressed(stale, (*outcome.suppressed, *others)), note


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """How a report is to be written."""

    form: str
    """One of :data:`FORMATS`."""
    command: str
    """As it was asked for: ``check``, ``scan`` or ``functions``."""
    started: datetime
    """With its time zone."""
    coloured: bool = False
    """For text on a terminal."""
    width: int | None = None
    """Of the terminal, in columns; None: there is none."""
    quiet: bool = False
    """Whether text has no summary."""
    statistics: bool = False
    """Whether text is a line a code, and not one a finding."""
    strict: bool = False
    """Whether warnings fail, too."""


def rendered(report: Report, outcome: Suppressed, rendering: Rendering) -> str:
    """Return the report in one of :data:`FORMATS`, without a line break at its end."""
    match rendering.form:
        case "json":
            return as_json(_document(report, outcome, rendering))
        case "sarif":
            return as_sarif(_document(report, outcome, rendering))
        case "junit":
            return as_junit(_document(report, outcome, rendering), strict=rendering.strict)
        case "gitlab":
            return as_gitlab(outcome.left)
        case "github":
            return "\n".join([*as_github(outcome.left), _summary(report, outcome)])
    return "\n".join(_text(report, outcome, rendering))


def _document(report: Report, outcome: Suppressed, rendering: Rendering) -> RunReport:
    return RunReport(
        run=Run(
            version=version(PACKAGE),
            site=project_url("Documentation"),
            command=rendering.command,
            started=rendering.started,
            databases=report.databases,
        ),
        findings=outcome.left,
        suppressed=outcome.suppressed,
        keys=report.keys,
        call_sites=report.call_sites,
        subject=report.subject,
    )


def _text(report: Report, outcome: Suppressed, rendering: Rendering) -> list[str]:
    above = (*report.tables, "") if report.tables else ()
    lines = (
        statistics(outcome.left)
        if rendering.statistics
        else as_text(
            outcome.left,
            coloured=rendering.coloured,
            width=rendering.width,
            source=SourceLines().line,
        )
    )
    if rendering.quiet:
        return [*above, *lines]
    listed = [*lines, *(() if rendering.statistics else as_unread(report.unread))]
    apart = [""] if listed and not rendering.statistics else []
    return [*above, *listed, *apart, _summary(report, outcome, coloured=rendering.coloured)]


def _summary(report: Report, outcome: Suppressed, *, coloured: bool = False) -> str:
    return summary(
        outcome.left,
        report.subject,
        coloured=coloured,
        suppressed=len(outcome.suppressed),
        conclusion=report.conclusion,
    )


def fails(outcome: Suppressed, *, strict: bool) -> bool:
    """Return whether what is left makes the command fail: an error, or under `strict` anything."""
    return any(strict or finding.severity is Severity.ERROR for finding in outcome.left)
