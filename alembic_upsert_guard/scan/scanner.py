"""Files in, call sites and findings out. Importing this module imports the parsers.

One process does it all. Of a large tree nearly every file is left after a look at its bytes, so the time goes into
walking and reading. A second process, given the list of files for nothing, saved 0.4 to 1 second of 1.7 to 3.5 at
5,900 and 11,600 files (2 cores, ``python -m tests.benchmarks.scan``); it would cost pickled models, a progress that
comes in lumps, and every model file parsed once a process.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from ..findings import CODES
from .declared import DeclaredTables
from .files import Problem, find_files, read_bytes
from .ignoring import IgnoreComment, accepting
from .needles import may_upsert
from .readers import SUFFIXES, Readers
from .report import ScanReport
from .resolve import resolve

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from ..findings import Finding
    from .callsite import CallSite
    from .readers import Seen

__all__ = ["Scanner"]


class Scanner:
    """One scan."""

    def __init__(
        self, declared: DeclaredTables | None, drivers: frozenset[str] = frozenset()
    ) -> None:
        """Nothing is scanned yet."""
        self._declared = declared
        self._drivers = drivers
        self._readers = Readers(declared or DeclaredTables(()))
        self._call_sites: list[CallSite] = []
        self._findings: list[Finding] = []
        self._problems: list[Problem] = []
        self._stale: list[IgnoreComment] = []
        self._comments: list[IgnoreComment] = []

    def scan(
        self,
        paths: Iterable[str | os.PathLike[str]],
        progress: Callable[[int, int], None] | None = None,
    ) -> ScanReport:
        """Return what stands under `paths`; see :func:`alembic_upsert_guard.scan.scan`."""
        found = find_files([str(path) for path in paths], SUFFIXES)
        self._problems += found.problems
        for done, path in enumerate(found.paths, 1):
            seen = self._see(path)
            if isinstance(seen, Problem):
                self._problems.append(seen)
            elif seen is not None:
                self._take(path, seen)
            if progress is not None:
                progress(done, len(found.paths))
        return ScanReport(
            tuple(sorted(self._call_sites, key=lambda site: (site.path, site.line))),
            tuple(sorted(self._findings, key=_place)),
            tuple(sorted(self._problems, key=lambda problem: problem.path)),
            tuple(sorted(self._stale, key=lambda comment: (comment.path, comment.line))),
            tuple(self._comments),
            len(found.paths),
            tuple(found.paths),
        )

    def _see(self, path: str) -> Seen | Problem | None:
        """What stands in a file; None: nothing does that matters."""
        source = read_bytes(path)
        if isinstance(source, str):
            return Problem(path, source)
        if not path.endswith(SUFFIXES):
            return Problem(path, f"it is none of the files that are read: {', '.join(SUFFIXES)}")
        if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            source = source.decode("utf-16", errors="replace").encode()
        if b"\0" in source:
            return Problem(path, "it is binary")
        return self._readers.see(path, source) if may_upsert(source) else None

    def _take(self, path: str, seen: Seen) -> None:
        self._comments += seen.comments
        # what only a database brings up is left to the check of it
        unused = [c for c in seen.comments if c.code not in CODES or _can_be_seen(c.code)]
        for sighting in seen.sightings:
            resolved = resolve(path, sighting, self._declared, self._drivers)
            self._call_sites.append(resolved.call_site)
            for finding in resolved.findings:
                comment = accepting(finding, sighting, seen.comments)
                if comment is None:
                    self._findings.append(finding)
                elif comment in unused:
                    unused.remove(comment)
        self._stale += unused


def _can_be_seen(code: str) -> bool:
    return "scan" in CODES[code].commands


def _place(finding: Finding) -> tuple[str, int, str]:
    at = finding.location
    return ("", 0, finding.code) if at is None else (at.path, at.line, finding.code)
