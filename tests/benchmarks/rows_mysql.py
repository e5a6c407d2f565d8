"""What the check of the rows costs on MariaDB and MySQL, as a ratio to the unique index build in the same run.

python -m tests.benchmarks.rows_mysql [--rows 1000000] [--rounds 3] [--kind mariadb]

The servers are those of the tests, with their own defaults but for what would reach the disk; the build is on rows
without duplicates.
"""

from __future__ import annotations

import argparse
import statistics
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.catalog.reading import execute
from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.rows import RowsOfKey, read_rows
from tests.mysql.servers import KINDS, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection

KEYS = {
    "bigint, bigint": ("bigint NOT NULL", "i % 1000", "{n}"),
    "varchar, varchar": (
        "varchar(100) NOT NULL",
        "concat('tenant ', i % 1000)",
        "concat('question ', {n})",
    ),
}
DUPLICATES = {
    "clean": "i",
    "1 in 1,000 twice": "if(i % 1000 = 0, i - 1000, i)",
    "every second twice": "if(i > {rows} / 2, i - {rows} / 2, i)",
}


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kind", choices=KINDS, default="mariadb")
    arguments = parser.parse_args()
    with started(arguments.kind) as server:
        version = ".".join(map(str, server.version))
        printed = Printed(
            "key", *DUPLICATES, title=f"{server.kind} {version}, {arguments.rows} rows"
        )
        engine = create_engine(server.database("benchmark"), poolclass=NullPool)
        with engine.connect() as connection:
            for key in KEYS:
                ratios = measured(connection, key, arguments.rows, arguments.rounds)
                printed.add_row(key, *(f"{ratio:.2f}" for ratio in ratios))
        Console().print(printed)


def measured(connection: Connection, key: str, rows: int, rounds: int) -> list[float]:
    """The ratio on each kind of rows, the median of the rounds; each beside a build of its own."""
    tables = {name: f"t{number}" for number, name in enumerate(DUPLICATES)}
    for name, table in tables.items():
        fill(connection, table, key, DUPLICATES[name].format(rows=rows), rows)
    ratios = []
    for table in tables.values():
        each = [ratio(connection, table) for _ in range(rounds)]
        ratios.append(statistics.median(each))
    return ratios


def ratio(connection: Connection, table: str) -> float:
    """The check of the table to the build on clean rows."""
    build = seconds(lambda: execute(connection, "CREATE UNIQUE INDEX uq ON t0 (a, b)"))
    execute(connection, "DROP INDEX uq ON t0")
    return seconds(lambda: check(connection, table)) / build


def fill(connection: Connection, table: str, key: str, number: str, rows: int) -> None:
    """A table of that many rows, in an order that is not the key's."""
    type_, first, second = KEYS[key]
    execute(connection, f"DROP TABLE IF EXISTS {table}")
    execute(
        connection,
        f"CREATE TABLE {table} (id int AUTO_INCREMENT PRIMARY KEY, a {type_}, b {type_}, x varchar(100))",
    )
    digits = "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL "
    digits += (
        "SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
    )
    powers = range(len(str(rows - 1)))
    joined = ", ".join(f"{digits} d{power}" for power in powers)
    counted = " + ".join(f"d{power}.d * {10**power}" for power in powers)
    values = f"{first}, {second.format(n=number)}, repeat('x', 40)"
    execute(
        connection,
        f"INSERT INTO {table} (a, b, x) SELECT {values} FROM "
        f"(SELECT ({counted}) * 7919 % {rows} AS i FROM {joined} WHERE {counted} < {rows}) AS numbers",
    )
    connection.commit()
    execute(connection, f"ANALYZE TABLE {table}").close()


def check(connection: Connection, table: str) -> None:
    """Read the rows as the directive does."""
    target = ConflictTarget((Element("a"), Element("b")))
    read_rows(
        connection,
        RowsOfKey(table=TableName(None, table), target=target, nulls="warn"),
        sample=5,
        reveal=True,
    )


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    start = perf_counter()
    work()
    return perf_counter() - start


if __name__ == "__main__":
    main()
