"""How long it takes from `pip install` to the first true finding, in a fresh environment, with models and without.

python -m tests.benchmarks.first_finding [--wheel FILE] [--cached]

The wheel is built from this tree where none is named. pip has nothing in its cache, unless ``--cached`` says that it
may use the user's. Making the virtual environment is not counted.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from rich.console import Console
from sqlalchemy import create_engine

from tests.planner.servers import VERSIONS, embedded_server
from tests.strangers import STRANGERS, Stranger, built_wheel, walk


def main() -> None:
    """Print the seconds of each command, and whether the finding is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--cached", action="store_true")
    parser.add_argument("--server", type=int, choices=VERSIONS, default=18)
    arguments = parser.parse_args()
    if not arguments.cached:
        os.environ["PIP_NO_CACHE_DIR"] = "1"
    with (
        tempfile.TemporaryDirectory(prefix="guard") as name,
        embedded_server(arguments.server, Path(name)) as url,
    ):
        folder = Path(name)
        wheel = (arguments.wheel or built_wheel(folder)).absolute()
        for stranger in STRANGERS:
            report(stranger, folder / stranger.name.replace(" ", "-"), wheel, url)


def report(stranger: Stranger, folder: Path, wheel: Path, url: str) -> None:
    """The lines of one stranger."""
    folder.mkdir()
    if stranger.schema:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(stranger.schema)
        engine.dispose()
    steps = walk(stranger, folder, wheel, url)
    console = Console(highlight=False)
    for step in steps:
        console.print(f"{step.seconds:6.1f} s  {step.command}", markup=False)
    is_found = all(line in steps[-1].printed for line in stranger.found)
    total = sum(step.seconds for step in steps)
    ending = "the finding is there" if is_found else f"it is not found:\n{steps[-1].printed}"
    console.print(f"{total:6.1f} s  {stranger.name}: {ending}\n", markup=False)


if __name__ == "__main__":
    main()
