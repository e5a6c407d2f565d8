"""A small fixed part of the generated keys; ``python -m tests.fuzz`` asks for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .flow import FlowTally, run_flow
from .verdicts import Tally, run
from .world import prepare

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def test_the_check_says_what_the_insert_does(engine: Engine) -> None:
    """Satisfied: the executed upsert goes through; short: it does not."""
    tally = Tally()
    with engine.connect() as connection:
        prepare(connection)
        run(connection, tally, keys=100, seed=1)
    assert not tally.wrong, "\n".join(tally.claims.lines())
    answers = {said for said, _ in tally.verdicts}
    assert {"satisfied", "short"} <= answers


def test_what_is_not_refused_comes_to_rest_and_works(engine: Engine) -> None:
    """Revision, upgrade, check and upsert go through, or the key is refused before the revision is written."""
    tally = FlowTally()
    run_flow(engine, tally, keys=10, seed=1, batch=12)
    assert not tally.wrong, "\n".join(tally.claims.lines())
    assert tally.outcomes["went through"] > 0
