"""How fast a tree is scanned and in how much memory, as a ratio to parsing every Python file of it, in turn in one run.

python -m tests.benchmarks.scan [--files 5000] [--rounds 3] [FOLDER ...]

Without folders: the packages of this interpreter, copied as often as it takes to have so many files. Each way is a
process of its own, its start included. The seconds are the processor's, of all processes together, so that a machine
that is busy with other things says nearly the same; the memory is that of the largest process.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import statistics
import sys
import sysconfig
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Printed

from alembic_upsert_guard.upserts.scan import DeclaredTables, scan, tree_reader
from alembic_upsert_guard.upserts.scan.cache import ScanCache
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
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        WAYS[arguments.way](arguments.folders, arguments.cache)
        return
    with tempfile.TemporaryDirectory() as folder:
        folders = arguments.folders or copies(arguments.files, Path(folder) / "copies")
        report(folders, arguments.rounds, Path(folder) / "cache")


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


def python_files(folders: Sequence[Path]) -> list[str]:
    """Those that every way looks at."""
    return find_files([str(folder) for folder in folders], (".py",)).paths


def parse_every_file(folders: Sequence[Path], _: Path) -> None:
    """What a scanner without a look at the bytes would do, at the least."""
    warnings.simplefilter("ignore")
    for path in python_files(folders):
        with suppress(SyntaxError, ValueError):
            ast.parse(Path(path).read_bytes())


def look_at_every_file(folders: Sequence[Path], _: Path) -> None:
    """Read, and search the bytes."""
    for path in python_files(folders):
        source = read_bytes(path)
        _ = isinstance(source, bytes) and may_upsert(source)


def scan_in_one_process(folders: Sequence[Path], _: Path) -> None:
    """As on systems that copy none."""
    tree_reader.workers_for = lambda _: 1
    scan(folders, NOTHING)


def scan_as_it_is(folders: Sequence[Path], _: Path) -> None:
    """With --no-cache."""
    scan(folders, NOTHING)


def scan_again(folders: Sequence[Path], cache: Path) -> None:
    """An unchanged tree; the first of the rounds fills the cache."""
    scan(folders, NOTHING, cache=ScanCache(cache, b"benchmark", ""))


WAYS: dict[str, Callable[[Sequence[Path], Path], None]] = {
    "parse every file": parse_every_file,
    "read, and look at the bytes": look_at_every_file,
    "scan in one process": scan_in_one_process,
    "scan": scan_as_it_is,
    "scan again, unchanged": scan_again,
}


# -- report


def report(folders: Sequence[Path], rounds: int, cache: Path) -> None:
    """Take each way in turn, so often."""
    measure("scan again, unchanged", folders, cache)
    taken: dict[str, list[tuple[float, int]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            taken[way].append(measure(way, folders, cache))
    paths = python_files(folders)
    found = scan(folders, NOTHING)
    printed = Printed("way", "processor seconds (median)", "files/s", "of parsing all", "peak, MB")
    parsing = statistics.median(seconds for seconds, _ in taken["parse every file"])
    for way, measured in taken.items():
        median = statistics.median(seconds for seconds, _ in measured)
        peak = max(memory for _, memory in measured) / 1024
        speed = f"{len(paths) / median:,.0f}"
        printed.add_row(way, f"{median:.2f}", speed, f"{median / parsing:.2f}", f"{peak:,.0f}")
    size = sum(Path(path).stat().st_size for path in paths)
    Console().print(
        f"{len(paths):,} Python files, {size / 1e6:,.0f} MB, {rounds} rounds; {found.files:,} files scanned, "
        f"{len(found.upserts):,} upserts, {len(found.problems):,} problems",
        printed,
    )


def measure(way: str, folders: Sequence[Path], cache: Path) -> tuple[float, int]:
    """The processor's seconds of a process and of those that it had, and the kilobytes of the largest one."""
    command = [sys.executable, "-m", __spec__.name, *map(str, folders)]
    process = os.posix_spawn(
        sys.executable, [*command, "--way", way, "--cache", str(cache)], dict(os.environ)
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{way} ended with {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


if __name__ == "__main__":
    main()
