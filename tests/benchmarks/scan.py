"""How fast a tree is scanned and in how much memory, as a ratio to parsing every Python file of it, in turn in one run.

python -m tests.benchmarks.scan [--files 5000] [--rounds 3] [FOLDER ...]

Without folders: the packages of this interpreter, copied as often as it takes to have so many files. Each way is a
process of its own, its start included: parsing a loop that imports nothing else, a scan the command. The wall's seconds
are what a person waits; the processor's are those of all processes together, which a machine that is busy with other
things says nearly the same of; the memory is that of the largest process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Printed

from alembic_upsert_guard.upserts.scan import DeclaredTables, scan, tree_reader
from alembic_upsert_guard.upserts.scan.files import read_bytes
from alembic_upsert_guard.upserts.scan.needles import may_upsert
from alembic_upsert_guard.upserts.scan.walk import find_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOTHING = DeclaredTables(())


def main() -> None:
    """Print seconds, files a second, memory and the ratios; or take one of the ways, in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        WAYS[arguments.way](arguments.folders)
        return
    with tempfile.TemporaryDirectory() as folder:
        folders = arguments.folders or copies(arguments.files, Path(folder) / "copies")
        report(folders, arguments.rounds, Path(folder))


def copies(files: int, into: Path) -> list[Path]:
    """This interpreter's packages, and copies of them until there are enough files."""
    folders = [Path(sysconfig.get_path("purelib"))]
    own = len(find_files([str(folders[0])], (".py",)).paths)
    while own * len(folders) < files:
        copy = into / f"copy{len(folders)}"
        shutil.copytree(folders[0], copy, ignore=lambda _, names: [n for n in names if left_out(n)])
        folders.append(copy)
    return folders


def left_out(name: str) -> bool:
    """Whether a copy does without it."""
    return "." in name and not name.endswith((".py", ".sql", ".js", ".ts"))


# -- ways

PARSE = """
import ast, sys, warnings
warnings.simplefilter("ignore")
with open(sys.argv[1]) as file:
    paths = file.read().splitlines()
for path in paths:
    with open(path, "rb") as file:
        source = file.read()
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        pass
"""
"""What a scanner without a look at the bytes would do, at the least."""


def python_files(folders: Sequence[Path]) -> list[str]:
    """Those that every way looks at."""
    return find_files([str(folder) for folder in folders], (".py",)).paths


def look_at_every_file(folders: Sequence[Path]) -> None:
    """Read, and search the bytes."""
    for path in python_files(folders):
        source = read_bytes(path)
        _ = isinstance(source, bytes) and may_upsert(source)


def scan_in_one_process(folders: Sequence[Path]) -> None:
    """As on systems that copy none."""
    tree_reader.workers_for = lambda _: 1
    scan(folders, NOTHING)


WAYS: dict[str, Callable[[Sequence[Path]], None]] = {
    "read, and look at the bytes": look_at_every_file,
    "scan in one process": scan_in_one_process,
}
"""Those that are no command of their own."""


def commands(folders: Sequence[Path], within: Path) -> dict[str, list[str]]:
    """How each way is run."""
    paths = within / "paths"
    paths.write_text("\n".join(python_files(folders)), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "alembic_upsert_guard",
        "scan",
        "--quiet",
        "--output",
        os.devnull,
    ]
    named = list(map(str, folders))
    return {
        "parse every file": [sys.executable, "-c", PARSE, str(paths)],
        **{way: [sys.executable, "-m", __spec__.name, *named, "--way", way] for way in WAYS},
        "scan": [*command, "--no-cache", *named],
        "scan again, unchanged": [*command, "--cache-dir", str(within / "cache"), *named],
    }


# -- report


@dataclass(frozen=True)
class Measured:
    """What one run of a way took."""

    wall: float
    processor: float
    memory: int
    """Kilobytes."""


def report(folders: Sequence[Path], rounds: int, within: Path) -> None:
    """Take each way in turn, so often."""
    ways = commands(folders, within)
    measure(ways["scan again, unchanged"])
    taken: dict[str, list[Measured]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, command in ways.items():
            taken[way].append(measure(command))
    paths = python_files(folders)
    found = scan(folders, NOTHING)
    parsing = taken["parse every file"]
    printed = Printed("way", "wall, s", "of parsing", "processor, s", "of parsing", "peak, MB")
    for way, measured in taken.items():
        cells = []
        for name in ("wall", "processor"):
            seconds, all_parsed = (
                statistics.median(getattr(each, name) for each in runs)
                for runs in (measured, parsing)
            )
            cells += [f"{seconds:.2f}", f"{seconds / all_parsed:.2f}"]
        peak = max(each.memory for each in measured) / 1024
        printed.add_row(way, *cells, f"{peak:,.0f}")
    size = sum(Path(path).stat().st_size for path in paths)
    Console().print(
        f"{len(paths):,} Python files, {size / 1e6:,.0f} MB, of {rounds} rounds the medians; {found.files:,} files "
        f"scanned, {len(found.upserts):,} upserts, {len(found.problems):,} problems",
        printed,
    )


def measure(command: Sequence[str]) -> Measured:
    """What a process takes, with those that it has.

    :raises SystemExit: it fails; a scan that finds something does not.
    """
    begun = time.perf_counter()
    process = os.posix_spawn(command[0], command, dict(os.environ))
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{' '.join(command[1:])} ended with {os.waitstatus_to_exitcode(status)}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


if __name__ == "__main__":
    main()
