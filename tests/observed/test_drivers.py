"""psycopg, psycopg2 and asyncpg without SQLAlchemy: each behind its own switch, against the real server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras
import pytest
from psycopg import sql
from psycopg2 import connect as connect_by_name
from sqlalchemy import make_url

from alembic_upsert_guard import observe
from alembic_upsert_guard.upserts.observed import SentUpsert, UnknownDriverError
from tests.drivers import ASYNCPG, PSYCOPG, PSYCOPG2, PSYCOPG_ASYNC
from tests.observed import accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alembic_upsert_guard.upserts.observed import ObservedUpserts
    from tests.drivers import Driver

ROOT = Path(__file__).parents[2]
HERE = "tests/observed/test_drivers.py"
ON_EMAIL = SentUpsert(schema=None, table="accounts", elements=("email",))
REFUSED = "INSERT INTO accounts (id, email) VALUES (1, 'secret') ON CONFLICT (status) DO NOTHING"
UPSERT = "INSERT INTO accounts (id, email) VALUES ({}, {}) ON CONFLICT (email) DO NOTHING"
PERCENT, DOLLAR = UPSERT.format("%s", "%s"), UPSERT.format("$1", "$2")
ROW = (1, "secret")


@pytest.fixture
def dsn(postgresql_url: str) -> str:
    """The database as the drivers are told of it."""
    url = make_url(postgresql_url)
    return f"host={url.query['host']} port={url.query['port']} user={url.username} dbname={url.database}"


def is_recorded(upserts: ObservedUpserts, count: int = 1, outcome: str = "ok") -> None:
    (upsert,) = upserts
    assert upsert.upsert == ON_EMAIL
    assert (upsert.dialect, upsert.outcome, upsert.count) == ("postgresql", outcome, count)
    assert {place.path for place in upsert.places} == {HERE}


# -- psycopg


def test_psycopg(dsn: str) -> None:
    """A connection's and a cursor's, of text, bytes and ``sql.SQL``, of one row and many."""
    composed = sql.SQL("INSERT INTO {} (id, email) VALUES (%s, %s) ON CONFLICT (email) DO NOTHING")
    with observe(root=ROOT, drivers=["psycopg"]) as upserts, psycopg.connect(dsn) as connection:
        connection.execute(PERCENT, ROW)
        with connection.cursor() as cursor:
            cursor.execute(PERCENT.encode(), ROW)
            cursor.execute(composed.format(sql.Identifier("accounts")), ROW)
            cursor.executemany(PERCENT, [ROW, (2, "another secret")])
        psycopg.ClientCursor(connection).execute(PERCENT, ROW)

    is_recorded(upserts, 5)


def test_psycopg_awaited(dsn: str) -> None:
    """The place is where it is called, though another task runs it."""

    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.execute(PERCENT, ROW)
            async with connection.cursor() as cursor:
                task = asyncio.create_task(cursor.execute(PERCENT, ROW))
                await task
                await cursor.executemany(PERCENT, [ROW])

    with observe(root=ROOT, drivers=["psycopg"]) as upserts:
        asyncio.run(work())

    is_recorded(upserts, 3)


def test_what_is_in_a_pipeline_has_no_outcome_yet(dsn: str) -> None:
    """The server's answer comes when nobody asks any more which statement it is for."""
    with (
        psycopg.connect(dsn) as connection,
        observe(root=ROOT, drivers=["psycopg"]) as upserts,
        connection.pipeline(),
    ):
        connection.execute(PERCENT, ROW)

    is_recorded(upserts, 1, "unknown")


# -- psycopg2


@pytest.mark.parametrize("connect", [psycopg2.connect, connect_by_name])
@pytest.mark.parametrize("factory", [None, psycopg2.extras.DictCursor])
def test_psycopg2(dsn: str, connect: Callable[..., Any], factory: Any) -> None:
    """By whatever name it was imported, and with whatever cursor; rows in the text of ``execute_values`` stay there."""
    many = "INSERT INTO accounts (id, email) VALUES %s ON CONFLICT (email) DO NOTHING"
    with observe(root=ROOT, drivers=["psycopg2"]) as upserts:
        connection = connect(dsn, cursor_factory=factory)
        with connection, connection.cursor() as cursor:
            assert isinstance(cursor, factory or psycopg2.extensions.cursor)
            cursor.execute(PERCENT, ROW)
            cursor.executemany(PERCENT, [ROW, (2, "another secret")])
            psycopg2.extras.execute_values(cursor, many, [(n, f"secret-{n}") for n in range(9, 50)])
        with connection, connection.cursor("named") as cursor:
            cursor.execute("SELECT 'on conflict' FROM accounts")
            assert cursor.fetchone()
        connection.close()

    is_recorded(upserts, 3)


def test_a_connection_of_psycopg2_outlives_the_recording(dsn: str) -> None:
    """It is used on, and nothing is recorded any more."""
    with observe(root=ROOT, drivers=["psycopg2"]) as upserts:
        connection = psycopg2.connect(dsn, connection_factory=psycopg2.extras.DictConnection)
    with connection, connection.cursor() as cursor:
        cursor.execute(PERCENT, ROW)
    connection.close()

    assert list(upserts) == []


# -- asyncpg


def test_asyncpg(dsn: str) -> None:
    """Of a connection, a pool and a prepared statement."""
    host, port, user, database = (each.partition("=")[2] for each in dsn.split())

    async def work() -> None:
        where = {"host": host, "port": int(port), "user": user, "database": database}
        connection = await asyncpg.connect(**where)
        await connection.execute(DOLLAR, *ROW)
        await connection.executemany(DOLLAR, [ROW])
        for fetch in (connection.fetch, connection.fetchrow, connection.fetchval):
            await fetch(DOLLAR + " RETURNING id", *ROW)
        prepared = await connection.prepare(DOLLAR)
        await prepared.fetch(*ROW)
        await prepared.executemany([ROW])
        await connection.close()
        async with asyncpg.create_pool(**where, min_size=1, max_size=1) as pool:
            await pool.execute(DOLLAR, *ROW)
            async with pool.acquire() as pooled:
                await pooled.fetch(DOLLAR, *ROW)

    with observe(root=ROOT, drivers=["asyncpg"]) as upserts:
        asyncio.run(work())

    is_recorded(upserts, 9)


# -- all of them


def by_psycopg(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(REFUSED)


def by_psycopg2(dsn: str) -> None:
    connection = psycopg2.connect(dsn)
    try:
        connection.cursor().execute(REFUSED)
    finally:
        connection.close()


def by_asyncpg(dsn: str) -> None:
    host, port, user, database = (each.partition("=")[2] for each in dsn.split())

    async def work() -> None:
        connection = await asyncpg.connect(host=host, port=int(port), user=user, database=database)
        try:
            await connection.fetch(REFUSED)
        finally:
            await connection.close()

    asyncio.run(work())


REFUSING = {"psycopg": by_psycopg, "psycopg2": by_psycopg2, "asyncpg": by_asyncpg}


@pytest.mark.parametrize("driver", REFUSING)
def test_a_refusal_is_a_finding_and_carries_its_fix(dsn: str, driver: str) -> None:
    """As it does through SQLAlchemy."""
    with observe(root=ROOT, drivers=[driver]) as upserts, pytest.raises(Exception) as raised:  # noqa: PT011 - any driver's
        REFUSING[driver](dsn)

    (finding,) = upserts.findings
    fix = "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_status UNIQUE (status);"
    assert finding.hint.endswith(fix)
    assert all(note.endswith(fix) for note in getattr(raised.value, "__notes__", [fix]))


@pytest.mark.parametrize("driver", REFUSING)
def test_a_driver_that_is_not_asked_for_is_left_alone(dsn: str, driver: str) -> None:
    """Another one is."""
    other = next(each for each in REFUSING if each != driver)
    with observe(root=ROOT, drivers=[other]) as upserts, pytest.raises(Exception) as raised:  # noqa: PT011 - any driver's
        REFUSING[driver](dsn)

    assert list(upserts) == []
    assert not getattr(raised.value, "__notes__", [])


def functions() -> Iterator[tuple[str, Any]]:
    """Every function of the drivers that can be replaced."""
    from asyncpg.prepared_stmt import PreparedStatement  # noqa: PLC0415 - as the instrument imports it

    classes = (psycopg.Cursor, psycopg.AsyncCursor, asyncpg.Connection, PreparedStatement)
    for owner in (*classes, psycopg2):
        for name, value in vars(owner).items():
            if callable(value):
                yield f"{owner.__name__}.{name}", value


def test_after_the_block_the_drivers_are_as_they_were() -> None:
    """Function by function."""
    before = dict(functions())
    with observe(drivers=REFUSING):
        replaced = {name for name, value in functions() if value is not before[name]}
    assert len(replaced) >= 14

    assert dict(functions()) == before


@pytest.mark.parametrize(
    "driver", [PSYCOPG, PSYCOPG_ASYNC, PSYCOPG2, ASYNCPG], ids=lambda d: d.name
)
def test_what_sqlalchemy_sends_is_recorded_once(postgresql_url: str, driver: Driver) -> None:
    """Though its driver is listened to as well."""
    with observe(root=ROOT, drivers=REFUSING) as upserts:
        driver.on_one_connection(postgresql_url, lambda connection: accounts.on_row(connection, 1))

    (upsert,) = upserts
    assert upsert.count == 1


def test_a_driver_that_is_not_known_is_refused() -> None:
    """Before anything is recorded."""
    listed = "there are asyncpg, psycopg, psycopg2"
    with pytest.raises(UnknownDriverError, match=listed), observe(drivers=["sqlite3"]):
        pass
