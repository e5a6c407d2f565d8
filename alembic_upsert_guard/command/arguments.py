"""The arguments of ``upsert-guard``."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .database_url import secrets_of, without
from .report import FORMATS
from .scan import Writing

__all__ = ["argument_parser"]


class _Parser(argparse.ArgumentParser):
    """One whose complaints repeat no password of a URL."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit with 2."""
        secrets = frozenset[str]().union(*(secrets_of(word) for word in message.split()))
        super().error(without(message, secrets))


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser, whose result has the name of the command as ``command``."""
    parser = _Parser(
        prog="upsert-guard",
        description="Hold upserts in code, declared upsert keys, databases and rows against each other.",
        epilog="Exit code: 0 no error was found, 1 one was, 2 it could not run.",
        # `--base` would be taken for --baseline, which writes
        allow_abbrev=False,
    )
    _add_project_options(parser, "before")
    commands = parser.add_subparsers(metavar="command", dest="command", required=True)
    project = _Parser(add_help=False)
    _add_project_options(project, "after")
    reporting = _Parser(add_help=False)
    reporting.add_argument("--format", choices=FORMATS, default="text")
    reporting.add_argument("--strict", action="store_true", help="warnings make it fail too")
    reporting.add_argument(
        "--baseline",
        action="store_true",
        help="suppress what is found today: write it into the pyproject.toml beside the configuration",
    )
    parents = [project, reporting]
    help_line = "every declared key against the database"
    _add_check_options(
        commands.add_parser("check", parents=parents, allow_abbrev=False, help=help_line)
    )
    help_line = "upserts in code against the declared keys"
    _add_scan_options(
        commands.add_parser("scan", parents=parents, allow_abbrev=False, help=help_line)
    )
    help_line = "upserts in functions of the database"
    commands.add_parser("functions", parents=parents, allow_abbrev=False, help=help_line)
    explain = commands.add_parser("explain", help="what a finding code means, and the ways out")
    explain.add_argument("code", metavar="CODE")
    return parser


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
    check.add_argument("--rows", action="store_true", help="and against its rows")
    check.add_argument(
        "--code",
        nargs="+",
        action="extend",
        metavar="PATH",
        default=[],
        help="and every upsert in these files and folders, declared or not",
    )
    check.add_argument(
        "--functions", action="store_true", help="and every upsert in functions of the database"
    )
    check.add_argument(
        "--statements",
        action="store_true",
        help="and every upsert that PostgreSQL's pg_stat_statements has of the database",
    )
    check.add_argument(
        "--statements-from",
        metavar="URL",
        help="and every upsert in the statistics of the database there, such as production",
    )
    check.add_argument(
        "--log",
        nargs="+",
        action="extend",
        metavar="FILE",
        default=[],
        help="and every upsert that failed in these logs of PostgreSQL: csvlog or jsonlog",
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
        help="and every upsert in these files, which pytest --upsert-guard writes",
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


def _add_scan_options(scan: argparse.ArgumentParser) -> None:
    scan.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a file, or a folder to walk; left out: paths of [tool.upsert_guard], or this folder",
    )
    scan.add_argument(
        "--metadata",
        metavar="MODULE:ATTRIBUTE",
        help="the models; left out: what env.py configures",
    )
    scan.add_argument(
        "--observed",
        nargs="+",
        action="extend",
        metavar="FILE",
        default=[],
        help="what pytest --upsert-guard recorded: it tells the upserts that cannot be read where they ran",
    )
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
