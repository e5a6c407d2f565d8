"""Files in, upserts and findings out. Importing this module imports the parser of PostgreSQL's SQL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...findings import CODES
from ...findings.files import unread_file
from ..upsert import Resolution
from .environment_answers import best_answer
from .environments import ScannedEnvironments
from .files import Problem
from .gitignore import GitIgnore
from .ignoring import IgnoreComment, IgnoreComments
from .migration_upserts import upserts_that_ran
from .ran import known_from_runs
from .readers import SUFFIXES, ReadFile
from .report import ScanReport, by_place
from .tree_reader import read_tree
from .walk import find_files

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Container, Iterable, Sequence

    from ...findings import Finding
    from ..upsert import JudgedUpsert, Place, Upsert
    from .cache import ScanCache
    from .environments import ScannedEnvironment
    from .ran import RanUpserts

__all__ = ["Scanner"]


class Scanner:
    """One scan."""

    def __init__(
        self,
        environments: Sequence[ScannedEnvironment],
        ran: RanUpserts | None = None,
    ) -> None:
        """Nothing is scanned yet."""
        self._ran = ran
        self._idle = 0
        self._environments = ScannedEnvironments(environments)
        self._upserts: list[JudgedUpsert] = []
        self._findings: list[Finding] = []
        self._problems: list[Problem] = []
        self._history: dict[Upsert, JudgedUpsert] = {}
        """Those that ran in a migration, held against the schema of their day."""

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
            read_tree(found, self._environments, named=named, cache=cache, progress=progress)
        )
        self._problems += [each for each in outcomes.values() if isinstance(each, Problem)]
        files = {path: read for path, read in outcomes.items() if isinstance(read, ReadFile)}
        ran = upserts_that_ran(found.paths, files, _is_file)
        if migrations:
            from .history import judge_history  # noqa: PLC0415 - not needed where they do not count

            self._history = judge_history(ran, found.paths, _is_file)
        else:
            files = {path: _without(read, ran) for path, read in files.items()}
        # an upsert of one file may have its place, and the comments there, in another
        comments = IgnoreComments([comment for read in files.values() for comment in read.comments])
        for path, read in files.items():
            self._judge(path, read, comments)
        self._findings += [
            unread_file(
                problem.path, problem.reason, problem.line, may_be_newer=problem.may_be_newer
            )
            for problem in self._problems
            if problem.is_unread and not problem.is_suppressed
        ]
        return ScanReport(
            tuple(sorted(self._upserts, key=_place)),
            tuple(sorted(self._findings, key=by_place)),
            tuple(sorted(self._problems, key=lambda problem: problem.path)),
            tuple(sorted(_stale(comments), key=lambda comment: (comment.path, comment.line))),
            comments.every,
            len(found.paths),
            tuple(found.paths),
            None if self._ran is None else self._idle,
            0 if migrations else len(ran),
            frozenset(self._history),
        )

    def _judge(self, path: str, read: ReadFile, comments: IgnoreComments) -> None:
        seen = {} if self._ran is None else self._ran.at_sites(path, read.upserts)
        done: dict[Upsert, None] = {}
        for site in read.upserts:
            if site in self._history:
                self._add(self._history[site], site.place, comments)
                continue
            ran = () if self._is_settled_without_schema(site) else seen.get(site, ())
            known = known_from_runs(site, ran)
            if seen.get(site):  # several calls of one helper are known by the same runs
                known = [upsert for upsert in known if upsert not in done]
                done |= dict.fromkeys(known)
            judged = [best_answer(upsert, self._environments) for upsert in known]
            for each in judged:
                self._add(each, site.place, comments)
            if self._ran is not None and not seen[site]:
                self._idle += not any(self._ran.has(each.upsert) for each in judged)

    def _is_settled_without_schema(self, upsert: Upsert) -> bool:
        """Whether nothing but the schema is unread, and the answer does not depend on it: a test may have its own."""
        if upsert.unread_schema is None or len(upsert.unread) > 1:
            return False
        answer = best_answer(upsert, self._environments)
        return answer.resolution is not Resolution.UNRESOLVED

    def _add(self, judged: JudgedUpsert, place: Place, comments: IgnoreComments) -> None:
        self._upserts.append(judged)
        self._findings += [f for f in judged.findings if not comments.suppress(f, place)]


def _stale(comments: IgnoreComments) -> list[IgnoreComment]:
    """Those that suppress nothing; what only a database brings up is left to the check of it."""
    return [c for c in comments.unused() if c.code not in CODES or _can_be_seen(c.code)]


def _without(read: ReadFile, left_out: Container[Upsert]) -> ReadFile:
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


def _place(judged: JudgedUpsert) -> tuple[str, int, str, int, str]:
    """By place; several at one by what they say, whichever file was named first."""
    place = judged.upsert.place
    written = place.written
    upsert = judged.upsert
    said = f"{upsert.table_name} {upsert.elements} {upsert.where} {upsert.schema}"
    return place.path or "", place.line or 0, written.path or "", written.line or 0, said


def _can_be_seen(code: str) -> bool:
    return "scan" in CODES[code].commands
