"""``upsert-guard``: parse, call, print, exit."""

from __future__ import annotations

import argparse
import configparser
import importlib
import os
import shlex
import sys
import traceback
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import MetaData, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from .catalog.messages import message_of
from .command.database_url import connect_to, run_on, secrets_of, without
from .command.ignores import accept, baseline, paths_from, read_entries, write_entries
from .command.settings import read_settings
from .errors import UpsertGuardError
from .findings import (
    Finding,
    FindingCode,
    Severity,
    as_github,
    as_json,
    as_text,
    page_of,
    summary,
)
from .project_code import output_to_standard_error, place_of
from .upserts.code import CheckedCode
from .upserts.functions import judge_functions
from .upserts.models import declared_tables
from .upserts.scan import Resolution, call_site_member, scan
from .verdict.check import Checked, check_keys, together

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # Alembic brings it where Python does not

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from .upserts.functions import JudgedFunctions
    from .upserts.scan import DeclaredTables, ScanReport

__all__ = ["main"]

_DONE, _FOUND, _COULD_NOT_RUN, _INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 nothing to do, 1 something was found, 2 the command could not run.

    :param arguments: None: those of the process.
    """
    options = _parser().parse_args(arguments)
    secrets = secrets_of(getattr(options, "database", None) or "")
    if hasattr(sys.stdout, "reconfigure"):
        # a name in another encoding than the terminal's is told all the same
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read the report has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _COULD_NOT_RUN
    except KeyboardInterrupt:
        return _failed("interrupted", _INTERRUPTED)
    except DBAPIError as error:
        message = message_of(error, reveal=False, see="")
        return _failed(without(f"the database could not be read: {message}", secrets))
    except UpsertGuardError as error:
        return _failed(without(str(error), secrets))
    except Exception as error:  # noqa: BLE001 - 1, which Python would end with, says that something was found
        if _is_command_error(error):
            return _failed(str(error))
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        told = f"{type(error).__name__}: {error} ({where}): please report this"
        return _failed(without(told, secrets))
    return code


def _failed(words: str, code: int = _COULD_NOT_RUN) -> int:
    print(f"upsert-guard: {words}", file=sys.stderr)
    return code


def _is_command_error(error: Exception) -> bool:
    """Whether it is Alembic's own, which is not imported where no environment is run."""
    util = sys.modules.get("alembic.util")
    return util is not None and isinstance(error, util.CommandError)


class _Parser(argparse.ArgumentParser):
    """One whose complaints repeat no password of a URL."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit with 2."""
        secrets = frozenset[str]().union(*(secrets_of(word) for word in message.split()))
        super().error(without(message, secrets))


class _CannotRunError(UpsertGuardError):
    """The project could not be read; the message says why."""


@dataclass(frozen=True)
class _Project:
    """The files of a project."""

    ini: Path
    toml: Path
    """Where Alembic's configuration may stand beside `ini`."""
    pyproject: Path
    """Where the accepted findings stand: beside the configuration."""


@dataclass
class _Report:
    """What a command found."""

    commands: list[str]
    """As the table of codes names them: what can be found by them."""
    findings: list[Finding] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    call_sites: list[dict[str, Any]] | None = None
    models: dict[str, str] = field(default_factory=dict)
    """Names in the models of tables that live under others."""
    conclusion: str = "nothing to do"
    """What the summary says where there are no findings."""


@dataclass(frozen=True)
class _Models:
    """What call sites are held against."""

    metadata: list[MetaData] = field(default_factory=list)
    """Empty: the project has no configuration, and names none."""
    drivers: frozenset[str] = frozenset()
    """SQLAlchemy's names of the drivers that the project connects with, as far as it says."""


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="upsert-guard",
        description="Hold upserts in code, declared upsert keys, databases and rows against each other.",
        epilog="Exit code: 0 no error was found, 1 one was, 2 it could not run.",
        # `--base` would be taken for --baseline, which writes
        allow_abbrev=False,
    )
    _add_project_options(parser, "before")
    commands = parser.add_subparsers(metavar="command", required=True)
    project = _Parser(add_help=False)
    _add_project_options(project, "after")
    reporting = _Parser(add_help=False)
    reporting.add_argument("--format", choices=("text", "json", "github"), default="text")
    reporting.add_argument("--strict", action="store_true", help="warnings make it fail too")
    reporting.add_argument(
        "--baseline",
        action="store_true",
        help="accept what is found today: write it into the pyproject.toml beside the configuration",
    )

    check = commands.add_parser(
        "check",
        parents=[project, reporting],
        allow_abbrev=False,
        help="every declared key against the database",
    )
    check.add_argument("--rows", action="store_true", help="and against its rows")
    check.add_argument(
        "--code",
        nargs="+",
        action="extend",
        metavar="PATH",
        help="and every upsert in these files and folders, declared or not",
    )
    check.add_argument(
        "--functions", action="store_true", help="and every upsert in functions of the database"
    )
    check.add_argument(
        "--database",
        metavar="URL",
        help="this database, without Alembic: such as postgresql://user:password@host/database",
    )
    check.add_argument(
        "--metadata",
        metavar="MODULE:ATTRIBUTE",
        help="with --database: the models whose declared keys are checked; left out: none",
    )
    check.set_defaults(run=_check)
    scanning = commands.add_parser(
        "scan",
        parents=[project, reporting],
        allow_abbrev=False,
        help="upserts in code against the declared keys",
    )
    scanning.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a file, or a folder to walk; left out: paths of [tool.upsert_guard], or this folder",
    )
    scanning.add_argument(
        "--metadata",
        metavar="MODULE:ATTRIBUTE",
        help="the models; left out: what env.py configures",
    )
    writing = scanning.add_mutually_exclusive_group()
    writing.add_argument(
        "--diff", action="store_true", help="print the declarations that are missing, as a diff"
    )
    writing.add_argument(
        "--fix", action="store_true", help="write the declarations that are missing into the models"
    )
    scanning.set_defaults(run=_scan)
    functions = commands.add_parser(
        "functions",
        parents=[project, reporting],
        allow_abbrev=False,
        help="upserts in functions of the database",
    )
    functions.set_defaults(run=_functions)
    explain = commands.add_parser("explain", help="what a finding code means, and the ways out")
    explain.add_argument("code", metavar="CODE")
    explain.set_defaults(run=_explain)
    return parser


def _add_project_options(parser: argparse.ArgumentParser, place: str) -> None:
    """Alembic takes them before the name of the command; behind it they are taken too."""
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        dest=f"config_{place}",
        metavar="FILE",
        help="Alembic's configuration, as for alembic -c",
    )
    parser.add_argument(
        "-n",
        "--name",
        dest=f"name_{place}",
        metavar="SECTION",
        help="section of the configuration, as for alembic -n",
    )
    parser.add_argument(
        "-x",
        action="append",
        dest=f"x_{place}",
        metavar="ARGUMENT",
        help="an argument for env.py, as for alembic -x",
    )


# -- the commands


def _check(options: argparse.Namespace) -> int:
    _require_paths(options.code or ())
    if options.database is not None:
        return _check_database(options)
    if options.metadata:
        raise _CannotRunError("--metadata goes with --database; without it, env.py has the models")
    from .migration.environment import metadata_of, run_environment  # noqa: PLC0415 - Alembic

    configured: list[MetaData] = []
    answers: list[Checked] = []
    functions: list[JudgedFunctions] = []
    code: list[CheckedCode] = []

    def configure(context: MigrationContext) -> None:
        configured.extend(each for each in metadata_of(context) if each not in configured)

    def visit(context: MigrationContext) -> None:
        configure(context)
        connection = _connection(context)
        answers.append(check_keys(connection, metadata_of(context), rows=options.rows))
        for each in code:
            each.judge(connection)
        if options.functions:
            functions.append(judge_functions(connection))

    if options.code:
        # of several databases the models of all are needed before a file is read
        run_environment(_config(options), configure)
        code.append(_scanned(options, configured))
    run_environment(_config(options), visit)
    if not configured:
        raise _CannotRunError("env.py configures no target_metadata: there is nothing to check")
    return _tell_checked(options, together(answers), code, functions)


def _check_database(options: argparse.Namespace) -> int:
    """Every source against one database; nothing of Alembic is imported."""
    if not (options.code or options.functions or options.metadata):
        raise _CannotRunError(
            "name what is checked against the database: --code PATH..., --functions, --metadata module:attribute"
        )
    url = connect_to(options.database)
    metadata = _named_metadata(options) if options.metadata else []
    answers: list[Checked] = []
    functions: list[JudgedFunctions] = []
    code = [_scanned(options, metadata)] if options.code else []

    def visit(connection: Connection) -> None:
        answers.append(check_keys(connection, metadata, rows=options.rows))
        for each in code:
            each.judge(connection)
        if options.functions:
            functions.append(judge_functions(connection, in_sql=not metadata))

    run_on(url, visit)
    return _tell_checked(options, together(answers), code, functions)


def _require_paths(paths: Sequence[str]) -> None:
    for path in paths:
        if not Path(path).exists():
            raise _CannotRunError(f"there is no {path} to scan")


def _scanned(options: argparse.Namespace, metadata: Sequence[MetaData]) -> CheckedCode:
    models = declared_tables(*metadata) if metadata else None
    exclude = read_settings(_project(options).pyproject).exclude
    with _progress("scanning") as progress:
        scanned = scan(options.code, models, progress=progress, exclude=exclude)
    _tell_problems(scanned)
    return CheckedCode(scanned, models)


def _tell_checked(
    options: argparse.Namespace,
    checked: Checked,
    code: Sequence[CheckedCode],
    functions: Sequence[JudgedFunctions],
) -> int:
    report = _Report(["check --rows" if options.rows else "check"])
    report.keys.extend(
        {
            "schema": key.schema,
            "table": key.table,
            "elements": list(key.elements),
            "where": key.where,
            "verdict": key.verdict,
            "arbiters": list(key.arbiters),
        }
        for key in checked.keys
    )
    report.findings.extend(checked.findings)
    report.models.update(checked.models)
    looked_at = (
        []
        if options.database and not options.metadata
        else [_counted(len(report.keys), "upsert key")]
    )
    call_sites: list[dict[str, Any]] = []
    for each in code:
        report.commands.append("check --code")
        report.findings.extend(each.findings())
        sites = each.call_sites()
        call_sites += sites
        looked_at.append(f"{_counted(len(sites), 'upsert')} in {_counted(each.files, 'file')}")
    if options.functions:
        report.commands.append("check --functions")
        in_functions = [site for judged in functions for site in judged.call_sites]
        report.findings.extend(finding for judged in functions for finding in judged.findings)
        call_sites += in_functions
        looked_at.append(f"{_counted(len(in_functions), 'upsert')} in functions")
    if options.code or options.functions:
        report.call_sites = call_sites
    if not report.keys and not call_sites and not options.database:
        report.conclusion = "none is declared; upsert-guard scan . finds what the code upserts on"
    return _tell(options, report, ", ".join(looked_at))


def _tell_problems(scanned: ScanReport) -> int:
    """Say what was left out, and return the number; what could not be read is a finding."""
    left_out = [problem for problem in scanned.problems if not problem.is_unread]
    for problem in left_out:
        print(f"{problem.path}: left out: {problem.reason}", file=sys.stderr)
    return len(left_out)


def _scan(options: argparse.Namespace) -> int:
    settings = read_settings(_project(options).pyproject)
    options.paths = options.paths or settings.paths or (".",)
    options.metadata = options.metadata or settings.metadata
    _require_paths(options.paths)
    if options.diff and options.format != "text":
        raise _CannotRunError("--diff prints a diff: leave out --format")
    found = _scanned_metadata(options)
    models = declared_tables(*found.metadata) if found.metadata else None
    if models is None and (options.diff or options.fix):
        raise _CannotRunError(
            "there are no models to declare keys in; name them with --metadata module:attribute"
        )
    with _progress("scanning") as progress:
        scanned = scan(
            options.paths,
            models,
            drivers=found.drivers,
            progress=progress,
            exclude=settings.exclude,
        )
    skipped = _tell_problems(scanned)
    if models is not None and (options.diff or options.fix):
        scanned = _declare(options, scanned, models, found.metadata)
    stale = [comment.stale() for comment in scanned.stale_ignores]
    report = _Report(
        ["scan"],
        sorted([*scanned.findings, *stale], key=_place),
        call_sites=[call_site_member(site) for site in scanned.call_sites],
    )
    upserts, files = _counted(len(scanned.call_sites), "upsert"), _counted(scanned.files, "file")
    left_out = f", {skipped:,} left out" if skipped else ""
    if models is None:
        unread = [s for s in scanned.call_sites if s.resolution is Resolution.UNRESOLVED]
        left_out += f", {len(unread):,} that cannot be read" if unread else ""
        report = replace(report, commands=[], findings=[])
        command = f"upsert-guard check --database URL --code {shlex.join(options.paths)}"
        report.conclusion = f"there are no models to hold them against; ask a database ({command})"
    # with --diff standard output holds the diff and nothing else
    with redirect_stdout(sys.stderr) if options.diff else nullcontext():
        return _tell(options, report, f"{upserts} in {files}{left_out}")


def _declare(
    options: argparse.Namespace,
    scanned: ScanReport,
    models: DeclaredTables,
    metadata: Sequence[MetaData],
) -> ScanReport:
    """Print or write the declarations that are missing, and return what is left to report."""
    from .edits import (  # noqa: PLC0415
        described,
        diff_of,
        left_after,
        plan_declarations,
        write_edits,
    )

    entries = read_entries(_project(options).pyproject)
    today = date.today()  # noqa: DTZ011 - as for the report
    kept = accept(
        scanned.findings, entries, ["scan"], today, relative=_paths_in(_project(options).pyproject)
    ).left
    # under --strict the warning about a primary key fails, too
    edits = plan_declarations(kept, scanned, models, metadata, primary_keys=options.strict)
    if options.diff:
        sys.stdout.flush()
        for file in edits.files:
            sys.stdout.buffer.writelines(diff_of(file))
        sys.stdout.buffer.flush()
        return left_after(replace(edits, written=()), scanned)
    edits = write_edits(edits)
    for line in described(edits):
        print(line, file=sys.stderr)
    return left_after(edits, scanned)


def _functions(options: argparse.Namespace) -> int:
    from .migration.environment import run_environment  # noqa: PLC0415 - Alembic

    report = _Report(["functions"])
    call_sites: list[dict[str, Any]] = []

    def visit(context: MigrationContext) -> None:
        judged = judge_functions(_connection(context))
        report.findings.extend(judged.findings)
        call_sites.extend(judged.call_sites)

    run_environment(_config(options), visit)
    report.call_sites = call_sites
    return _tell(options, report, f"{_counted(len(call_sites), 'upsert')} in functions")


def _explain(options: argparse.Namespace) -> int:
    print(page_of(options.code), end="")
    return _DONE


# -- the report


def _tell(options: argparse.Namespace, report: _Report, looked_at: str) -> int:
    """Print what is not accepted, and return the exit code that it stands for.

    :param looked_at: what the summary counts.
    """
    pyproject = _project(options).pyproject
    today = date.today()  # noqa: DTZ011 - a date that people write is one of where they are
    # several databases may say the same
    found = list(dict.fromkeys(report.findings))
    accepted_as = accept(
        found, read_entries(pyproject), report.commands, today, report.models, _paths_in(pyproject)
    )
    left, accepted = list(accepted_as.left), list(accepted_as.accepted)
    if options.baseline:
        added = baseline(left, today, _paths_in(pyproject))
        write_entries(pyproject, added)
        print(f"{_counted(len(added), 'entry', 'entries')} added to {pyproject}", file=sys.stderr)
        accepted += [finding for finding in left if finding.code is not FindingCode.STALE_IGNORE]
        # what cannot be accepted still fails
        left = [finding for finding in left if finding.code is FindingCode.STALE_IGNORE]
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if options.format == "json":
        print(as_json(left, report.keys, report.call_sites, accepted))
    else:
        github = options.format == "github"
        coloured = coloured and not github
        lines = as_github(left) if github else as_text(left, coloured=coloured)
        last = summary(
            left,
            looked_at,
            coloured=coloured,
            accepted=len(accepted),
            otherwise=report.conclusion,
        )
        print("\n".join([*lines, last]))
    strict = options.strict or read_settings(pyproject).strict
    failing = left if strict else [each for each in left if each.severity is Severity.ERROR]
    return _FOUND if failing else _DONE


# -- the project


def _project(options: argparse.Namespace) -> _Project:
    """The files of the configuration, as the alembic command finds them (alembic.config: CommandLine)."""
    named = [*(options.config_before or ()), *(options.config_after or ())]
    of_environment = os.environ.get("ALEMBIC_CONFIG")
    if not named and of_environment:
        named = [of_environment]
    tomls = [Path(name) for name in named if Path(name).name == "pyproject.toml"]
    inis = [Path(name) for name in named if Path(name).name != "pyproject.toml"]
    if len(tomls) > 1 or len(inis) > 1:
        raise _CannotRunError("-c names more than one file of a kind; name one INI and one TOML")
    for path in (*tomls, *inis):
        if not path.is_file():
            raise _CannotRunError(f"there is no configuration {path}")
    toml = tomls[0] if tomls else Path("pyproject.toml")
    ini = inis[0] if inis else Path("alembic.ini")
    beside = inis[0].with_name("pyproject.toml") if inis and not tomls else toml
    return _Project(ini, toml, beside)


def _config(options: argparse.Namespace) -> Config:
    project = _project(options)
    if not project.ini.is_file() and not project.toml.is_file():
        raise _CannotRunError(
            f"there is no {project.ini}, and no {project.toml}: run it where Alembic's configuration is, or name it "
            "with -c"
        )
    name = options.name_after or options.name_before or "alembic"
    x = [*(options.x_before or ()), *(options.x_after or ())]
    from .migration.environment import project_config  # noqa: PLC0415 - Alembic

    # None where there is none, as Alembic's own parser has it
    return project_config(project.ini, project.toml, name=name, x=x or None)


def _connection(context: MigrationContext) -> Any:
    if context.connection is None:
        raise _CannotRunError("env.py configured no connection")
    return context.connection


def _scanned_metadata(options: argparse.Namespace) -> _Models:
    """The models that call sites are held against, and the drivers that run them."""
    if options.metadata:
        return _Models(_named_metadata(options), _named_drivers(options))
    return _configured_metadata(_config(options)) if _is_configured(options) else _Models()


def _is_configured(options: argparse.Namespace) -> bool:
    """Whether Alembic's configuration is named or there: not every pyproject.toml has a part of it."""
    project = _project(options)
    named = options.config_before or options.config_after or os.environ.get("ALEMBIC_CONFIG")
    if project.ini.is_file() or named:
        return True
    try:
        document = tomllib.loads(project.toml.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False
    tool = document.get("tool")
    return isinstance(tool, dict) and "alembic" in tool


def _named_drivers(options: argparse.Namespace) -> frozenset[str]:
    """The driver that the configuration's ``sqlalchemy.url`` names; env.py is not run for it."""
    if not _is_configured(options):
        return frozenset()
    from alembic.util import CommandError  # noqa: PLC0415 - Alembic

    try:
        url = _config(options).get_main_option("sqlalchemy.url") or ""
        driver = make_url(url).get_driver_name()
    except (ArgumentError, CommandError, ValueError, configparser.Error):
        # what is filled in elsewhere, and a configuration of other sections
        return frozenset()
    return frozenset({driver})


def _configured_metadata(config: Config) -> _Models:
    from .migration.environment import (  # noqa: PLC0415 - Alembic
        EnvironmentFailedError,
        metadata_of,
        run_environment,
    )

    found: list[MetaData] = []
    drivers: set[str] = set()

    def visit(context: MigrationContext) -> None:
        found.extend(each for each in metadata_of(context) if each not in found)
        drivers.add(context.dialect.driver)

    name_them = "name the models with --metadata module:attribute"
    try:
        run_environment(config, visit, offline=True)
    except EnvironmentFailedError as error:
        raise _CannotRunError(f"{error}; {name_them}") from error
    if not found:
        raise _CannotRunError(
            f"env.py configures no target_metadata; {name_them}, or ask a database: upsert-guard check --database URL "
            "--code PATH"
        )
    return _Models(found, frozenset(drivers))


def _named_metadata(options: argparse.Namespace) -> list[MetaData]:
    name = options.metadata
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise _CannotRunError(f"--metadata {name}: write module:attribute, such as app.models:Base")
    sys.path[:0] = [*_prepended(options), str(Path.cwd())]
    try:
        with output_to_standard_error():
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
    except (Exception, SystemExit) as error:
        place = place_of(error)
        said = f"{type(error).__name__}: {error}" + (f" ({place})" if place else "")
        raise _CannotRunError(f"--metadata {name}: {said}") from error
    found = getattr(found, "metadata", found)
    if not isinstance(found, MetaData):
        raise _CannotRunError(
            f"--metadata {name} is a {type(found).__name__}, neither a MetaData nor a base class"
        )
    return [found]


def _prepended(options: argparse.Namespace) -> Sequence[str]:
    """Where Alembic's configuration says that the project's modules are; nowhere where there is none."""
    if getattr(options, "database", None) or not _is_configured(options):
        return ()
    from .migration.environment import prepended_paths  # noqa: PLC0415 - Alembic

    return prepended_paths(_config(options))


def _paths_in(pyproject: Path) -> Callable[[str], str]:
    """Return how entries of the project spell a path; a function of the database is none, and stays as it is."""
    relative = paths_from(pyproject)
    return lambda path: relative(path) if Path(path).exists() else path


def _place(finding: Finding) -> tuple[str, int]:
    at = finding.location
    return ("", 0) if at is None else (at.path, at.line)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal, where rich is installed; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import Progress  # noqa: PLC0415
    except ModuleNotFoundError:
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _counted(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


if __name__ == "__main__":
    sys.exit(main())
