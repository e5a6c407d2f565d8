"""Any number of cases on any server: ``python -m tests.planner --cases 20000 --server 18``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.generated import KEEP_GOING, Harness

from .agreement import Tally, check
from .schemas import postgresql_cases, sqlite_cases

if TYPE_CHECKING:
    from tests.generated import Run


def _run(run: Run, tally: Tally) -> None:
    arguments = run.arguments
    check(
        run.connection(),
        sqlite_cases() if arguments.sqlite else postgresql_cases(arguments.server),
        tally,
        size=arguments.cases,
        seed=arguments.seed,
        keep_going=arguments.keep_going,
    )


HARNESS = Harness(
    module="tests.planner",
    description=__doc__,
    cases=20_000,
    what="targets, about",
    options={"--keep-going": KEEP_GOING},
    tally=lambda _: Tally(),
    run=_run,
)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
