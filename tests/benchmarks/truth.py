"""What the upserts of a package mean, as a person read them, and how a scan's answer is held against it.

A file of ``tests/benchmarks/packages`` has the package and its version in its first line, then its files, and under
each its upserts::

    package/module.py
        12 users (email) WHERE deleted_at IS NULL
        40 events ()
        57 - (id) # the table is named at run time
        80, 84 helper
            via 92
            package/service.py:9 users (id) | users CONSTRAINT users_pkey

Line, table, target. ``()``: no target is stated, as in ``ON DUPLICATE KEY UPDATE``. ``-``: it cannot be known from the
source, and the comment gives the reason. ``users?``: the name can be configured, and this is its default.
``?.users``: a schema is named, and which one is a value of run time; table and target are known. Answers
separated by ``|`` are all right: a helper that knows three dialects gives three.

A helper is written once and called from many places: below its lines are its calls, each with what that call means.
``via`` is a call on the way, in which table and keys are still parameters: a scan may report there, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Answer", "Package", "Place", "Site", "Use", "parse", "read_packages"]

UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; the path is relative to the package."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Answer:
    """Table and target."""

    table: str
    target: str

    @property
    def is_known(self) -> bool:
        """Whether the source says both."""
        return self.table != UNKNOWN and not self.target.endswith(UNKNOWN)

    def __str__(self) -> str:
        return f"{self.table} {self.target}"


@dataclass(frozen=True, slots=True)
class Use:
    """Where table and target are decided: the upsert itself, or a call of the helper that has it."""

    place: Place
    answers: frozenset[Answer]

    @property
    def is_known(self) -> bool:
        """Whether the source says what it means."""
        return all(answer.is_known for answer in self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An upsert as it is written: a line with ``on_conflict_do_update``, ``ON CONFLICT`` or the like."""

    place: Place
    is_helper: bool
    uses: tuple[Use, ...]
    """Itself; a helper's calls."""
    via: tuple[Place, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether the source says what it means, for any of its calls."""
        return any(use.is_known for use in self.uses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A version of a package, and every upsert in it."""

    name: str
    version: str
    sites: tuple[Site, ...]


def read_packages(folder: Path) -> list[Package]:
    """Return the packages of a folder, by name."""
    return [parse(path.read_text()) for path in sorted(folder.glob("*.txt"))]


def parse(text: str) -> Package:
    """Return what a file says.

    :raises ValueError: a line is none of the format's.
    """
    lines = [line for line in map(_without_comment, text.splitlines()) if line]
    name, version = lines[0].split()
    return Package(name=name, version=version, sites=tuple(_sites(lines[1:])))


def _without_comment(line: str) -> str:
    return "" if line.startswith("#") else line.partition(" # ")[0].rstrip()


def _sites(lines: list[str]) -> Iterator[Site]:
    path = ""
    for number, line in enumerate(lines):
        match _depth(line):
            case 0:
                path = line
            case 4 if line.endswith(" helper"):
                below = _below(lines[number + 1 :])
                for each in line.removesuffix(" helper").split(","):
                    yield _helper(Place(path, int(each)), below)
            case 4:
                use = _use(path, line.strip())
                yield Site(place=use.place, is_helper=False, uses=(use,))
            case 8:
                continue
            case _:
                raise ValueError(line)


def _below(lines: list[str]) -> list[str]:
    ends = [number for number, line in enumerate(lines) if _depth(line) < 8]
    return [line.strip() for line in lines[: ends[0] if ends else None]]


def _helper(place: Place, below: list[str]) -> Site:
    ways = [line.removeprefix("via ") for line in below if line.startswith("via ")]
    return Site(
        place=place,
        is_helper=True,
        uses=tuple(_use(place.path, line) for line in below if not line.startswith("via ")),
        via=tuple(_place(place.path, way) for way in ways),
    )


def _use(path: str, text: str) -> Use:
    place, _, answers = text.partition(" ")
    return Use(_place(path, place), frozenset(map(_answer, answers.split(" | "))))


def _answer(text: str) -> Answer:
    table, target = text.strip().split(" ", 1)
    return Answer(table.removesuffix("?"), target)


def _place(path: str, text: str) -> Place:
    """A line of this file, or of the one that stands before it."""
    elsewhere, _, line = text.rpartition(":")
    return Place(elsewhere or path, int(line))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
