"""Any number of keys on any server, against the real insert: ``python -m tests.fuzz --cases 20000 --server 18``.

``--flow N``: N keys through the whole flow instead: declared, revised, upgraded, at rest, upserted.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.generated import engine_of, parser_of

from .flow import FlowTally, run_flow
from .verdicts import Tally, run
from .world import prepare

if TYPE_CHECKING:
    import argparse

    from sqlalchemy.engine import Engine


def _arguments() -> argparse.Namespace:
    parser = parser_of("tests.fuzz", __doc__, cases=20_000, what="how many keys, about")
    parser.add_argument("--flow", type=int, default=0, help="how many keys through the whole flow")
    parser.add_argument("--only", type=int, help="one case by the number that a disagreement gives")
    return parser.parse_args()


def _hasten(engine: Engine) -> None:
    """Nothing here outlives the server: no need to wait for a disk."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("ALTER SYSTEM SET jit = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


def _print_found(wrong: Counter[str], found: dict[str, list[str]]) -> None:
    for claim, times in wrong.most_common():
        print(f"\n=== {times} times: {claim}")  # noqa: T201
        for told in found.get(claim, ()):
            print(f"\n{told}")  # noqa: T201
    print()  # noqa: T201


def _print_counts(counts: Counter[str], most: int = 20) -> None:
    for what, times in counts.most_common(most):
        print(f"{times:7}  {what}")  # noqa: T201


def _verdicts(engine: Engine, arguments: argparse.Namespace) -> int:
    tally = Tally()
    with engine.connect() as connection:
        prepare(connection, others=True)
        run(connection, tally, keys=arguments.cases, seed=arguments.seed, only=arguments.only)
    _print_found(tally.wrong, tally.found)
    print(f"{tally.keys} keys; said, and the insert:")  # noqa: T201
    _print_counts(Counter({f"{s}; {a}": n for (s, a), n in tally.verdicts.items()}))
    print(f"skipped, with {tally.refused} of {tally.offered} offers not taken:")  # noqa: T201
    _print_counts(tally.skipped)
    return tally.wrong.total()


def _flows(engine: Engine, arguments: argparse.Namespace) -> int:
    tally = FlowTally()
    run_flow(engine, tally, keys=arguments.flow, seed=arguments.seed)
    _print_found(tally.wrong, tally.found)
    print(f"{tally.keys} keys through the flow:")  # noqa: T201
    _print_counts(tally.outcomes)
    print("skipped:")  # noqa: T201
    _print_counts(tally.skipped)
    return tally.wrong.total()


def main() -> int:
    """Run, print what was found; 1 where something is wrong."""
    arguments = _arguments()
    started = time.monotonic()
    with ExitStack() as stack:
        engine = engine_of(arguments, stack)
        _hasten(engine)
        wrong = (_flows if arguments.flow else _verdicts)(engine, arguments)
    print(f"{wrong} wrong, in {time.monotonic() - started:.0f} s")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
