"""Any number of keys on any server, against the real insert: ``python -m tests.fuzz --cases 20000 --server 18``.

``--flow N``: N keys through the whole flow instead: declared, revised, upgraded, at rest, upserted.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from tests.generated import Harness

from .flow import FlowTally, run_flow
from .verdicts import Tally
from .verdicts import run as run_verdicts
from .world import prepare

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from tests.generated import Run


def _hasten(engine: Engine) -> None:
    """Nothing here outlives the server: no need to wait for a disk."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("ALTER SYSTEM SET jit = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


def _run(run: Run, tally: Tally | FlowTally) -> None:
    arguments, engine = run.arguments, run.engine()
    _hasten(engine)
    if isinstance(tally, FlowTally):
        run_flow(engine, tally, keys=arguments.flow, seed=arguments.seed, minutes=arguments.minutes)
        return
    with engine.connect() as connection:
        prepare(connection, others=True)
        run_verdicts(
            connection,
            tally,
            keys=arguments.cases,
            seed=arguments.seed,
            only=arguments.only,
            minutes=arguments.minutes,
        )


HARNESS = Harness(
    module="tests.fuzz",
    description=__doc__,
    cases=20_000,
    what="keys, about",
    options={
        "--flow": {"type": int, "default": 0, "help": "how many keys through the whole flow"},
        "--only": {"type": int, "help": "one case by the number that a disagreement gives"},
        "--minutes": {"type": float, "default": math.inf, "help": "stop after these"},
    },
    tally=lambda arguments: FlowTally() if arguments.flow else Tally(),
    run=_run,
)

if __name__ == "__main__":
    sys.exit(HARNESS.main())
