"""The matrix of versions: one cell is run, what it came to is written down, and a page is made of all cells.

python -m tests.matrix run --cell newest --server 18 --results FOLDER [--cache FOLDER] -- [pytest's arguments]
python -m tests.matrix table --results FOLDER --cells NAME...
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.planner.servers import VERSIONS, server_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

PAGE = Path(__file__).parents[1] / "docs" / "matrix.md"
_PAGE = """\
# What is tested together

Each row is one run of the tests against the built wheel, in an environment of its own, on a PostgreSQL server of its
own. `nox -t matrix` runs them all and writes this page; nothing on it is written by hand. *spine* stands for what
depends on versions: the rules of inference, the declarations, and whole projects under the `alembic` command.

| Python | Alembic | SQLAlchemy | PostgreSQL | tests | passed | skipped | on |
|---|---|---|---|---|---|---|---|
{rows}

No test failed in any of them: a run that fails writes no page.{missing}

## What was skipped, and why

{skipped}
"""
_RESULT = "UPSERT_GUARD_RESULT"
"""The cell under way, and where it writes what it came to."""


def main() -> None:
    """Run a cell, or write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("--cell", required=True)
    run.add_argument("--server", type=int, choices=VERSIONS, required=True)
    run.add_argument("--cache", type=Path)
    run.add_argument("arguments", nargs="*")
    run.set_defaults(command=run_cell)
    table = commands.add_parser("table")
    table.add_argument("--cells", nargs="+", required=True, help="all that there are")
    table.set_defaults(command=write_page)
    for command in (run, table):
        command.add_argument("--results", type=Path, required=True)
    arguments = parser.parse_args()
    sys.exit(arguments.command(arguments))


# -- one cell


def run_cell(arguments: argparse.Namespace) -> int:
    """pytest's exit code, on a server of that version and on the installed package."""
    with server_of(arguments) as (url, _):
        result = arguments.results.absolute() / f"{arguments.cell}.json"
        told = json.dumps([arguments.cell, str(result)])
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.matrix", *arguments.arguments],
            check=False,
            env={**os.environ, "DATABASE_URL": url, _RESULT: told},
        )
        return ran.returncode


def pytest_configure() -> None:
    """The package under test is the installed one."""
    import alembic_upsert_guard  # noqa: PLC0415 - the page is made without it

    package = Path(alembic_upsert_guard.__file__).resolve()
    installed = Path(sysconfig.get_path("purelib")).resolve()
    assert package.is_relative_to(installed), f"{package} is not the wheel's"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Write down what the cell came to."""
    if hasattr(config, "workerinput"):
        return
    cell, path = json.loads(os.environ[_RESULT])
    outcomes = terminalreporter.stats
    line = {
        "cell": cell,
        "python": platform.python_version(),
        "alembic": version("alembic"),
        "sqlalchemy": version("sqlalchemy"),
        "postgresql": _server_version(),
        "package": version("alembic-upsert-guard"),
        "folders": [Path(folder).name for folder in config.args],
        "passed": len(outcomes.get("passed", [])),
        "failed": len(outcomes.get("failed", [])) + len(outcomes.get("error", [])),
        "skipped": dict(Counter(_reason(report) for report in outcomes.get("skipped", []))),
        "exit": int(exitstatus),
        "on": time.strftime("%Y-%m-%d"),
    }
    Path(path).write_text(json.dumps(line) + "\n")


def _server_version() -> str:
    from sqlalchemy import create_engine, text  # noqa: PLC0415 - the page is made without it

    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.connect() as connection:
        found = str(connection.scalar(text("SHOW server_version")))
    engine.dispose()
    return found.split(" ", maxsplit=1)[0]


def _reason(report: Any) -> str:
    return str(report.longrepr[2]).removeprefix("Skipped: ")


# -- the page


def write_page(arguments: argparse.Namespace) -> int:
    """0, and the page is written: 1, and it is not, where a cell failed or none has run."""
    cells = [json.loads(path.read_text()) for path in sorted(arguments.results.glob("*.json"))]
    failed = [cell["cell"] for cell in cells if cell["exit"] != 0]
    if failed or not cells:
        sys.stderr.write(f"Failed: {', '.join(failed)}\n" if failed else "No cell has run.\n")
        return 1
    ran = {cell["cell"] for cell in cells}
    PAGE.write_text(page(cells, [name for name in arguments.cells if name not in ran]))
    return 0


def page(cells: Iterable[dict[str, Any]], missing: Sequence[str]) -> str:
    """docs/matrix.md: a row a cell, oldest first, which are missing, and what was skipped."""
    ordered = sorted(cells, key=_age)
    rows = [
        f"| {cell['python']} | {cell['alembic']} | {cell['sqlalchemy']} | {cell['postgresql']} "
        f"| {_extent(cell)} | {cell['passed']:,} | {sum(cell['skipped'].values())} | {cell['on']} |"
        for cell in ordered
    ]
    skipped: dict[str, list[str]] = {}
    for cell in ordered:
        for reason, times in cell["skipped"].items():
            skipped.setdefault(reason, []).append(f"{_told(cell)}: {times}")
    reasons = [f"| {reason} | {'; '.join(where)} |" for reason, where in sorted(skipped.items())]
    return _PAGE.format(
        rows="\n".join(rows),
        missing=f" Not run yet: the cells {', '.join(missing)} of `noxfile.py`." if missing else "",
        skipped="\n".join(["| reason | where |", "|---|---|", *reasons]) if reasons else "Nothing.",
    )


def _extent(cell: dict[str, Any]) -> str:
    return "all" if cell["folders"] == ["tests"] else "spine"


def _told(cell: dict[str, Any]) -> str:
    return f"Alembic {cell['alembic']}, SQLAlchemy {cell['sqlalchemy']}, PostgreSQL {cell['postgresql']}"


def _age(cell: dict[str, Any]) -> list[tuple[int, ...]]:
    names = ("alembic", "sqlalchemy", "python", "postgresql")
    return [tuple(int(part) for part in cell[name].split(".")) for name in names]


if __name__ == "__main__":
    main()
