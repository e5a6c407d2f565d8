"""How fast a large tree is scanned, as a ratio to parsing every Python file of it in the same run.

python -m tests.benchmarks.scan [--files 5000] [--rounds 3] [--processes 2] [FOLDER ...]

Without folders: the packages of this interpreter, copied as often as it takes to have so many files.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import statistics
import sysconfig
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Printed

from alembic_upsert_guard.upserts.scan import DeclaredTables, scan
from alembic_upsert_guard.upserts.scan.files import read_bytes
from alembic_upsert_guard.upserts.scan.needles import may_upsert
from alembic_upsert_guard.upserts.scan.walk import find_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOTHING = DeclaredTables(())


def main() -> None:
    """Print files a second, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folders = arguments.folders or copies(arguments.files, Path(folder))
        report(folders, arguments.rounds, arguments.processes)


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


def report(folders: Sequence[Path], rounds: int, processes: int) -> None:
    """Scan and parse the same tree, in turn."""
    paths = find_files([str(folder) for folder in folders], (".py",)).paths
    size = sum(Path(path).stat().st_size for path in paths)
    ways: dict[str, Callable[[], object]] = {
        "parse every file": lambda: [parse(path) for path in paths],
        "read every file": lambda: [read_bytes(path) for path in paths],
        "read, and look at the bytes": lambda: [looks_like_one(path) for path in paths],
        "scan": lambda: scan(folders, NOTHING),
        f"scan in {processes} processes": lambda: in_processes(paths, processes),
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            began = perf_counter()
            run()
            taken[way].append(perf_counter() - began)
    found = scan(folders, NOTHING)
    printed = Printed("way", "seconds (median)", "files/s", "x parsing all")
    parsing = statistics.median(taken["parse every file"])
    for way, seconds in taken.items():
        median = statistics.median(seconds)
        printed.add_row(
            way, f"{median:.2f}", f"{len(paths) / median:,.0f}", f"{parsing / median:.1f}"
        )
    Console().print(
        f"{len(paths):,} Python files, {size / 1e6:,.0f} MB, {rounds} rounds; {found.files:,} files scanned, "
        f"{sum(map(looks_like_one, paths)):,} parsed, {len(found.upserts):,} upserts, "
        f"{len(found.problems):,} problems",
        printed,
    )


def parse(path: str) -> ast.Module | None:
    """What a scanner without a look at the bytes would do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(Path(path).read_bytes())
        except (SyntaxError, ValueError):
            return None


def looks_like_one(path: str) -> bool:
    """Whether a file has to be parsed."""
    source = read_bytes(path)
    return isinstance(source, bytes) and may_upsert(source)


def in_processes(paths: Sequence[str], processes: int) -> int:
    """Scan in several processes, in chunks that even them out."""
    chunks = [paths[n :: processes * 4] for n in range(processes * 4)]
    with ProcessPoolExecutor(processes) as pool:
        return sum(pool.map(upserts_in, chunks))


def upserts_in(paths: Sequence[str]) -> int:
    """How many there are."""
    return len(scan(paths, NOTHING).upserts)


if __name__ == "__main__":
    main()
