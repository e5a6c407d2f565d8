"""A database of its own with the application's table, by each driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.drivers import DRIVERS, Driver
from tests.observed.accounts import engine_of, prepared
from tests.observed.suites import Suite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Database:
    """A database by one driver."""

    driver: Driver
    url: str
    """By psycopg2 or sqlite3."""

    def work(self, done: Callable[[Connection], Any]) -> Any:
        """What the application gets for its work on one connection, in one transaction, which is committed."""
        results: list[Any] = []
        self.driver.on_one_connection(self.url, lambda connection: results.append(done(connection)))
        return results[0]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file with the application's table."""
    url = f"sqlite:///{tmp_path / 'database.sqlite'}"
    with engine_of(url).begin() as connection:
        prepared(connection)
    return url


@pytest.fixture
def postgresql_url(url: str) -> str:
    """This test's own PostgreSQL database, with the application's table."""
    with engine_of(url).begin() as connection:
        prepared(connection)
    return url


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.name)
def database(request: pytest.FixtureRequest) -> Database:
    """A database by each driver that is promised."""
    driver: Driver = request.param
    return Database(driver, request.getfixturevalue(f"{driver.dialect}_url"))


@pytest.fixture
def suite(tmp_path: Path, postgresql_url: str) -> Suite:
    """A project whose tests run on this test's own PostgreSQL database."""
    return Suite(tmp_path / "suite", postgresql_url)


@pytest.fixture
def sqlite_suite(tmp_path: Path, sqlite_url: str) -> Suite:
    """A project whose tests run on a SQLite file."""
    return Suite(tmp_path / "suite", sqlite_url)
