"""A project as ``alembic init`` writes it for a driver, with the lines filled in that a user fills in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.drivers import DRIVERS, PSYCOPG2, SQLITE3, Driver
from tests.scenarios.test_templates import InitialisedProject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from tests.fork_server import ForkServer

CONNECTED_BY = "sqlalchemy.url = "


@dataclass
class DriverProject(InitialisedProject):
    """The test looks at the database by psycopg2 or sqlite3; ``alembic`` and the application by the driver."""

    driver: Driver = PSYCOPG2

    def work(self, done: Callable[[Connection], Any]) -> None:
        """Let the application do its work on one connection."""
        self.driver.on_one_connection(self.url, done)

    def in_autocommit(self) -> None:
        """Let env.py connect so that each statement commits."""
        self.edit(
            "alembic.ini", CONNECTED_BY, f"sqlalchemy.isolation_level = AUTOCOMMIT\n{CONNECTED_BY}"
        )


_EACH = [
    pytest.param(
        driver, id=driver.name, marks=() if driver in (PSYCOPG2, SQLITE3) else pytest.mark.slow
    )
    for driver in DRIVERS
]


@pytest.fixture(params=_EACH)
def spine(
    request: pytest.FixtureRequest, tmp_path: Path, fork_server: ForkServer
) -> Iterator[DriverProject]:
    """A project of its own, on a database of its own, by each driver."""
    driver: Driver = request.param
    on_sqlite = driver.dialect == "sqlite"
    url = (
        f"sqlite:///{tmp_path / 'database.sqlite'}" if on_sqlite else request.getfixturevalue("url")
    )
    made = DriverProject(
        tmp_path / "project",
        url,
        server=fork_server,
        template=driver.template,
        driver=driver,
    )
    made.connect_to(driver.url(url).render_as_string(hide_password=False))
    made.target("models.Base.metadata")
    yield made
    made.dispose()
