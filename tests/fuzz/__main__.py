"""Any number of keys on any server, against the real insert: ``python -m tests.fuzz --cases 20000 --server 18``.

``--flow N``: N keys through the whole flow instead: declared, revised, upgraded, at rest, upserted.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.generated import engine_of, parser_of

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


def _print(tally: Tally, seconds: float) -> None:
    for claim, times in tally.wrong.most_common():
        print(f"\n=== {times} times: {claim}")  # noqa: T201
        for told in tally.found[claim]:
            print(f"\n{told}")  # noqa: T201
    print(f"\n{tally.keys} keys in {seconds:.0f} s; said, and the insert:")  # noqa: T201
    for (said, answer), times in tally.verdicts.most_common():
        print(f"{times:7}  {said}; {answer}")  # noqa: T201
    print(f"{tally.refused} of {tally.offered} offers not taken by the server")  # noqa: T201
    for reason, times in tally.skipped.most_common(20):
        print(f"{times:7}  skipped, {reason}")  # noqa: T201
    print(f"{tally.wrong.total()} wrong")  # noqa: T201


def main() -> int:
    """Run, print the tally; 1 where something is wrong."""
    arguments = _arguments()
    started = time.monotonic()
    with ExitStack() as stack:
        engine = engine_of(arguments, stack)
        _hasten(engine)
        tally = Tally()
        with engine.connect() as connection:
            prepare(connection)
            run(
                connection,
                tally,
                keys=arguments.cases,
                seed=arguments.seed,
                only=arguments.only,
            )
    _print(tally, time.monotonic() - started)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
