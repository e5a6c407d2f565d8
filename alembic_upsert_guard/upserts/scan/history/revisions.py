"""Alembic's revisions in the order that they state, run as far as the tables go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..bounds import SECONDS, OutOfTimeError, time_limit
from ..files import read_bytes
from ..migrations import revision_depths
from .revision_file import read_revision
from .tables import HistoricTables
from .upgrade import apply_revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .revision_file import RevisionFile

__all__ = ["RevisionTree"]


class RevisionTree:
    """The revisions in the folders of those that upsert, and in the files of the scan."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Nothing is read yet.

        :param paths: every file of the scan.
        """
        self._paths = tuple(path for path in paths if path.endswith(".py"))
        self._folders: dict[str, dict[str, list[RevisionFile]]] = {}
        self._scanned: dict[str, list[RevisionFile]] | None = None
        self._after: dict[str, HistoricTables] = {}
        """The tables behind each revision, by the path of its file."""

    def tables_at(self, path: str, line: int) -> HistoricTables | str:
        """Return the tables as they are when the statement at a line of a revision runs; a `str` is why not.

        :param line: counted from 1.
        """
        found = read_revision(path, _source(path))
        if found is None:
            return "the revision that it is in is not read"
        inside = found.upgrade is not None and (
            found.upgrade.lineno <= line <= (found.upgrade.end_lineno or 0)
        )
        if not inside:
            return "it is not in upgrade(): when it runs is not known"
        before = self._before(found)
        if isinstance(before, str):
            return before
        tables = before.copy()
        try:
            with time_limit(SECONDS):
                self._apply_other_branches(tables, found)
                apply_revision(tables, found, until=line)
        except (OutOfTimeError, RecursionError):
            return "the revision that it is in took too long to read"
        return tables

    def _before(self, file: RevisionFile) -> HistoricTables | str:
        """The tables before a revision."""
        chain: list[RevisionFile] = []
        at = file
        tables: HistoricTables | None = None
        while True:
            if len(at.revision.down) > 1 or not at.is_free:
                return "the revisions before it are of several branches"
            if not at.revision.down:
                break
            below = self._named(at.revision.down[0], os.path.dirname(at.path))  # noqa: PTH120 - as it is spelled
            if below is None or below in chain:
                return f"the revision {at.revision.down[0]} before it is not known"
            if below.path in self._after:
                tables = self._after[below.path].copy()
                break
            chain.append(below)
            at = below
        tables = tables or HistoricTables()
        for each in reversed(chain):
            try:
                with time_limit(SECONDS):
                    apply_revision(tables, each)
            except (OutOfTimeError, RecursionError):
                tables.end("a revision before it took too long to read")
            self._after[each.path] = tables.copy()
        return tables

    def _apply_other_branches(self, tables: HistoricTables, file: RevisionFile) -> None:
        """Doubt what revisions change that are neither before one nor behind it: they may have run."""
        files = self._files_by_name(os.path.dirname(file.path))  # noqa: PTH120 - as it is spelled
        downs = {each.revision.revision: each.revision.down for of in files.values() for each in of}
        before = _reached(file.revision.revision, downs)
        others = [
            each
            for of in files.values()
            for each in of
            if each.revision.revision not in before
            and not before.isdisjoint(reached := _reached(each.revision.revision, downs))
            and file.revision.revision not in reached
        ]
        depths = revision_depths({each.path: each.revision for each in others})
        others.sort(key=lambda each: (depths[each.path], each.path))

        def change(changed: HistoricTables) -> None:
            for each in others:
                apply_revision(changed, each)

        if others:
            tables.perhaps(change, "a revision of another branch may change it before")

    def _files_by_name(self, folder: str) -> dict[str, list[RevisionFile]]:
        if folder not in self._folders:
            self._folders[folder] = _by_name(_files_in(folder))
        return self._folders[folder]

    def _named(self, name: str, folder: str) -> RevisionFile | None:
        """The file of a revision, one of the folder first; None: there is none, or several."""
        found = self._files_by_name(folder).get(name)
        if found is None:
            if self._scanned is None:
                self._scanned = _by_name(self._paths)
            found = self._scanned.get(name, [])
        return found[0] if len(found) == 1 else None


def _reached(name: str, downs: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """A revision, and all before it."""
    found = {name}
    waiting = [name]
    while waiting:
        new = set(downs.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return frozenset(found)


def _by_name(paths: Iterable[str]) -> dict[str, list[RevisionFile]]:
    found: dict[str, list[RevisionFile]] = {}
    for path in paths:
        read = read_revision(path, _source(path))
        if read is not None:
            found.setdefault(read.revision.revision, []).append(read)
    return found


def _files_in(folder: str) -> Iterator[str]:
    try:
        names = sorted(entry.name for entry in Path(folder or ".").iterdir())
    except OSError:
        return
    yield from (os.path.join(folder, name) for name in names if name.endswith(".py"))  # noqa: PTH118 - as spelled


def _source(path: str) -> bytes:
    source = read_bytes(path)
    return source if isinstance(source, bytes) else b""
