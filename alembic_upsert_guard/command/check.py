"""``upsert-guard check``: declared keys, and the upserts of other sources, against databases."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import CannotRunError
from ..findings import counted
from ..upserts.code import CheckedCode
from ..upserts.functions import judge_functions
from ..upserts.models import declared_tables
from ..upserts.upsert import call_site_member
from ..verdict.check import check_keys
from ..verdict.tenants import merge_checked
from .bar import bar_for
from .database_facts import facts_of
from .database_url import connect_to, run_on
from .given import newer_python_of, require_paths
from .metadata import import_all_metadata
from .pyproject import read_settings
from .ran_upserts import ran_upserts
from .records import RecordOptions, Records
from .report import Report
from .scan import left_out_in_migrations, notes_of, scan_files
from .scan_cache import CacheOptions, cache_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection

    from ..findings import DatabaseFacts
    from ..upserts.functions import JudgedFunctions
    from ..verdict.checked import Checked, CheckedKey
    from ..verdict.read_progress import ReadRows
    from .bar import Bar
    from .project import Project

__all__ = ["CheckOptions", "check_database", "check_project", "functions_of_project"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What is held against the database besides the declared keys."""

    rows: bool
    code: tuple[str, ...]
    """Files and folders; empty: none."""
    functions: bool
    records: RecordOptions
    cache: CacheOptions
    migrations: bool
    """Whether upserts of the code count that ran once, in a migration."""
    python: str | None
    """What parses the files of a later Python; None: those on the PATH."""
    quiet: bool
    """Whether no bar is drawn."""


class _Check:
    """The sources, and what each database answers."""

    def __init__(self, project: Project, options: CheckOptions) -> None:
        """No database is asked yet."""
        require_paths(options.code)
        self._project = project
        self._options = options
        self._keys: list[Checked] = []
        self._databases: list[DatabaseFacts] = []
        self._functions: list[JudgedFunctions] = []
        self._code: CheckedCode | None = None
        self._notes: tuple[str, ...] = ()
        self._left_out = ""
        self._records = Records(options.records)

    def read_code(self, metadata: Sequence[MetaData]) -> None:
        """Scan the files that were named, if any; of several databases the models of all are needed before."""
        if not self._options.code:
            return
        models = declared_tables(*metadata) if metadata else None
        exclude = read_settings(self._project.pyproject).exclude
        ran = ran_upserts(self._options.records.observed)
        newer_python = newer_python_of(self._options.python, self._options.code)
        scanned = scan_files(
            self._options.code,
            models,
            exclude=exclude,
            ran=ran,
            cache=cache_of(self._project, self._options.cache, newer_python),
            migrations=self._options.migrations,
            newer_python=newer_python,
            quiet=self._options.quiet,
        )
        self._notes = notes_of(scanned)
        self._left_out = left_out_in_migrations(scanned)
        self._code = CheckedCode(scanned, models)

    def ask(
        self, connection: Connection, metadata: Sequence[MetaData], *, in_sql: bool = False
    ) -> None:
        """Hold every source against one database.

        :param in_sql: whether hints are the SQL to run, and not what a model declares.
        """
        self._databases.append(facts_of(connection))
        quiet = self._options.quiet or not self._options.rows
        with bar_for("reading rows", sys.stderr, quiet=quiet) as bar:
            checked = check_keys(
                connection,
                metadata,
                rows=self._options.rows,
                progress=None if bar is None else partial(_draw, bar),
            )
        self._keys.append(checked)
        if self._code is not None:
            self._code.judge(connection)
        if self._options.functions:
            self._functions.append(judge_functions(connection, in_sql=in_sql))
        if self._options.records.has_any:
            self._records.ask(connection, None if in_sql else declared_tables(*metadata))

    def report(self, *, counts_keys: bool) -> Report:
        """Return the answers of all databases.

        :param counts_keys: whether the summary counts the declared keys, be there none.
        """
        checked = merge_checked(self._keys)
        report = Report(
            commands=("check --rows" if self._options.rows else "check",),
            findings=checked.findings,
            keys=tuple(map(_key_member, checked.keys)),
            models=checked.models,
            subject=counted(len(checked.keys), "upsert key") if counts_keys else "",
            notes=(*self._notes, *self._records.notes),
            databases=tuple(dict.fromkeys(self._databases)),
        )
        if self._code is not None:
            sites = [call_site_member(each) for each in self._code.upserts]
            subject = f"{counted(len(sites), 'upsert')} in {counted(self._code.files, 'file')}{self._left_out}"
            report = report.with_source("check --code", subject, sites, self._code.findings())
        if self._options.functions:
            report = _with_functions(report, "check --functions", self._functions)
        for record in self._records.checked():
            sites = [call_site_member(each) for each in record.upserts]
            report = report.with_source(record.command, record.subject, sites, record.findings)
            report = replace(report, tables=(*report.tables, *record.table))
        return replace(report, findings=(*report.findings, *self._records.unknown))


def _draw(bar: Bar, rows: ReadRows) -> None:
    rate = "" if rows.per_second is None else f", {rows.per_second:,} rows/s"
    bar.describe(f"{rows.table}{rate}")
    bar.advance(rows.done, rows.total)


def check_project(project: Project, options: CheckOptions) -> Report:
    """Return the answers of every database that ``env.py`` configures, run without writing to it.

    :raises CannotRunError: ``env.py`` fails, or configures no models or no connection.
    """
    from ..migration.environment import connection_of, metadata_of, run_environment  # noqa: PLC0415 - Alembic

    check = _Check(project, options)
    configured: dict[MetaData, None] = {}

    def configure(context: MigrationContext) -> None:
        configured.update(dict.fromkeys(metadata_of(context)))

    def visit(context: MigrationContext) -> None:
        configure(context)
        check.ask(connection_of(context), metadata_of(context))

    if options.code:
        run_environment(project.config(), configure)
        check.read_code(tuple(configured))
    run_environment(project.config(), visit)
    if not configured:
        raise CannotRunError("env.py configures no target_metadata: there is nothing to check")
    report = check.report(counts_keys=True)
    if report.keys or report.call_sites:
        return report
    conclusion = "none is declared; upsert-guard scan . finds what the code upserts on"
    return replace(report, conclusion=conclusion)


def check_database(
    project: Project, options: CheckOptions, url: str, metadata_names: Sequence[str]
) -> Report:
    """Return the answers of the database at `url`; nothing of Alembic is imported.

    :param metadata_names: the models, each as ``module:attribute``; empty: there are none.
    :raises CannotRunError: nothing is named that could be checked, or the models cannot be imported.
    :raises DatabaseURLError: the URL cannot be used.
    """
    if not (options.code or options.functions or options.records.has_any or metadata_names):
        raise CannotRunError(
            "name what is checked against the database: --code PATH..., --functions, --statements, --observed FILE..., "
            "--log FILE..., --metadata module:attribute"
        )
    check = _Check(project, options)
    target = connect_to(url)
    metadata = import_all_metadata(metadata_names)
    check.read_code(metadata)
    run_on(target, lambda connection: check.ask(connection, metadata, in_sql=not metadata))
    return check.report(counts_keys=bool(metadata))


def functions_of_project(project: Project) -> Report:
    """Return the upserts in functions of every database that ``env.py`` configures.

    :raises CannotRunError: ``env.py`` fails, or configures no connection.
    """
    from ..migration.environment import connection_of, run_environment  # noqa: PLC0415 - Alembic

    judged: list[JudgedFunctions] = []
    databases: list[DatabaseFacts] = []

    def visit(context: MigrationContext) -> None:
        databases.append(facts_of(connection_of(context)))
        judged.append(judge_functions(connection_of(context)))

    run_environment(project.config(), visit)
    report = Report(commands=(), findings=(), subject="", databases=tuple(dict.fromkeys(databases)))
    return _with_functions(report, "functions", judged)


def _with_functions(report: Report, command: str, judged: Sequence[JudgedFunctions]) -> Report:
    sites = [call_site_member(each) for functions in judged for each in functions.upserts]
    findings = [finding for each in judged for finding in each.findings]
    subject = f"{counted(len(sites), 'upsert')} in functions"
    return report.with_source(command, subject, sites, findings)


def _key_member(key: CheckedKey) -> dict[str, Any]:
    return {
        "schema": key.schema,
        "table": key.table,
        "elements": list(key.elements),
        "where": key.where,
        "verdict": key.verdict.value,
        "arbiters": list(key.arbiters),
    }
