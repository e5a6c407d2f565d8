"""``reveal=False``: no value of a row in an error, in what it was raised from, in a traceback, or in a log."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import TYPE_CHECKING

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import NullPool, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from tests.drivers import ASYNCPG, PSYCOPG, PSYCOPG2
from tests.trust.probes import PROBES, SECRET, Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection

    from tests.drivers import Driver
    from tests.project import Project

DRIVERS = (PSYCOPG2, PSYCOPG, ASYNCPG)


def links(error: BaseException) -> Iterator[BaseException]:
    """The error, and everything that it was raised from or while."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__]


def everything_of(error: BaseException) -> str:
    """Whatever a traceback, a log or an error tracker could show of it."""
    said = traceback.format_exception(error)
    for link in links(error):
        said += [str(link), repr(link), repr(link.args), repr(vars(link))]
        said += [str(getattr(link, name, "")) for name in ("pgerror", "diag", "detail", "orig")]
        said += [str(getattr(getattr(link, "diag", None), "message_detail", ""))]
    return "\n".join(said)


def connected(driver: Driver, url: str, work: Callable[[Connection], None]) -> None:
    """Do `work` on a connection that is in no transaction yet."""
    if not driver.is_async:
        with create_engine(driver.url(url), poolclass=NullPool).connect() as connection:
            work(connection)
        return

    async def awaited() -> None:
        async with create_async_engine(driver.url(url), poolclass=NullPool).connect() as connection:
            await connection.run_sync(work)

    asyncio.run(awaited())


def failure_of(
    project: Project, driver: Driver, probe: Probe, *, reveal: bool, **options: bool
) -> BaseException:
    """The error that a revision with the probe's lines ends with."""
    failures: list[BaseException] = []

    def upgrade(connection: Connection) -> None:
        context = MigrationContext.configure(connection, opts=options)
        try:
            with context.begin_transaction():
                probe.run(Operations(context), reveal)
        except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked at
            failures.append(error)

    project.sql(*probe.database)
    connected(driver, project.url, upgrade)
    (failure,) = failures
    return failure


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_no_value_leaks(
    project: Project, caplog: pytest.LogCaptureFixture, probe: Probe, driver: Driver
) -> None:
    """By the directive's argument, with our own loggers at DEBUG."""
    for logger in ("alembic", "alembic_upsert_guard"):
        caplog.set_level(logging.DEBUG, logger)
    failure = failure_of(project, driver, probe, reveal=False)

    assert probe.shows in str(failure)
    assert SECRET not in everything_of(failure)
    assert SECRET not in caplog.text


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_no_value_leaks_by_the_option(project: Project, probe: Probe) -> None:
    """``upsert_guard_reveal=False`` in ``context.configure()`` holds for every directive, whatever it states itself."""
    failure = failure_of(project, PSYCOPG2, probe, reveal=True, upsert_guard_reveal=False)

    assert probe.shows in str(failure)
    assert SECRET not in everything_of(failure)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_the_value_is_there_to_be_held_back(project: Project, probe: Probe) -> None:
    """The twin: the same failure shows it, in its own text or in what it was raised from."""
    failure = failure_of(project, PSYCOPG2, probe, reveal=True)

    assert SECRET in everything_of(failure)
