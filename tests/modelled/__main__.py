"""Any number of pairs on any server: ``python -m tests.modelled --cases 2000 --server 18``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.generated import Harness

from .agreement import Tally, check

if TYPE_CHECKING:
    from tests.generated import Run


def _run(run: Run, tally: Tally) -> None:
    check(run.connection(), tally, size=run.arguments.cases, seed=run.arguments.seed)


HARNESS = Harness(
    module="tests.modelled",
    description=__doc__,
    cases=2_000,
    what="pairs, about",
    tally=lambda _: Tally(),
    run=_run,
)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
