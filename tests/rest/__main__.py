"""Any number of keys on any server: ``python -m tests.rest --cases 1000 --server 18``."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

from tests.generated import engine_of, parser_of

from .flow import Tally, run


def main() -> int:
    """Run, print the tally; 1 where a step says something else than the insert, or is not at rest."""
    arguments = parser_of(
        "tests.rest", __doc__, cases=1000, what="how many keys, about"
    ).parse_args()
    tally = Tally()
    started = time.monotonic()
    with ExitStack() as stack:
        connection = stack.enter_context(engine_of(arguments, stack).connect())
        run(connection, tally, size=arguments.cases, seed=arguments.seed)
    for wrong in sorted(set(tally.wrong), key=len):
        print(wrong)  # noqa: T201
    seconds = time.monotonic() - started
    told = f"inserts: {dict(tally.inserts)}; verdicts: {dict(tally.verdicts)}; {tally.refused} refused for ever"
    print(f"{tally.cases} keys in {seconds:.0f} s; {told}; {len(tally.wrong)} wrong")  # noqa: T201
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
