"""Any number of cases on any server: ``python -m tests.stock --cases 3000 --server 18``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.generated import Harness

from .promises import Tally, check

if TYPE_CHECKING:
    from tests.generated import Run


def _run(run: Run, tally: Tally) -> None:
    check(run.connection(), tally, size=run.arguments.cases, seed=run.arguments.seed)


HARNESS = Harness(
    module="tests.stock",
    description=__doc__,
    cases=3_000,
    what="models and databases",
    tally=lambda _: Tally(),
    run=_run,
)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
