"""Any number of cases on any server: ``python -m tests.agreement --cases 2000 --server 18``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import create_engine

from tests.planner.servers import VERSIONS, embedded_server

from .agreement import DisagreementError, Tally, check
from .kinds import EXTRAS
from .known import KNOWN
from .on_postgresql import postgresql_cases, prepared
from .on_sqlite import sqlite_cases


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000, help="how many keys, about")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--server", type=int, choices=VERSIONS, default=18, help="PostgreSQL's")
    where.add_argument("--sqlite", action="store_true", help="SQLite instead of PostgreSQL")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="where downloaded servers stay")
    parser.add_argument(
        "--keep-going", action="store_true", help="count disagreements, shrink none of them"
    )
    parser.add_argument(
        "--known", action="store_true", help="known disagreements count like all others"
    )
    return parser.parse_args()


def _run(arguments: argparse.Namespace, tally: Tally) -> None:
    with ExitStack() as stack:
        if arguments.sqlite:
            engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
        else:
            temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guard")))
            url = stack.enter_context(
                embedded_server(arguments.server, (arguments.cache or temporary).absolute())
            )
            engine = create_engine(url)
        stack.callback(engine.dispose)
        connection = stack.enter_context(engine.connect())
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
