"""pytest's plugin: options and nothing else, until ``--upsert-guard`` asks for the recording.

This module and its package import nothing but pytest itself, which loads it wherever the package is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

__all__ = ["DEFAULT_RECORD", "pytest_addoption", "pytest_configure", "upsert_guard_connection"]

DEFAULT_RECORD = ".upsert_guard/observed.json"
"""Where upserts are written, from pytest's root directory on."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the settings."""
    group = parser.getgroup("upsert-guard", "upserts that the tests run (alembic-upsert-guard)")
    group.addoption(
        "--upsert-guard",
        action="store_true",
        default=None,
        dest="upsert_guard",
        help="record every upsert that the tests run, and fail where the database refuses one's conflict target",
    )
    group.addoption(
        "--no-upsert-guard",
        action="store_false",
        dest="upsert_guard",
        help="record nothing, whatever the setting upsert_guard says",
    )
    group.addoption(
        "--upsert-guard-record",
        metavar="FILE",
        default=None,
        dest="upsert_guard_record",
        help=f"where the upserts are written, from the root directory on (default: {DEFAULT_RECORD})",
    )
    parser.addini("upsert_guard", "record every upsert that the tests run", "bool", default=False)
    parser.addini(
        "upsert_guard_drivers",
        "the drivers that are used without SQLAlchemy, and recorded too: asyncpg, psycopg, psycopg2",
        "args",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Record from here on, where it is asked for; the test modules are imported later."""
    asked = config.getoption("upsert_guard")
    if asked or (asked is None and config.getini("upsert_guard")):
        from .pytest_session import start  # noqa: PLC0415 - whoever asks for it pays for it

        start(config, config.getoption("upsert_guard_record") or DEFAULT_RECORD)


@pytest.fixture
def upsert_guard_connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to the migrated database, by pytest-alembic; a project without it defines its own."""
    from .testing import migrated_connection  # noqa: PLC0415 - for the test that takes it

    yield from migrated_connection(request)
