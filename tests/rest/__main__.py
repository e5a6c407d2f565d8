"""Any number of keys on any server: ``python -m tests.rest --cases 1000 --server 18``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.generated import Harness

from .flow import Tally
from .flow import run as run_flow

if TYPE_CHECKING:
    from tests.generated import Run


def _run(run: Run, tally: Tally) -> None:
    run_flow(run.connection(), tally, size=run.arguments.cases, seed=run.arguments.seed)


HARNESS = Harness(
    module="tests.rest",
    description=__doc__,
    cases=1000,
    what="keys, about",
    tally=lambda _: Tally(),
    run=_run,
)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
