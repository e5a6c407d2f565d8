"""``upsert-guard``: parse, call, print, exit."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError

from .accepting import accept, baseline, paths_from, read_entries, write_entries
from .catalog.reading import words_of
from .checking import Checked, check_keys, together
from .errors import UpsertGuardError
from .findings import (
    Finding,
    Location,
    MissingPageError,
    UnknownCodeError,
    as_github,
    as_json,
    as_text,
    page_of,
    summary,
)
from .migration.environment import (
    EnvironmentFailedError,
    metadata_of,
    output_to_standard_error,
    place_of,
    prepended_paths,
    project_config,
    run_environment,
)
from .scan import scan
from .scan.functions import judge_functions
from .scan.models import declared_tables
from .settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

    from .scan import ScanReport

__all__ = ["main"]

_DONE, _FOUND, _COULD_NOT_RUN, _INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 nothing to do, 1 something was found, 2 the command could not run.

    :param arguments: None: those of the process.
    """
    options = _parser().parse_args(arguments)
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
        return _failed(f"the database could not be read: {words_of(error)}")
    except (
        UpsertGuardError,
        CommandError,
        UnknownCodeError,
        MissingPageError,
        _CannotRunError,
    ) as error:
        return _failed(str(error))
    except Exception as error:  # noqa: BLE001 - 1, which Python would end with, says that something was found
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        return _failed(f"{type(error).__name__}: {error} ({where}): please report this")
    return code


def _failed(words: str, code: int = _COULD_NOT_RUN) -> int:
    print(f"upsert-guard: {words}", file=sys.stderr)
    return code


class _CannotRunError(Exception):
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

    command: str
    """As the table of codes names it."""
    findings: list[Finding] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    call_sites: list[dict[str, Any]] | None = None
    models: dict[str, str] = field(default_factory=dict)
    """Names in the models of tables that live under others."""
    nothing: str = "nothing to do"
    """What is said where there is no finding."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="upsert-guard",
        description="Hold upserts in code, declared upsert keys, databases and rows against each other.",
        epilog="Exit code: 0 no error was found, 1 one was, 2 it could not run.",
        # `--base` would be taken for --baseline, which writes
        allow_abbrev=False,
    )
    _add_project_options(parser, "before")
    commands = parser.add_subparsers(metavar="command", required=True)
    project = argparse.ArgumentParser(add_help=False)
    _add_project_options(project, "after")
    reporting = argparse.ArgumentParser(add_help=False)
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
    report = _Report("check --rows" if options.rows else "check")
    configured: list[MetaData] = []
    answers: list[Checked] = []

    def visit(context: MigrationContext) -> None:
        metadata = metadata_of(context)
        configured.extend(metadata)
        answers.append(check_keys(_connection(context), metadata, rows=options.rows))

    run_environment(_config(options), visit)
    checked = together(answers)
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
    if not configured:
        raise _CannotRunError("env.py configures no target_metadata: there is nothing to check")
    if not report.keys:
        report.nothing = "none is declared; upsert-guard scan . finds what the code upserts on"
    return _tell(options, report, _counted(len(report.keys), "upsert key"))


def _scan(options: argparse.Namespace) -> int:
    settings = read_settings(_project(options).pyproject)
    paths = options.paths or settings.paths or (".",)
    options.metadata = options.metadata or settings.metadata
    for path in paths:
        if not Path(path).exists():
            raise _CannotRunError(f"there is no {path} to scan")
    metadata = (
        _named_metadata(options) if options.metadata else _configured_metadata(_config(options))
    )
    with _progress("scanning") as progress:
        scanned = scan(
            paths, declared_tables(*metadata), progress=progress, exclude=settings.exclude
        )
    left_out = [problem for problem in scanned.problems if not problem.is_unread]
    for problem in left_out:
        print(f"{problem.path}: left out: {problem.reason}", file=sys.stderr)
    report = _Report(
        "scan",
        sorted([*scanned.findings, *_stale_comments(scanned)], key=_place),
        call_sites=[
            {
                "path": site.path,
                "line": site.line,
                "schema": site.schema,
                "table": site.table,
                "elements": list(site.elements),
                "where": site.where,
                "resolution": str(site.resolution),
            }
            for site in scanned.call_sites
        ],
    )
    upserts, files = _counted(len(scanned.call_sites), "upsert"), _counted(scanned.files, "file")
    unscanned = f", {len(left_out):,} left out" if left_out else ""
    return _tell(options, report, f"{upserts} in {files}{unscanned}")


def _functions(options: argparse.Namespace) -> int:
    report = _Report("functions")
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
    relative = str if report.command == "functions" else paths_from(pyproject)
    entries = read_entries(pyproject)
    judged = accept(found, entries, report.command, today, report.models, relative)
    left, accepted = list(judged.left), list(judged.accepted)
    if options.baseline:
        added = baseline(left, today, relative)
        write_entries(pyproject, added)
        print(f"{_counted(len(added), 'entry', 'entries')} added to {pyproject}", file=sys.stderr)
        accepted += [finding for finding in left if finding.code != "stale-ignore"]
        # what cannot be accepted still fails
        left = [finding for finding in left if finding.code == "stale-ignore"]
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
            nothing=report.nothing,
        )
        print("\n".join([*lines, last]))
    strict = options.strict or read_settings(pyproject).strict
    failing = {"error", "warning"} if strict else {"error"}
    return _FOUND if any(finding.severity in failing for finding in left) else _DONE


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
    # None where there is none, as Alembic's own parser has it
    return project_config(project.ini, project.toml, name=name, x=x or None)


def _connection(context: MigrationContext) -> Any:
    if context.connection is None:
        raise _CannotRunError("env.py configured no connection")
    return context.connection


def _configured_metadata(config: Config) -> list[MetaData]:
    found: list[MetaData] = []

    def visit(context: MigrationContext) -> None:
        found.extend(each for each in metadata_of(context) if each not in found)

    name_them = "name the models with --metadata module:attribute"
    try:
        run_environment(config, visit, offline=True)
    except EnvironmentFailedError as error:
        raise _CannotRunError(f"{error}; {name_them}") from error
    if not found:
        raise _CannotRunError(f"env.py configures no target_metadata; {name_them}")
    return found


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
    project = _project(options)
    if not project.ini.is_file() and not project.toml.is_file():
        return ()
    return prepended_paths(_config(options))


def _stale_comments(report: ScanReport) -> list[Finding]:
    return [
        Finding(
            "stale-ignore",
            "error",
            None,
            None,
            (),
            None,
            f"the comment that ignores {comment.code} matches nothing",
            "take it out, or put it on a line of the call: one in the line above it accepts nothing",
            Location(comment.path, comment.line),
        )
        for comment in report.stale_ignores
    ]


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
