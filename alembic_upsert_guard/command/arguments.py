"""The arguments of ``upsert-guard``."""

from __future__ import annotations

import argparse
from functools import partial
from importlib.metadata import version

from . import help_texts
from .parser import Parser, PrintCompletion
from .report import FORMATS, PACKAGE
from .scan import Writing

__all__ = ["argument_parser"]


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser, whose result has the name of the command as ``command``."""
    parser = Parser(
        prog="upsert-guard",
        description="Hold upserts in code, declared upsert keys, databases and rows against each other.",
        epilog=f"{help_texts.EXIT_CODES}\nupsert-guard COMMAND --help has the options and examples of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # `--base` would be taken for --baseline, which writes
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"upsert-guard {version(PACKAGE)}")
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        help="print the script that completes this command, for bash, zsh or tcsh",
    )
    _add_project_options(parser, "before")
    commands = parser.add_subparsers(metavar="command", dest="command", required=True)
    project = Parser(add_help=False)
    _add_project_options(project, "after")
    parents = [project, _reporting()]
    add = partial(
        commands.add_parser,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check = add(
        "check",
        parents=parents,
        help="every declared key, and other upserts, against the database",
        description=help_texts.CHECK,
        epilog=f"{help_texts.CHECK_EXAMPLES}\n{help_texts.EXIT_CODES}",
    )
    _add_check_options(check)
    scan = add(
        "scan",
        parents=parents,
        help="upserts in code against the models",
        description=help_texts.SCAN,
        epilog=f"{help_texts.SCAN_EXAMPLES}\n{help_texts.EXIT_CODES}",
    )
    _add_scan_options(scan)
    add(
        "functions",
        parents=parents,
        help="upserts in functions of the database",
        description=help_texts.FUNCTIONS,
        epilog=f"{help_texts.FUNCTIONS_EXAMPLES}\n{help_texts.EXIT_CODES}",
    )
    explain = add(
        "explain",
        help="what a finding code means, and the ways out",
        description=help_texts.EXPLAIN,
        epilog=help_texts.EXPLAIN_EXAMPLES,
    )
    explain.add_argument("code", metavar="CODE", nargs="?", help="left out: all codes are listed")
    return parser


def _reporting() -> Parser:
    reporting = Parser(add_help=False)
    reporting.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="text for people (default); json; sarif for code scanning; github for annotations; junit; gitlab for "
        "code quality",
    )
    reporting.add_argument(
        "--output", metavar="FILE", help="write the report there; left out: to standard output"
    )
    reporting.add_argument("--strict", action="store_true", help="warnings make it fail, too")
    reporting.add_argument(
        "--quiet", action="store_true", help="findings only: no summary, no notes, no bar"
    )
    reporting.add_argument(
        "--statistics", action="store_true", help="a line a code with its number, not one a finding"
    )
    reporting.add_argument(
        "--baseline",
        action="store_true",
        help="suppress what is found today: write it into the pyproject.toml beside the configuration",
    )
    reporting.add_argument(
        "--debug", action="store_true", help="show the traceback of an error that nobody foresaw"
    )
    return reporting


def _add_project_options(parser: argparse.ArgumentParser, place: str) -> None:
    """Alembic takes them before the name of the command; behind it they are taken too."""
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        dest=f"config_{place}",
        metavar="FILE",
        default=[],
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
        default=[],
        help="an argument for env.py, as for alembic -x",
    )


def _add_check_options(check: argparse.ArgumentParser) -> None:
    check.add_argument(
        "--rows", action="store_true", help="read the rows of every declared key, too"
    )
    check.add_argument(
        "--code",
        nargs="+",
        action="extend",
        metavar="PATH",
        default=[],
        help="judge every upsert in these files and folders, too",
    )
    check.add_argument(
        "--functions",
        action="store_true",
        help="judge every upsert in functions of the database, too",
    )
    check.add_argument(
        "--statements",
        action="store_true",
        help="judge every upsert that pg_stat_statements has of the database, too",
    )
    check.add_argument(
        "--statements-from",
        metavar="URL",
        help="judge every upsert in the statistics of the database there, such as production, too",
    )
    check.add_argument(
        "--log",
        nargs="+",
        action="extend",
        metavar="FILE",
        default=[],
        help="judge every upsert that failed in these logs of PostgreSQL, csvlog or jsonlog, too",
    )
    check.add_argument(
        "--log-database",
        metavar="NAME",
        help="the database that the logs call so; left out: the name of the database at hand",
    )
    check.add_argument(
        "--observed",
        nargs="+",
        action="extend",
        metavar="FILE",
        default=[],
        help="judge every upsert in these files, which pytest --upsert-guard writes, too",
    )
    check.add_argument(
        "--database",
        metavar="URL",
        help="this database, without Alembic: such as postgresql://user:password@host/database",
    )
    check.add_argument(
        "--metadata",
        action="append",
        default=[],
        metavar="MODULE:ATTRIBUTE",
        help="with --database: the models whose declared keys are checked; left out: none",
    )
    _add_file_options(check)


def _add_file_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--migrations",
        action="store_true",
        help="and the upserts that migrations ran, each against what the migrations before it make",
    )
    parser.add_argument(
        "--python",
        metavar="PATH",
        help="what parses files that are written for a later Python; left out: the latest on the PATH",
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="read every file again, and keep nothing"
    )
    parser.add_argument(
        "--cache-dir",
        metavar="FOLDER",
        help="where what was read is kept for the next run; left out: .upsert_guard/cache",
    )


def _add_scan_options(scan: argparse.ArgumentParser) -> None:
    scan.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a file, or a folder to walk; left out: paths of [tool.upsert_guard], or this folder",
    )
    scan.add_argument(
        "--metadata",
        action="append",
        default=[],
        metavar="MODULE:ATTRIBUTE",
        help="the models, and again for others; left out: what env.py configures",
    )
    scan.add_argument(
        "--observed",
        nargs="+",
        action="extend",
        metavar="FILE",
        default=[],
        help="what pytest --upsert-guard recorded: an upsert that cannot be read is known from where it ran",
    )
    _add_file_options(scan)
    writing = scan.add_mutually_exclusive_group()
    writing.add_argument(
        "--diff",
        action="store_const",
        const=Writing.DIFF,
        dest="writing",
        help="print the declarations that are missing, as a diff",
    )
    writing.add_argument(
        "--fix",
        action="store_const",
        const=Writing.FIX,
        dest="writing",
        help="write the declarations that are missing into the models",
    )
