"""Any number of cases on any server: ``python -m tests.agreement --cases 2000 --server 18``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.generated import KEEP_GOING, Harness

from .agreement import Tally, check
from .kinds import EXTRAS
from .known import KNOWN
from .on_postgresql import postgresql_cases, prepared
from .on_sqlite import sqlite_cases

if TYPE_CHECKING:
    from tests.generated import Run


def _run(run: Run, tally: Tally) -> None:
    arguments = run.arguments
    connection = run.connection()
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


HARNESS = Harness(
    module="tests.agreement",
    description=__doc__,
    cases=2_000,
    what="keys, about",
    options={
        "--keep-going": KEEP_GOING,
        "--known": {"action": "store_true", "help": "known disagreements count like all others"},
    },
    tally=lambda arguments: Tally(known=() if arguments.known else KNOWN),
    run=_run,
)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
