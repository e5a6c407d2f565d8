"""How long the longest writer waits while duplicates go, in one transaction and in batches; and ten kills.

python -m tests.benchmarks.deduplication [--rows 10000000] [--surplus 1000000] [--writers 2] [--server 18]

A table of so many rows with distinct keys and so many surplus ones, and a table with a tenth as many rows that refers
to it. pgbench writes one row at a time, 200 transactions a second for each writer, while a real ``alembic upgrade``
moves the surplus rows to an archive and the references to the rows that stay. A stall is the longest that one statement
took; the load is the machine's, of the last minute of the run. At last the upgrade is killed ten times, each time with
a further eleventh of the rows archived, and run to its end: each row that was there or was written is then there once,
in the table or in the archive.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from time import perf_counter

from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import text

from tests.benchmarks.online import Bench
from tests.online.revisions import revision
from tests.planner.servers import add_server_options, server_of

WRITES = (
    "INSERT INTO answers (tenant, n, note) VALUES (1, nextval('numbers'), 'new');\n",
    "\\set id random(1, :rows)\nUPDATE answers SET note = 'changed' WHERE id = :id;\n",
)

DIRECTIVE = (
    "op.deduplicate_upsert_key('answers', ['tenant', 'n'], keep='first', order_by=[], archive_table='archive', "
    "repoint=True{options})"
)

KILLS = 10


@dataclass(frozen=True, slots=True)
class Way:
    """One line of the table."""

    label: str
    options: str | None
    """Of the directive; None: nothing runs."""


WAYS = (
    Way("nothing", None),
    Way("one transaction", ""),
    Way("batch_size=10_000", ", batch_size=10_000"),
    Way("batch_size=1_000", ", batch_size=1_000"),
    Way("batch_size=1_000, pause=0.05", ", batch_size=1_000, pause=0.05"),
)


def main() -> None:
    """Print milliseconds and seconds, and what the ten kills have left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--surplus", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=2)
    add_server_options(parser)
    arguments = parser.parse_args()
    with server_of(arguments) as (url, folder):
        bench = Deduplications(url, folder, arguments.rows, arguments.writers)
        bench.surplus = arguments.surplus
        try:
            report(bench)
        finally:
            bench.close()


def report(bench: Deduplications) -> None:
    printed = Printed(
        title=f"{bench.rows:,} rows, {bench.surplus:,} surplus, {bench.writers} writers"
    )
    headings = ("what runs", "longest stall, ms", "upgrade, s", "x one transaction", "load")
    for heading in headings:
        printed.add_column(heading, justify="left" if heading == "what runs" else "right")
    whole = 0.0
    for way in WAYS:
        stall, seconds = bench.measure(way)
        whole = seconds if way.options == "" else whole
        ratio = f"{seconds / whole:.2f}" if way.options is not None else ""
        shown = f"{seconds:.1f}" if way.options is not None else ""
        load = f"{os.getloadavg()[0]:.1f}"
        printed.add_row(way.label, f"{stall:,.0f}", shown, ratio, load)
        print(way.label, f"{stall:,.0f} ms", shown, load, flush=True)  # noqa: T201 - it takes long
    Console(width=100).print(printed)
    print(bench.killed())  # noqa: T201


class Deduplications(Bench):
    """The table, what refers to it, and who writes meanwhile."""

    surplus: int

    def fill(self) -> None:
        """Make the tables again, as they are before each run."""
        self.sql(
            "DROP TABLE IF EXISTS archive, visits, answers, alembic_version",
            "DROP SEQUENCE IF EXISTS numbers",
        )
        super().fill()
        self.sql(
            "INSERT INTO answers (tenant, n, note) SELECT tenant, n, 'twice' FROM answers "
            f"WHERE n <= {self.surplus}",
            "CREATE TABLE visits (id bigint PRIMARY KEY, answer_id bigint NOT NULL REFERENCES answers)",
            f"INSERT INTO visits SELECT i, 1 + mod(i * 11, {self.rows + self.surplus}) "
            f"FROM generate_series(1, {self.rows // 10}) AS i",
            "CREATE INDEX ON visits (answer_id)",
            "VACUUM (ANALYZE) answers",
            "VACUUM (ANALYZE) visits",
            "CHECKPOINT",
        )

    def measure(self, way: Way) -> tuple[float, float]:
        """Return the longest stall in milliseconds, and the upgrade's seconds."""
        self.fill()
        seconds = 0.0
        with self.at_work("writer", self.writers, WRITES) as longest_write:
            if way.options is None:
                time.sleep(10)
            else:
                revision(self.project, DIRECTIVE.replace("{options}", way.options))
                began = perf_counter()
                self.project.upgrade()
                seconds = perf_counter() - began
        if way.options is not None:
            self.hold()
        return longest_write(), seconds

    def killed(self) -> str:
        """Return what is there after ten kills and one upgrade that ends."""
        self.fill()
        revision(self.project, DIRECTIVE.replace("{options}", ", batch_size=1_000"))
        left = []
        with self.at_work("writer", self.writers, WRITES):
            for kill in range(1, KILLS + 1):
                self.kill_at(kill * self.surplus // (KILLS + 1))
                left.append(self.archived())
            self.project.upgrade()
        self.hold()
        return f"killed with {', '.join(f'{rows:,}' for rows in left)} rows archived; nothing lost"

    def kill_at(self, rows: int) -> None:
        """Kill the upgrade when so many rows are archived."""
        upgrade = subprocess.Popen(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=self.project.path,
            env={**os.environ, "PROJECT_URL": self.url, "PYTHONPATH": "."},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while self.archived() < rows:
            assert upgrade.poll() is None, "it ended before it was killed"
            time.sleep(0.2)
        upgrade.kill()
        upgrade.wait()

    def archived(self) -> int:
        """As the server's statistics have it."""
        return int(
            self._scalar("SELECT sum(n_tup_ins) FROM pg_stat_user_tables WHERE relname = 'archive'")
        )

    def hold(self) -> None:
        """Hold what is there against what was there."""
        written = self._scalar(
            "SELECT last_value - 1 FROM answers_id_seq"
        )  # each writer's last may be undone
        kept = self._scalar("SELECT count(*) FROM answers")
        archived = self._scalar("SELECT count(*) FROM archive")
        lost = written + 1 - kept - archived
        assert 0 <= lost <= self.writers, (written, kept, archived)
        assert archived == self.surplus, archived
        twice = "SELECT count(*) FROM archive JOIN answers USING (id)"
        assert not self._scalar(twice), "in the table and in the archive"
        orphans = (
            "SELECT count(*) FROM visits LEFT JOIN answers a ON a.id = answer_id WHERE a.id IS NULL"
        )
        assert not self._scalar(orphans), "a reference to nothing"

    def _scalar(self, query: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.scalar(text(query)) or 0)


if __name__ == "__main__":
    main()
