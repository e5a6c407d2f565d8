"""The drivers that are promised, and how each does its work on one connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import URL, Connection


@dataclass(frozen=True)
class Driver:
    """One driver, as SQLAlchemy names it."""

    name: str
    dialect: str
    is_async: bool = False

    def url(self, url: str) -> URL:
        """The same database by this driver."""
        return make_url(url).set(drivername=f"{self.dialect}+{self.name}")

    @property
    def template(self) -> str:
        """Alembic's template for it."""
        return "async" if self.is_async else "generic"

    def on_one_connection(self, url: str, work: Callable[[Connection], None]) -> None:
        """Do `work` on one connection, in one transaction, which is committed."""
        address = self.url(url)
        if self.is_async:
            asyncio.run(_awaited(address, work))
            return
        engine = create_engine(address, poolclass=NullPool)
        with engine.begin() as connection:
            work(connection)


async def _awaited(address: Any, work: Callable[[Connection], None]) -> None:
    engine = create_async_engine(address, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(work)
    await engine.dispose()


PSYCOPG2 = Driver("psycopg2", "postgresql")
PSYCOPG = Driver("psycopg", "postgresql")
PSYCOPG_ASYNC = Driver("psycopg_async", "postgresql", is_async=True)
ASYNCPG = Driver("asyncpg", "postgresql", is_async=True)
SQLITE3 = Driver("pysqlite", "sqlite")
AIOSQLITE = Driver("aiosqlite", "sqlite", is_async=True)

ON_POSTGRESQL = (PSYCOPG2, PSYCOPG, PSYCOPG_ASYNC, ASYNCPG)
ON_SQLITE = (SQLITE3, AIOSQLITE)
DRIVERS = (*ON_POSTGRESQL, *ON_SQLITE)

GOES_THROUGH = {PSYCOPG: 10, PSYCOPG_ASYNC: 10, ASYNCPG: 5}
"""How often an upsert with a bound ``index_where`` finds its arbiter on one connection; the others: always.

PostgreSQL plans a prepared statement five times for its values (plancache.c: choose_custom_plan). asyncpg prepares at
once, psycopg 3 after five executions (``prepare_threshold``), psycopg2 never; SQLAlchemy writes literals on SQLite.
"""
