"""Declaring is never less than stock autogenerate; ``python -m tests.stock`` asks for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from .promises import Tally, check

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

CASES = 60


def _holds(connection: Connection) -> None:
    tally = Tally()
    check(connection, tally, size=CASES)
    assert tally.created > CASES / 2, "the cases hold something to lose"
    assert tally.broken == []


@pytest.mark.filterwarnings("ignore:autoincrement and existing_autoincrement:UserWarning")
def test_on_postgresql(url: str) -> None:
    """Where stock's migration makes the upsert work, ours does, too, and leaves nothing to do."""
    engine = create_engine(url)
    with engine.connect() as connection:
        _holds(connection)
    engine.dispose()


def test_on_sqlite() -> None:
    """No creation of stock's is taken out."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        _holds(connection)
    engine.dispose()
