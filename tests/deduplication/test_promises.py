"""Deduplication keeps its promises for generated tables; ``python -m tests.deduplication`` asks for more."""

from __future__ import annotations

from sqlalchemy import create_engine

from .postgresql import postgresql_cases, set_up
from .promises import Tally, check
from .sqlite import sqlite_cases

CASES = 60


def test_on_postgresql(url: str) -> None:
    """Kept + archived = before, no orphan, the upsert works, the downgrade restores, the rest is refused.

    Each case in one transaction, and in batches.
    """
    engine = create_engine(url)
    tally = Tally()
    try:
        features = set_up(engine)
        with engine.connect() as connection:
            version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
            check(
                connection,
                postgresql_cases(version // 10_000, features),
                tally,
                size=CASES,
                keep_going=True,
                batch_size=2,
            )
    finally:
        engine.dispose()
    assert not tally.wrong, "\n\n".join(tally.broken.lines())
    assert tally.outcomes["deduplicated"] > CASES / 5, tally.outcomes
    assert tally.outcomes["in batches: deduplicated"] > CASES / 5, tally.outcomes


def test_on_sqlite() -> None:
    """The same of SQLite, with and without enforced foreign keys."""
    engine = create_engine("sqlite://")
    tally = Tally()
    try:
        with engine.connect() as connection:
            check(connection, sqlite_cases(), tally, size=CASES, keep_going=True)
    finally:
        engine.dispose()
    assert not tally.wrong, "\n\n".join(tally.broken.lines())
    assert tally.outcomes["deduplicated"] > CASES / 5, tally.outcomes
