"""Any number of cases on any server: ``python -m tests.planner --cases 20000 --server 18``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import create_engine

from alembic_upsert_guard.inference import State

from .agreement import DisagreementError, Tally, check
from .schemas import postgresql_cases, sqlite_cases
from .servers import VERSIONS, embedded_server


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.planner", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="how many targets, about")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--server", type=int, choices=VERSIONS, default=18, help="PostgreSQL's")
    where.add_argument("--sqlite", action="store_true", help="SQLite instead of PostgreSQL")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="where downloaded servers stay")
    parser.add_argument(
        "--keep-going", action="store_true", help="count disagreements, shrink none of them"
    )
    return parser.parse_args()


def _run(arguments: argparse.Namespace, tally: Tally) -> None:
    with ExitStack() as stack:
        if arguments.sqlite:
            cases = sqlite_cases()
            engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
        else:
            cases = postgresql_cases(arguments.server)
            temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guard")))
            url = stack.enter_context(
                embedded_server(arguments.server, (arguments.cache or temporary).absolute())
            )
            engine = create_engine(url)
        stack.callback(engine.dispose)
        connection = stack.enter_context(engine.connect())
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
