"""What the check of the rows costs, as a ratio to the unique index build on the same rows in the same run.

python -m tests.benchmarks.rows [--rows 1000000] [--rounds 3] [--key 'bigint, bigint'] [--server 17 --cache FOLDER]

The server in the wheel (16, 18) has no ICU: its two keys are left out there and said so.

The build is the plain one, with the server's own settings, on rows without duplicates: parallel where the server
likes it, and with one process beside it. The check is timed on clean rows, with one row in a thousand a duplicate,
and with every second one.
"""

from __future__ import annotations

import argparse
import resource
import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.rows import RowsOfKey, read_rows
from tests.planner.servers import add_server_options, server_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection

KEYS = {
    "bigint, bigint": "tenant bigint NOT NULL, n bigint NOT NULL",
    "uuid, text": "tenant uuid NOT NULL, n text NOT NULL",
    "text, ICU": 'tenant text COLLATE "en-x-icu" NOT NULL, n text COLLATE "en-x-icu"',
    "text, case-insensitive": "tenant text COLLATE caseless NOT NULL, n text COLLATE caseless",
}
VALUES = {
    "bigint, bigint": "n % 1000, n",
    "uuid, text": "md5((n % 1000)::text)::uuid, 'question ' || n",
    "text, ICU": "'tenant ' || n % 1000, 'question ' || n",
    "text, case-insensitive": "'tenant ' || n % 1000, 'question ' || n",
}
CASELESS = (
    "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
)
DUPLICATES = {
    "clean": "i",
    "1 in 1,000": "CASE WHEN i % 1000 = 0 THEN i - 1 ELSE i END",
    "every second": "CASE WHEN i > {rows} / 2 THEN i - {rows} / 2 ELSE i END",
}


@dataclass(frozen=True)
class Costs:
    """Medians, in seconds."""

    build: float
    serial_build: float
    checks: dict[str, float]


def main() -> None:
    """Print seconds and ratios, and the memory of this process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--key", action="append", choices=KEYS, help="one of them; all by default")
    add_server_options(parser)
    arguments = parser.parse_args()
    with (
        server_of(arguments) as (url, _),
        create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection,
    ):
        report(connection, arguments.key or [*KEYS], arguments.rows, arguments.rounds)
        connection.engine.dispose()


def report(connection: Connection, keys: list[str], rows: int, rounds: int) -> None:
    printed = Printed(title=f"{rows:,} rows, seconds, and x of the parallel / of the serial build")
    for heading in ("key", "build", "serial", *(f"check, {dirt}" for dirt in DUPLICATES)):
        printed.add_column(heading, justify="left" if heading == "key" else "right")
    console = Console(width=160)
    try:
        connection.exec_driver_sql(CASELESS)
    except DBAPIError as error:
        console.print(f"Without collations: {str(error.orig).strip()}.")
        keys = [key for key in keys if "text," not in key]
    for key in keys:
        costs = measure(connection, key, rows, rounds)
        checks = (
            f"{seconds:.2f} (x{seconds / costs.build:.2f} / x{seconds / costs.serial_build:.2f})"
            for seconds in costs.checks.values()
        )
        printed.add_row(key, f"{costs.build:.2f}", f"{costs.serial_build:.2f}", *checks)
    console.print(printed)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    console.print(f"This process never held more than {memory} MB.")


def measure(connection: Connection, key: str, rows: int, rounds: int) -> Costs:
    checks: dict[str, float] = {}
    build = serial_build = 0.0
    for dirt, n in DUPLICATES.items():
        connection.exec_driver_sql("DROP TABLE IF EXISTS answers")
        connection.exec_driver_sql(
            f"CREATE TABLE answers (id bigint GENERATED ALWAYS AS IDENTITY, {KEYS[key]}, note text)"
        )
        connection.exec_driver_sql(
            f"INSERT INTO answers (tenant, n, note) SELECT {VALUES[key]}, repeat('x', 40) "
            f"FROM generate_series(1, {rows}) AS i, LATERAL (SELECT {n.format(rows=rows)}) AS numbered(n) "
            "ORDER BY hashint8(i)".replace("%", "%%")
        )
        connection.exec_driver_sql("ALTER TABLE answers ADD PRIMARY KEY (id)")
        connection.exec_driver_sql("VACUUM (ANALYZE) answers")
        checks[dirt] = median(rounds, lambda: check(connection))
        if dirt == "clean":
            build = median(rounds, lambda: build_index(connection))
            connection.exec_driver_sql("SET max_parallel_maintenance_workers = 0")
            serial_build = median(rounds, lambda: build_index(connection))
            connection.exec_driver_sql("RESET max_parallel_maintenance_workers")
    return Costs(build, serial_build, checks)


def check(connection: Connection) -> float:
    key = RowsOfKey(
        table=TableName(None, "answers"),
        target=ConflictTarget((Element("tenant"), Element("n"))),
        nulls="warn",
    )
    began = perf_counter()
    read_rows(connection, key, sample=5, reveal=True)
    return perf_counter() - began


def build_index(connection: Connection) -> float:
    began = perf_counter()
    connection.exec_driver_sql("CREATE UNIQUE INDEX made ON answers (tenant, n)")
    took = perf_counter() - began
    connection.exec_driver_sql("DROP INDEX made")
    return took


def median(rounds: int, run: Callable[[], float]) -> float:
    return statistics.median(run() for _ in range(rounds))


if __name__ == "__main__":
    main()
