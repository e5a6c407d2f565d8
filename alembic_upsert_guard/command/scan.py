"""``upsert-guard scan``: upserts in files against the models, and the declarations that the models lack."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ..errors import CannotRunError
from ..findings import FindingCode, counted
from ..upserts.scan import Resolution, call_site_member, scan
from ..upserts.scan.report import by_place
from .bar import bar_for
from .environments import scanned_environments
from .given import newer_python_of, require_paths
from .metadata import Models, models_of
from .pyproject import read_settings
from .ran_upserts import ran_upserts
from .report import Report, suppressed_in
from .scan_cache import CacheOptions, cache_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..upserts.scan import DeclaredTables, ScanReport
    from ..upserts.scan.cache import ScanCache
    from ..upserts.scan.environments import ScannedEnvironment
    from ..upserts.scan.newer_python import NewerPython
    from ..upserts.scan.ran import RanUpserts
    from .project import Project

__all__ = [
    "ScanOptions",
    "Writing",
    "left_out_in_migrations",
    "notes_of",
    "scan_files",
    "scan_project",
]


_NO_FILE = "no file of Python, TypeScript, JavaScript or SQL is there"


class Writing(Enum):
    """What is done with the declarations that the models lack."""

    DIFF = "diff"
    """They are printed."""
    FIX = "fix"
    """They are written into the models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """What the command was asked for."""

    paths: tuple[str, ...]
    """Empty: those of the settings, or this folder."""
    metadata: tuple[str, ...]
    """Empty: those of the settings, or what ``env.py`` configures."""
    writing: Writing | None
    """None: neither."""
    observed: tuple[str, ...] = ()
    """Files of what tests ran; empty: none."""
    primary_keys: bool
    """Whether a key is declared for an upsert on a primary key, too, which the models serve without."""
    cache: CacheOptions
    migrations: bool
    """Whether upserts count that ran once, in a migration."""
    python: str | None
    """What parses the files of a later Python; None: those on the PATH."""
    quiet: bool
    """Whether no bar is drawn."""


def scan_project(project: Project, options: ScanOptions) -> Report:
    """Return the upserts in files, and which of them no model declares.

    :raises CannotRunError: a path is not there, the models cannot be read, or there are none to write into.
    """
    settings = read_settings(project.pyproject)
    paths = options.paths or settings.paths or (".",)
    require_paths(paths, "" if options.paths else f"{project.pyproject}: paths: ")
    is_several = bool(settings.environments) and not (options.metadata or project.is_chosen)
    if is_several and options.writing is not None:
        raise CannotRunError("declarations are written for one environment: name it with -c")
    models = Models() if is_several else models_of(project, options.metadata or settings.metadata)
    declared = _declared_in(models)
    newer_python = newer_python_of(options.python, paths)
    scanned = scan_files(
        paths,
        scanned_environments(settings.environments, project.x) if is_several else declared,
        drivers=models.drivers,
        exclude=settings.exclude,
        ran=ran_upserts(options.observed),
        cache=cache_of(project, options.cache, newer_python),
        migrations=options.migrations,
        newer_python=newer_python,
        quiet=options.quiet,
    )
    notes = notes_of(scanned)
    if is_several:
        return _report(scanned, notes)
    if declared is None:
        if options.writing is not None:
            raise CannotRunError(
                "there are no models to declare keys in; name them with --metadata module:attribute"
            )
        return _without_models(_report(scanned, notes), scanned, paths)
    if options.writing is None:
        return _report(scanned, notes)
    declarations = _declare(project, options, scanned, models, declared)
    report = _report(declarations.left, notes)
    return replace(report, notes=(*notes, *declarations.notes), diff=declarations.diff)


def _declared_in(models: Models) -> DeclaredTables | None:
    """The tables of the models; None: there are none."""
    if not models.metadata:
        return None
    from ..upserts.models import declared_tables  # noqa: PLC0415 - SQLAlchemy

    return declared_tables(*models.metadata)


def scan_files(
    paths: Sequence[str],
    declared: DeclaredTables | Sequence[ScannedEnvironment] | None,
    *,
    drivers: frozenset[str] = frozenset(),
    exclude: Sequence[str] = (),
    ran: RanUpserts | None = None,
    cache: ScanCache | None = None,
    migrations: bool,
    newer_python: NewerPython | None,
    quiet: bool,
) -> ScanReport:
    """Return what a scan finds, with a bar on a terminal while it runs."""
    with bar_for("scanning", sys.stderr, quiet=quiet) as bar:
        return scan(
            paths,
            declared,
            drivers=drivers,
            progress=None if bar is None else bar.advance,
            exclude=exclude,
            ran=ran,
            cache=cache,
            migrations=migrations,
            newer_python=newer_python,
        )


def notes_of(scanned: ScanReport) -> tuple[str, ...]:
    """Return a line for each file or folder that a rule leaves out; one that could not be read is a finding."""
    return tuple(
        f"{problem.path}: left out: {problem.reason}"
        for problem in scanned.problems
        if not problem.is_unread
    )


def left_out_in_migrations(scanned: ScanReport) -> str:
    """Return what a summary says of the upserts that ran in migrations; empty: none was left out."""
    if not scanned.in_migrations:
        return ""
    return f", {counted(scanned.in_migrations, 'upsert')} in migrations left out (--migrations shows them)"


def _report(scanned: ScanReport, notes: Sequence[str]) -> Report:
    stale = [comment.stale() for comment in scanned.stale_ignores]
    upserts, files = counted(len(scanned.upserts), "upsert"), counted(scanned.files, "file")
    left_out = f", {len(notes):,} left out" if notes else ""
    left_out += left_out_in_migrations(scanned)
    left_out += f", {scanned.idle:,} that no test ran" if scanned.idle else ""
    return Report(
        commands=("scan",),
        findings=tuple(sorted([*scanned.findings, *stale], key=lambda f: by_place(f)[:2])),
        call_sites=tuple(call_site_member(each) for each in scanned.upserts),
        subject=f"{upserts} in {files}{left_out}",
        notes=tuple(notes),
        conclusion="nothing to do" if scanned.files else _NO_FILE,
    )


def _without_models(report: Report, scanned: ScanReport, paths: Sequence[str]) -> Report:
    """The report without findings that are about what the models have, and with the command that judges.

    What fails in a migration, by the migrations before it, is left, and so is a file that could not be read.
    """
    if not scanned.upserts:
        return report
    unread = sum(each.resolution is Resolution.UNRESOLVED for each in scanned.upserts)
    failing = {
        finding
        for each in scanned.upserts
        if each.upsert in scanned.history and each.resolution is Resolution.UNSERVED
        for finding in each.findings
    }
    command = f"upsert-guard check --database URL --code {shlex.join(paths)}"
    return replace(
        report,
        commands=(),
        findings=tuple(
            finding
            for finding in report.findings
            if finding in failing or finding.code is FindingCode.UNREAD_FILE
        ),
        unread=tuple(
            each for each in report.findings if each.code is FindingCode.UNRESOLVED_UPSERT
        ),
        subject=report.subject + (f", {unread:,} that cannot be read" if unread else ""),
        conclusion=(
            "there are no models to hold them against; name them (--metadata module:attribute), or ask a database "
            f"({command})"
        ),
    )


@dataclass(frozen=True, slots=True)
class _Declarations:
    """What came of the declarations that were missing."""

    left: ScanReport
    """What is left to report."""
    notes: tuple[str, ...] = ()
    diff: tuple[bytes, ...] | None = None


def _declare(
    project: Project,
    options: ScanOptions,
    scanned: ScanReport,
    models: Models,
    declared: DeclaredTables,
) -> _Declarations:
    """Write the declarations that are missing, or make a diff of them; of suppressed findings none is missing."""
    from ..edits import (  # noqa: PLC0415 - a parser of Python that only this needs
        described,
        diff_of,
        left_after,
        plan_declarations,
        write_edits,
    )

    left = suppressed_in(_report(scanned, ()), project.pyproject).left
    edits = plan_declarations(
        left, scanned, declared, models.metadata, primary_keys=options.primary_keys
    )
    if options.writing is Writing.DIFF:
        diff = tuple(line for file in edits.files for line in diff_of(file))
        return _Declarations(left_after(replace(edits, written=()), scanned), diff=diff)
    edits = write_edits(edits)
    return _Declarations(left_after(edits, scanned), notes=tuple(described(edits)))
