"""A database by its URL, opened for reading with whichever driver is installed."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from ..databases import MARIADB, MYSQL, POSTGRESQL, SQLITE, database_for
from ..errors import UpsertGuardError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.engine import URL, Connection

    from ..databases import Database

__all__ = ["DatabaseURLError", "connect_to", "run_on"]


class DatabaseURLError(UpsertGuardError, ValueError):
    """The URL cannot be used; the message says what to write or to install, and does not repeat the URL."""


@dataclass(frozen=True, slots=True)
class _Driver:
    """One driver of a kind of database."""

    module: str
    """What is imported."""
    name: str
    """SQLAlchemy's, behind the plus sign."""
    package: str
    """What pip installs."""


_POSTGRESQL = (
    _Driver("psycopg2", "psycopg2", "psycopg2-binary"),
    _Driver("psycopg", "psycopg", "psycopg[binary]"),
    _Driver("asyncpg", "asyncpg", "asyncpg"),
)
_MYSQL = (
    _Driver("MySQLdb", "mysqldb", "mysqlclient"),
    _Driver("pymysql", "pymysql", "pymysql"),
    _Driver("mysql.connector", "mysqlconnector", "mysql-connector-python"),
    _Driver("asyncmy", "asyncmy", "asyncmy"),
    _Driver("aiomysql", "aiomysql", "aiomysql"),
)
_DRIVERS: Mapping[str, Sequence[_Driver]] = {
    POSTGRESQL.name: _POSTGRESQL,
    MYSQL.name: _MYSQL,
    MARIADB.name: _MYSQL,
}
"""In the order in which they are looked for. What SQLAlchemy takes for a bare name changes with its version."""

_OFFERED = {POSTGRESQL.name: "psycopg2-binary", MYSQL.name: "pymysql", MARIADB.name: "pymysql"}
"""The package to install where none is, by the kind of database."""

_ALIASES = {"postgres": POSTGRESQL.name}
"""Names that hosting services give, and SQLAlchemy does not take."""

_EXAMPLE = "postgresql://user:password@host/database"


def connect_to(text: str) -> URL:
    """Return the URL with a driver that is installed.

    :raises DatabaseURLError: it does not read as a URL, or no driver for it is installed.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        # the error of some versions repeats the URL
        raise DatabaseURLError(
            f"the URL of the database cannot be read; write it as {_EXAMPLE}"
        ) from error
    if "@" in (url.host or ""):
        raise DatabaseURLError(
            "the user or the password in the URL of the database has an @: write it as %40"
        )
    kind, _, driver = url.drivername.partition("+")
    kind = _ALIASES.get(kind, kind)
    if not driver and kind in _DRIVERS:
        return _with_installed_driver(url, kind)
    url = url.set(drivername=f"{kind}+{driver}" if driver else kind)
    _import_driver(url)
    return url


def _with_installed_driver(url: URL, kind: str) -> URL:
    for driver in _DRIVERS[kind]:
        try:
            importlib.import_module(driver.module)
        except ImportError:  # not there, or the library that it binds is not
            continue
        url = url.set(drivername=f"{kind}+{driver.name}")
        return _for_asyncpg(url) if driver.name == "asyncpg" else url
    raise DatabaseURLError(f"no driver for {kind} is installed: pip install {_OFFERED[kind]}")


def _for_asyncpg(url: URL) -> URL:
    """The URL with what libpq calls ``sslmode`` under asyncpg's name for it."""
    mode = url.query.get("sslmode")
    if mode is None:
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def _import_driver(url: URL) -> None:
    try:
        url.get_dialect().import_dbapi()
    except NoSuchModuleError as error:
        raise DatabaseURLError(
            f"{url.drivername} is no kind of database that SQLAlchemy knows; write the URL as {_EXAMPLE}"
        ) from error
    except ImportError as error:
        package = _package_of(url)
        install = "" if package is None else f": pip install {package}"
        raise DatabaseURLError(
            f"the driver of {url.drivername} is not installed{install}"
        ) from error


def _package_of(url: URL) -> str | None:
    """What pip calls the driver; None: that is not known."""
    kind, _, name = url.drivername.partition("+")
    known = {driver.name: driver.package for driver in _DRIVERS.get(kind, ())}
    return known.get(name, name or _OFFERED.get(kind))


def run_on(url: URL, visit: Callable[[Connection], None]) -> None:
    """Call `visit` on a connection to the database, which is then closed; what it did is rolled back.

    On PostgreSQL its transactions are READ ONLY, each by its own BEGIN: a setting of the session would stay behind in a
    pooled one. A file of SQLite is not made where there is none.

    :raises DatabaseURLError: there is no such file.
    :raises sqlalchemy.exc.DBAPIError: the database cannot be reached, or whatever `visit` raises.
    """
    _require_file(url)
    options: dict[str, Any] = {"poolclass": NullPool}
    if url.get_dialect().is_async:
        _run_async(url, options, visit)
        return
    with create_engine(url, **options).connect() as connection:
        visit(_reading_only(connection))


def _run_async(url: URL, options: Mapping[str, Any], visit: Callable[[Connection], None]) -> None:
    import asyncio  # noqa: PLC0415 - for asynchronous drivers

    try:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - as above
    except ImportError as error:
        raise _greenlet_is_missing(url) from error

    async def run() -> None:
        async with create_async_engine(url, **options).connect() as connection:
            await connection.run_sync(lambda each: visit(_reading_only(each)))

    try:
        asyncio.run(run())
    except ValueError as error:
        # SQLAlchemy says so by this class where its own dependency is left out
        if "greenlet" not in str(error):
            raise
        raise _greenlet_is_missing(url) from error


def _greenlet_is_missing(url: URL) -> DatabaseURLError:
    return DatabaseURLError(f"{url.drivername} needs greenlet: pip install greenlet")


def _reading_only(connection: Connection) -> Connection:
    return _READING_ONLY.get(database_for(connection.dialect), _as_it_is)(connection)


def _postgresql_reading_only(connection: Connection) -> Connection:
    return connection.execution_options(postgresql_readonly=True)


def _sqlite_reading_only(connection: Connection) -> Connection:
    connection.exec_driver_sql("PRAGMA query_only = 1")
    connection.rollback()
    return connection


def _as_it_is(connection: Connection) -> Connection:
    return connection


_READING_ONLY: Mapping[Database, Callable[[Connection], Connection]] = {
    POSTGRESQL: _postgresql_reading_only,
    SQLITE: _sqlite_reading_only,
}


def _require_file(url: URL) -> None:
    name = url.database
    if url.get_backend_name() != SQLITE.name or not name or name == ":memory:":
        return
    if not name.startswith("file:") and not Path(name).is_file():
        raise DatabaseURLError(f"there is no database file {name}")
