"""MariaDB and MySQL servers for the session: the machine's own programs on a socket in a folder, or `MYSQL_URL`'s."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.pool import NullPool

from alembic_upsert_guard.catalog.reading import execute

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("mariadb", "mysql")
SECONDS = 60


class NoServerError(Exception):
    """None can be started here; the message says why."""


@dataclass(frozen=True)
class MySQLServer:
    """A running server of either kind."""

    kind: str
    url: URL
    """Without a database, for a user who may make one."""
    version: tuple[int, ...]

    def execute(self, *statements: str) -> None:
        """As the user who may do everything, outside of any database."""
        engine = create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                execute(connection, statement)

    def database(self, name: str) -> str:
        """The URL of an empty database of that name."""
        self.execute(
            f"DROP DATABASE IF EXISTS `{name}`", f"CREATE DATABASE `{name}` CHARSET utf8mb4"
        )
        url = self.url.set(database=name)
        return url.render_as_string(hide_password=False)


@contextmanager
def started(kind: str) -> Iterator[MySQLServer]:
    """A server of that kind; it is gone afterwards, with all that was in it.

    :raises NoServerError: there is none to start, or `MYSQL_URL` leads to one of the other kind.
    """
    given = os.environ.get("MYSQL_URL")
    if given:
        server = _answering(make_url(given))
        if server.kind != kind:
            raise NoServerError(f"MYSQL_URL leads to {server.kind}")
        yield server
        return
    with tempfile.TemporaryDirectory(prefix="guard") as name:
        folder = Path(name)
        program, options = _installed(kind, folder)
        url = URL.create(
            "mariadb+pymysql" if kind == "mariadb" else "mysql+pymysql",
            "root",
            query={"unix_socket": str(folder / "s"), "charset": "utf8mb4"},
        )
        with (folder / "log").open("w") as log:
            process = subprocess.Popen([program, *options], stdout=log, stderr=log)
        try:
            yield _awaited(url, process, folder)
        finally:
            process.terminate()
            process.wait()


def _installed(kind: str, folder: Path) -> tuple[str, list[str]]:
    """The program and its options, over a data folder that is made here."""
    user = ["--user=root"] if os.geteuid() == 0 else []
    # a server that starts, to install as well, clears its tmpdir, and with it another's temporary tables
    common = ["--no-defaults", *user, f"--datadir={folder / 'data'}", f"--tmpdir={folder}"]
    if kind == "mariadb":
        program = _found("mariadbd")
        _run(
            folder,
            _found("mariadb-install-db"),
            *common,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )
        # what is there is gone with the session: nothing has to reach a disk
        own = ["--innodb-flush-method=nosync", "--innodb-doublewrite=OFF"]
    else:
        program = os.environ.get("UPSERT_GUARD_MYSQLD") or _found("mysqld")
        # it does not say which of the two it is until it is asked: Debian's mysqld may be MariaDB's
        if "MariaDB" in _run(folder, program, "--version"):
            raise NoServerError(f"{program} is MariaDB's; UPSERT_GUARD_MYSQLD names another")
        common.append("--secure-file-priv=NULL")
        _run(folder, program, *common, "--initialize-insecure")
        own = ["--mysqlx=OFF", "--disable-log-bin", "--performance-schema=OFF"]
        own += ["--innodb-flush-method=nosync", "--innodb-doublewrite=OFF"]
    return program, [
        *common,
        *own,
        "--skip-networking",
        "--innodb-flush-log-at-trx-commit=0",
        f"--socket={folder / 's'}",
        f"--pid-file={folder / 'pid'}",
    ]


def _found(program: str) -> str:
    # a user's PATH need not lead to where servers lie
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which(program, path=path)
    if found is None:
        raise NoServerError(f"{program} is not installed")
    return found


def _run(folder: Path, *command: str) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise NoServerError(f"{command[0]} failed: {(ran.stdout + ran.stderr)[-2000:]}")
    return ran.stdout


def _awaited(url: URL, process: subprocess.Popen[bytes], folder: Path) -> MySQLServer:
    for _ in range(SECONDS * 20):
        # it listens where the socket is: a driver that is refused before may leave its own open
        if (folder / "s").exists():
            return _answering(url)
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise NoServerError(f"it does not answer: {(folder / 'log').read_text()[-2000:]}")


def _answering(url: URL) -> MySQLServer:
    """The server behind the URL, by what it says of itself."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        dialect = connection.dialect
        kind = "mariadb" if getattr(dialect, "is_mariadb", False) else "mysql"
        version = tuple(p for p in dialect.server_version_info or () if isinstance(p, int))
    return MySQLServer(kind, url, version)
