"""Any number of cases on any server: ``python -m tests.deduplication --cases 1000 --server 18``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.generated import Harness

from .postgresql import postgresql_cases, set_up
from .promises import Tally, check
from .sqlite import sqlite_cases

if TYPE_CHECKING:
    from tests.generated import Run


def _run(run: Run, tally: Tally) -> None:
    arguments = run.arguments
    # a transaction, as in a migration: SERIALIZABLE is what SQLite has unless it is told otherwise
    engine = run.engine(sqlite_isolation="SERIALIZABLE")
    check(
        run.stack.enter_context(engine.connect()),
        sqlite_cases() if arguments.sqlite else postgresql_cases(arguments.server, set_up(engine)),
        tally,
        size=arguments.cases,
        seed=arguments.seed,
        keep_going=not arguments.reduce,
        batch_size=arguments.batches,
    )


HARNESS = Harness(
    module="tests.deduplication",
    description=__doc__,
    cases=1000,
    what="tables",
    options={
        "--reduce": {"action": "store_true", "help": "stop at the first broken promise, shrink it"},
        "--batches": {"type": int, "help": "deduplicate each case in batches of so many rows, too"},
    },
    tally=lambda _: Tally(),
    run=_run,
)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
