"""Any number of cases on any server: ``python -m tests.deduplication --cases 1000 --server 18``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.generated import Harness

from .checking import check
from .killed import Killable
from .postgresql import postgresql_cases, set_up
from .promises import Tally
from .sqlite import sqlite_cases

if TYPE_CHECKING:
    from tests.generated import Run


def _run(run: Run, tally: Tally) -> None:
    arguments = run.arguments
    # a transaction, as in a migration: SERIALIZABLE is what SQLite has unless it is told otherwise
    engine = run.engine(sqlite_isolation="SERIALIZABLE")
    killable = None
    if arguments.batches and not arguments.sqlite:
        killable = Killable(engine.url)
        run.stack.callback(killable.close)
    check(
        run.stack.enter_context(engine.connect()),
        sqlite_cases() if arguments.sqlite else postgresql_cases(arguments.server, set_up(engine)),
        tally,
        size=arguments.cases,
        seed=arguments.seed,
        keep_going=not arguments.reduce,
        largest_batch=arguments.batches,
        killable=killable,
    )


HARNESS = Harness(
    module="tests.deduplication",
    description=__doc__,
    cases=1000,
    what="tables",
    options={
        "--reduce": {"action": "store_true", "help": "stop at the first broken promise, shrink it"},
        "--batches": {
            "type": int,
            "metavar": "ROWS",
            "help": "deduplicate each case in batches of 1 to ROWS rows, too; on PostgreSQL once more by sessions that "
            "are ended between batches and inside of them, and resumed",
        },
    },
    tally=lambda _: Tally(),
    run=_run,
)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
