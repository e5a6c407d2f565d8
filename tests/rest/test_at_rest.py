"""Whatever SQL a key holds: what is said of it is what the insert does, and a revision leaves nothing to be done."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from .flow import Tally, run

CASES = 150


@pytest.mark.filterwarnings("ignore:Expression #")  # Alembic's, of operator classes
def test_generated_keys_come_to_rest(url: str) -> None:
    """create_all and revision, upgrade, check: clean, served, or refused with the shape to write instead."""
    tally = Tally()
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            run(connection, tally, size=CASES)
    finally:
        engine.dispose()
    assert tally.contradicted == []
    assert tally.refused > 0
