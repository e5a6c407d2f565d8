"""Any number of pairs on any server: ``python -m tests.modelled --cases 2000 --server 18``."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

from tests.generated import engine_of, parser_of

from .agreement import check


def main() -> int:
    """Run, print the tally; 1 where the upsert did otherwise than ``scan`` said."""
    parser = parser_of("tests.modelled", __doc__, cases=2_000, what="how many pairs, about")
    arguments = parser.parse_args()
    started = time.monotonic()
    with ExitStack() as stack:
        connection = stack.enter_context(engine_of(arguments, stack).connect())
        tally = check(connection, size=arguments.cases, seed=arguments.seed)
    for wrong in tally.wrong[:10]:
        print(f"{wrong}\n")  # noqa: T201
    for (resolution, outcome), times in sorted(tally.outcomes.items()):
        print(f"{times:6}  {resolution}; the upsert: {outcome}")  # noqa: T201
    seconds = time.monotonic() - started
    print(f"{tally.pairs} pairs in {seconds:.0f} s; {len(tally.wrong)} wrong")  # noqa: T201
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
