"""Any number of cases on any server: ``python -m tests.planner --cases 20000 --server 18``."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from alembic_upsert_guard.inference import State
from tests.generated import engine_of, parser_of

from .agreement import DisagreementError, Tally, check
from .schemas import postgresql_cases, sqlite_cases

if TYPE_CHECKING:
    import argparse


def _arguments() -> argparse.Namespace:
    parser = parser_of("tests.planner", __doc__, cases=20_000, what="how many targets, about")
    parser.add_argument(
        "--keep-going", action="store_true", help="count disagreements, shrink none of them"
    )
    return parser.parse_args()


def _run(arguments: argparse.Namespace, tally: Tally) -> None:
    cases = sqlite_cases() if arguments.sqlite else postgresql_cases(arguments.server)
    with ExitStack() as stack:
        connection = stack.enter_context(engine_of(arguments, stack).connect())
        check(
            connection,
            cases,
            tally,
            size=arguments.cases,
            seed=arguments.seed,
            keep_going=arguments.keep_going,
        )


def _told(tally: Tally, seconds: float) -> str:
    states = ", ".join(f"{tally.states[state]} {state.value}" for state in State)
    inserts = ", ".join(f"{times} {answer}" for answer, times in sorted(tally.inserts.items()))
    shortest = sorted(tally.disagreements.items())
    return "\n".join(
        (
            *(f"{tally.times[claim]} times:\n{told}\n" for claim, told in shortest),
            f"{tally.cases} cases in {seconds:.0f} s; inserts: {inserts}",
            f"judge: {states} ({tally.unknown:.1%} unknown); {tally.times.total()} disagreements",
        )
    )


def main() -> int:
    """Run, print the tally; 1 where somebody disagreed."""
    arguments = _arguments()
    tally = Tally()
    started = time.monotonic()
    try:
        _run(arguments, tally)
    except DisagreementError as error:
        print(f"the smallest that hypothesis found:\n{error}\n")  # noqa: T201
    print(_told(tally, time.monotonic() - started))  # noqa: T201
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
