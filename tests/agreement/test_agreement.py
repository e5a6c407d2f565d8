"""The preflight refuses exactly when the index does; ``python -m tests.agreement`` asks for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine

from .agreement import Tally, check
from .on_postgresql import postgresql_cases, prepared
from .on_sqlite import sqlite_cases

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from sqlalchemy.engine import Connection

    from .tables import Case

CASES = 150


def _agree(connection: Connection, cases: SearchStrategy[Case]) -> None:
    tally = Tally()
    check(connection, cases, tally, size=CASES)
    assert tally.refused > CASES / 5, tally.outcomes
    assert tally.doubtful < CASES / 20, tally.outcomes


def test_on_postgresql(url: str) -> None:
    """Refused or not, how many groups and rows, which rows: all of it is as the index and the rows have it."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            extras = prepared(connection)
            version = connection.dialect.server_version_info[0]  # type: ignore[index]
            _agree(connection, postgresql_cases(version, extras))
    finally:
        engine.dispose()


def test_on_sqlite() -> None:
    """The same of SQLite, as far as it can express it."""
    engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            _agree(connection, sqlite_cases())
    finally:
        engine.dispose()
