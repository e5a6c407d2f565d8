"""Write ``docs/neighbours.md`` from a run of these tests: ``python -m tests.neighbours``. Exit 1 where one fails."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.neighbours.page import NEIGHBOURS, PAGE, Neighbour, row, with_hosts, with_rows


class Outcomes:
    """What pytest reports, by the name of the module."""

    def __init__(self) -> None:
        self.passed: dict[str, int] = {}
        self.failed: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        module = Path(report.nodeid.partition("::")[0]).name
        if report.failed:
            self.failed[module] = self.failed.get(module, 0) + 1
        elif report.when == "call" and report.passed:
            self.passed[module] = self.passed.get(module, 0) + 1


def main() -> int:
    """Run, write, and return the exit code."""
    outcomes = Outcomes()
    folder = Path(__file__).parent
    # the page is written by this run, and held against its neighbours by the next
    arguments = ["-q", f"--ignore={folder / 'test_page.py'}", str(folder)]
    code = int(pytest.main(arguments, plugins=[outcomes]))
    if code == 0:
        rows = [_row(neighbour, outcomes) for neighbour in NEIGHBOURS]
        hosts = ["Alembic", "SQLAlchemy", "pytest"]
        versions = [f"{host} {version(host)}" for host in hosts]
        page = with_rows(PAGE.read_text(), rows)
        PAGE.write_text(with_hosts(page, [*versions, f"Python {platform.python_version()}"]))
    return 1 if code else 0


def _row(neighbour: Neighbour, outcomes: Outcomes) -> str:
    passed = outcomes.passed.get(neighbour.module, 0)
    if not passed:
        sys.exit(f"{neighbour.distribution}: nothing ran")
    return row(neighbour, version(neighbour.distribution), passed)


if __name__ == "__main__":
    sys.exit(main())
