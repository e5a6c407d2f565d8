"""Any number of cases on any server: ``python -m tests.stock --cases 3000 --server 18``."""

from __future__ import annotations

import sys
from contextlib import ExitStack

from tests.generated import engine_of, parser_of

from .promises import Tally, check


def main() -> int:
    """Run, print the tally; 1 where declaring was less than stock."""
    parser = parser_of("tests.stock", __doc__, cases=3_000, what="how many models and databases")
    arguments = parser.parse_args()
    tally = Tally()
    with ExitStack() as stack:
        engine = engine_of(arguments, stack)
        connection = stack.enter_context(engine.connect())
        check(connection, tally, size=arguments.cases, seed=arguments.seed)
    for each in tally.broken:
        print(f"{each}\n")  # noqa: T201
    print(  # noqa: T201
        f"{tally.cases} cases, {tally.created} creations of stock's, {tally.served} served after it; "
        f"{tally.refused} declarations refused; {len(tally.broken)} times declaring was less"
    )
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
