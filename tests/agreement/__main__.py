"""Any number of cases on any server: ``python -m tests.agreement --cases 2000 --server 18``."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.generated import engine_of, parser_of

from .agreement import DisagreementError, Tally, check
from .kinds import EXTRAS
from .known import KNOWN
from .on_postgresql import postgresql_cases, prepared
from .on_sqlite import sqlite_cases

if TYPE_CHECKING:
    import argparse


def _arguments() -> argparse.Namespace:
    parser = parser_of("tests.agreement", __doc__, cases=2_000, what="how many keys, about")
    parser.add_argument(
        "--keep-going", action="store_true", help="count disagreements, shrink none of them"
    )
    parser.add_argument(
        "--known", action="store_true", help="known disagreements count like all others"
    )
    return parser.parse_args()


def _run(arguments: argparse.Namespace, tally: Tally) -> None:
    with ExitStack() as stack:
        connection = stack.enter_context(engine_of(arguments, stack).connect())
        if arguments.sqlite:
            cases = sqlite_cases()
        else:
            extras = prepared(connection)
            left_out = sorted(set(EXTRAS) - extras)
            if left_out:
                print(f"left out, this server lacks it: {', '.join(left_out)}")  # noqa: T201
            cases = postgresql_cases(arguments.server, extras)
        check(
            connection,
            cases,
            tally,
            size=arguments.cases,
            seed=arguments.seed,
            keep_going=arguments.keep_going,
        )


def _told(tally: Tally, seconds: float) -> str:
    shortest = sorted(tally.disagreements.items())
    return "\n".join(
        (
            *(f"{tally.times[claim]} times:\n{told}\n" for claim, told in shortest),
            f"{tally.cases} cases in {seconds:.0f} s; what the preflight and what the index says:",
            *(
                f"{times:6}  {said}; {index}"
                for (said, index), times in tally.outcomes.most_common()
            ),
            f"{tally.refused} refused by the index, {tally.doubtful} left in doubt",
            f"{tally.counted} counted row by row, {tally.sampled} groups of samples looked at",
            *(f"{times:6}  known: {cause}" for cause, times in tally.causes.most_common()),
            f"{tally.times.total()} disagreements",
        )
    )


def main() -> int:
    """Run, print the tally; 1 where the preflight disagreed."""
    arguments = _arguments()
    tally = Tally(known=() if arguments.known else KNOWN)
    started = time.monotonic()
    try:
        _run(arguments, tally)
    except DisagreementError as error:
        print(f"the smallest that hypothesis found:\n{error}\n")  # noqa: T201
    print(_told(tally, time.monotonic() - started))  # noqa: T201
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
