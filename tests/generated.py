"""What the commands share that run any number of generated cases on any server."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine

from tests.planner.servers import VERSIONS, embedded_server

if TYPE_CHECKING:
    from contextlib import ExitStack

    from sqlalchemy.engine import Engine

__all__ = ["engine_of", "parser_of"]


def parser_of(
    module: str, description: str | None, *, cases: int, what: str
) -> argparse.ArgumentParser:
    """Return the options that all of them take.

    :param cases: how many by default; `what` says of what.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--cases", type=int, default=cases, help=what)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--server", type=int, choices=VERSIONS, default=18, help="PostgreSQL's")
    where.add_argument("--sqlite", action="store_true", help="SQLite instead of PostgreSQL")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="where downloaded servers stay")
    return parser


def engine_of(
    arguments: argparse.Namespace, stack: ExitStack, *, sqlite_isolation: str = "AUTOCOMMIT"
) -> Engine:
    """Return an engine on the database that is asked for; it is there for as long as the stack is."""
    if arguments.sqlite:
        engine = create_engine("sqlite://", isolation_level=sqlite_isolation)
    else:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guard")))
        cache = (arguments.cache or temporary).absolute()
        engine = create_engine(stack.enter_context(embedded_server(arguments.server, cache)))
    stack.callback(engine.dispose)
    return engine
