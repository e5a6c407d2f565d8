"""Files in, upserts and findings out. Importing this module imports the parsers.

One process does it all. Of a large tree nearly every file is left after a look at its bytes, so the time goes into
walking and reading. A second process, given the list of files for nothing, saved 0.4 to 1 second of 1.7 to 3.5 at
5,900 and 11,600 files (2 cores, ``python -m tests.benchmarks.scan``); it would cost pickled models, a progress that
comes in lumps, and every model file parsed once a process.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from ...findings import CODES, FindingCode
from ...findings.files import unread_file
from ..declared import DeclaredTables
from .bounds import SECONDS, OutOfTimeError, time_limit
from .files import Problem, chunks_of, read_bytes
from .gitignore import GitIgnore
from .ignoring import IgnoreComment, IgnoreComments, suppresses_whole_file
from .needles import any_may_upsert, may_upsert
from .ran import known_from_runs
from .readers import SUFFIXES, Readers
from .report import ScanReport, by_place
from .resolve import resolve
from .walk import find_files

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from ...findings import Finding
    from ..upsert import JudgedUpsert
    from .ran import RanUpserts
    from .readers import ReadFile

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
        self._tree = ScannedFiles()
        self._readers = Readers(declared or DeclaredTables(()), self._tree)
        self._upserts: list[JudgedUpsert] = []
        self._findings: list[Finding] = []
        self._problems: list[Problem] = []
        self._stale: list[IgnoreComment] = []
        self._comments: list[IgnoreComment] = []
        self._suppressed_files: set[str] = set()
        """Files that do not parse, and say that it is meant."""

    def scan(
        self,
        paths: Iterable[str | os.PathLike[str]],
        progress: Callable[[int, int], None] | None = None,
        exclude: Iterable[str] = (),
    ) -> ScanReport:
        """Return the upserts under `paths`; see :func:`alembic_upsert_guard.upserts.scan.scan`."""
        found = find_files(
            [str(path) for path in paths], SUFFIXES, left_out=GitIgnore(), exclude=exclude
        )
        self._problems += found.problems
        self._tree.paths = tuple(found.paths)
        for done, path in enumerate(found.paths, 1):
            read = self._read(path)
            if isinstance(read, Problem):
                self._problems.append(read)
            elif read is not None:
                self._judge(path, read)
            if progress is not None:
                progress(done, len(found.paths))
        self._findings += [
            unread_file(problem.path, problem.reason, problem.line)
            for problem in self._problems
            if problem.is_unread and problem.path not in self._suppressed_files
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
        )

    def _read(self, path: str) -> ReadFile | Problem | None:
        """What is in a file; None: nothing that matters."""
        source = read_bytes(path)
        if isinstance(source, str):
            return Problem(path, source) if _may_hold_an_upsert(path) else None
        if not path.endswith(SUFFIXES):
            reason = f"it is none of the files that are read: {', '.join(SUFFIXES)}"
            return Problem(path, reason, is_unread=False)
        if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            source = source.decode("utf-16", errors="replace").encode()
        if not may_upsert(source):
            return None
        read = (
            Problem(path, "it is binary") if b"\0" in source else self._readers.read(path, source)
        )
        if isinstance(read, Problem) and suppresses_whole_file(source, FindingCode.UNREAD_FILE):
            self._suppressed_files.add(path)
        return read

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


class ScannedFiles:
    """The files of a scan, searched by their bytes."""

    def __init__(self) -> None:
        """There is none yet."""
        self.paths: tuple[str, ...] = ()

    def files_mentioning(self, word: bytes) -> Iterator[str]:
        """Return the Python files whose bytes hold a word, in the order of the scan."""
        for path in self.paths:
            if path.endswith(".py"):
                source = read_bytes(path)
                if isinstance(source, bytes) and word in source:
                    yield path


def _place(judged: JudgedUpsert) -> tuple[str, int]:
    return judged.upsert.place.path or "", judged.upsert.place.line or 0


def _may_hold_an_upsert(path: str) -> bool:
    """Whether a file that is not read as a whole may matter: it is gone through as far as its time reaches."""
    try:
        with time_limit(SECONDS):
            return any_may_upsert(chunks_of(path))
    except (OSError, OutOfTimeError):
        return True


def _can_be_seen(code: str) -> bool:
    return "scan" in CODES[code].commands
