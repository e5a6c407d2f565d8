"""Files in, upserts and findings out. Importing this module imports the parsers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...findings import CODES
from ...findings.files import unread_file
from .files import Problem
from .gitignore import GitIgnore
from .ignoring import IgnoreComment, IgnoreComments
from .migration_upserts import upserts_that_ran
from .ran import known_from_runs
from .readers import SUFFIXES, ReadFile
from .report import ScanReport, by_place
from .resolve import resolve
from .tree_reader import read_tree
from .walk import find_files

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from ...findings import Finding
    from ..declared import DeclaredTables
    from ..upsert import JudgedUpsert, Upsert
    from .cache import ScanCache
    from .ran import RanUpserts

__all__ = ["Scanner"]


class Scanner:
    """One scan."""

    def __init__(
        self,
        declared: DeclaredTables | None,
        drivers: frozenset[str] = frozenset(),
        ran: RanUpserts | None = None,
    ) -> None:
        """Nothing is scanned yet."""
        self._ran = ran
        self._idle = 0
        self._declared = declared
        self._drivers = drivers
        self._upserts: list[JudgedUpsert] = []
        self._findings: list[Finding] = []
        self._problems: list[Problem] = []
        self._stale: list[IgnoreComment] = []
        self._comments: list[IgnoreComment] = []

    def scan(
        self,
        paths: Iterable[str | os.PathLike[str]],
        progress: Callable[[int, int], None] | None = None,
        exclude: Iterable[str] = (),
        cache: ScanCache | None = None,
        *,
        migrations: bool = True,
    ) -> ScanReport:
        """Return the upserts under `paths`; see :func:`alembic_upsert_guard.upserts.scan.scan`."""
        named = [str(path) for path in paths]
        found = find_files(named, SUFFIXES, left_out=GitIgnore(), exclude=exclude)
        self._problems += found.problems
        outcomes = dict(
            read_tree(found.paths, self._declared, named=named, cache=cache, progress=progress)
        )
        self._problems += [each for each in outcomes.values() if isinstance(each, Problem)]
        reads = {path: read for path, read in outcomes.items() if isinstance(read, ReadFile)}
        ran = upserts_that_ran(found.paths, reads, _is_file)
        for path, read in reads.items():
            self._judge(path, read if migrations else _without(read, ran))
        self._findings += [
            unread_file(problem.path, problem.reason, problem.line)
            for problem in self._problems
            if problem.is_unread and not problem.is_suppressed
        ]
        return ScanReport(
            tuple(sorted(self._upserts, key=_place)),
            tuple(sorted(self._findings, key=by_place)),
            tuple(sorted(self._problems, key=lambda problem: problem.path)),
            tuple(sorted(self._stale, key=lambda comment: (comment.path, comment.line))),
            tuple(self._comments),
            len(found.paths),
            tuple(found.paths),
            None if self._ran is None else self._idle,
            0 if migrations else len(ran),
        )

    def _judge(self, path: str, read: ReadFile) -> None:
        self._comments += read.comments
        comments = IgnoreComments(read.comments)
        seen = {} if self._ran is None else self._ran.at_sites(path, read.upserts)
        for site in read.upserts:
            judged = [
                resolve(upsert, self._declared, self._drivers)
                for upsert in known_from_runs(site, seen.get(site, ()))
            ]
            self._upserts += judged
            self._findings += [
                finding
                for each in judged
                for finding in each.findings
                if not comments.suppress(finding, site.place)
            ]
            if self._ran is not None and not seen[site]:
                self._idle += not any(self._ran.has(each.upsert) for each in judged)
        # what only a database brings up is left to the check of it
        self._stale += [
            comment
            for comment in comments.unused()
            if comment.code not in CODES or _can_be_seen(comment.code)
        ]


def _without(read: ReadFile, left_out: frozenset[Upsert]) -> ReadFile:
    """A file without some of its upserts, and without the comments that are there for them."""
    extents = [u.place.extent for u in read.upserts if u in left_out and u.place.extent]
    return replace(
        read,
        upserts=tuple(upsert for upsert in read.upserts if upsert not in left_out),
        comments=tuple(
            comment
            for comment in read.comments
            if not any(first <= comment.line <= last for first, last in extents)
        ),
    )


def _is_file(path: str) -> bool:
    return Path(path).is_file()


def _place(judged: JudgedUpsert) -> tuple[str, int]:
    return judged.upsert.place.path or "", judged.upsert.place.line or 0


def _can_be_seen(code: str) -> bool:
    return "scan" in CODES[code].commands
