"""Any number of cases on any server: ``python -m tests.mending --cases 1000 --server 18``."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.generated import engine_of, parser_of

from .postgresql import postgresql_cases, set_up
from .promises import BrokenPromiseError, Tally, check
from .sqlite import sqlite_cases

if TYPE_CHECKING:
    import argparse


def _arguments() -> argparse.Namespace:
    parser = parser_of("tests.mending", __doc__, cases=1000, what="how many tables")
    parser.add_argument(
        "--reduce", action="store_true", help="stop at the first broken promise, and shrink it"
    )
    return parser.parse_args()


def _run(arguments: argparse.Namespace, tally: Tally) -> None:
    with ExitStack() as stack:
        # a transaction, as in a migration: SERIALIZABLE is what SQLite has unless it is told otherwise
        engine = engine_of(arguments, stack, sqlite_isolation="SERIALIZABLE")
        cases = (
            sqlite_cases()
            if arguments.sqlite
            else postgresql_cases(arguments.server, set_up(engine))
        )
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
