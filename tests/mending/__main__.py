"""Any number of cases on any server: ``python -m tests.mending --cases 1000 --server 18``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import create_engine

from tests.planner.servers import VERSIONS, embedded_server

from .postgresql import postgresql_cases, set_up
from .promises import BrokenPromiseError, Tally, check
from .sqlite import sqlite_cases


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mending", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="how many tables")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--server", type=int, choices=VERSIONS, default=18, help="PostgreSQL's")
    where.add_argument("--sqlite", action="store_true", help="SQLite instead of PostgreSQL")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="where downloaded servers stay")
    parser.add_argument(
        "--reduce", action="store_true", help="stop at the first broken promise, and shrink it"
    )
    return parser.parse_args()


def _run(arguments: argparse.Namespace, tally: Tally) -> None:
    with ExitStack() as stack:
        if arguments.sqlite:
            cases = sqlite_cases()
            engine = create_engine("sqlite://")
        else:
            temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guard")))
            url = stack.enter_context(
                embedded_server(arguments.server, (arguments.cache or temporary).absolute())
            )
            engine = create_engine(url)
            cases = postgresql_cases(arguments.server, set_up(engine))
        stack.callback(engine.dispose)
        connection = stack.enter_context(engine.connect())
        check(
            connection,
            cases,
            tally,
            size=arguments.cases,
            seed=arguments.seed,
            keep_going=not arguments.reduce,
        )


def _told(tally: Tally, seconds: float) -> str:
    outcomes = "\n".join(f"  {times:6} {told}" for told, times in sorted(tally.outcomes.items()))
    rows = ", ".join(f"{count} {told}" for told, count in sorted(tally.rows.items()))
    return "\n".join(
        (
            *(
                f"{tally.times[claim]} times:\n{told}\n"
                for claim, told in sorted(tally.broken.items())
            ),
            f"{tally.cases} cases in {seconds:.0f} s:\n{outcomes}",
            f"rows: {rows}; {tally.times.total()} broken promises",
        )
    )


def main() -> int:
    """Run, print the tally; 1 where a promise was broken."""
    arguments = _arguments()
    tally = Tally()
    started = time.monotonic()
    try:
        _run(arguments, tally)
    except BrokenPromiseError as error:
        print(f"the smallest that hypothesis found:\n{error}\n")  # noqa: T201
    print(_told(tally, time.monotonic() - started))  # noqa: T201
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
