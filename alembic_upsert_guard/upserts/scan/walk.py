"""The files of a tree that may hold upserts, and what kept others from being read.

``os.walk`` would not do: it says nothing of a folder that cannot be read, follows every link or none, and walks a
folder again for each link to it.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .files import Problem, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LeftOut", "SourceFiles", "find_files"]

_SKIPPED = frozenset({"__pycache__", "node_modules"})


class LeftOut(Protocol):
    """What a walk asks, besides its own rules; :class:`.gitignore.GitIgnore` is one."""

    def leaves_out(self, path: str, *, is_folder: bool, start: str) -> bool:
        """Return whether a file, or a folder with all that is in it, is left out of a walk from `start`."""


@dataclass(slots=True)
class SourceFiles:
    """What a walk found."""

    paths: list[str] = field(default_factory=list)
    """As they were asked for: relative where the path was; each file once."""
    problems: list[Problem] = field(default_factory=list)
    listings: list[tuple[str, list[str]]] = field(default_factory=list)
    """Each folder that was walked, and the names in it but for hidden ones and caches, be they scanned or not."""


def find_files(
    paths: Iterable[str],
    suffixes: tuple[str, ...],
    *,
    left_out: LeftOut | None = None,
    exclude: Iterable[str] = (),
) -> SourceFiles:
    """Return the files under `paths` with one of `suffixes`, sorted; a file that is named itself has any.

    Left out, unless named themselves: hidden folders, ``node_modules``, ``__pycache__``, virtual environments, what
    `left_out` says and what `exclude` names. A link out of all `paths` is not followed. One to a folder inside is
    followed once the folders themselves were walked, and a folder is walked once.

    :param left_out: None: nothing more is left out.
    :param exclude: names, or absolute paths, with the wildcards of :mod:`fnmatch`; a folder's leaves out all that is
     in it.
    """
    named = list(paths)
    walk = _Walk(suffixes, named, left_out, tuple(exclude))
    for path in named:
        walk.start(path)
    walk.follow_links()
    walk.found.paths.sort()
    walk.found.problems.sort(key=lambda problem: problem.path)
    return walk.found


class _Walk:
    def __init__(
        self,
        suffixes: tuple[str, ...],
        named: Iterable[str],
        left_out: LeftOut | None,
        exclude: tuple[str, ...],
    ) -> None:
        self.found = SourceFiles()
        self._suffixes = suffixes
        self._roots = [Path(path).resolve() for path in named]
        self._left_out = left_out
        self._exclude = tuple(pattern.rstrip("/") for pattern in exclude)
        self._folders: set[tuple[int, int]] = set()
        self._files: set[tuple[int, int]] = set()
        self._links: list[tuple[str, str]] = []

    def start(self, path: str) -> None:
        """Walk a path that was named: nothing about its own name leaves it out."""
        try:
            status = Path(path).stat()
        except OSError as error:
            self._problem(path, error)
            return
        if stat.S_ISDIR(status.st_mode):
            self._walk(path, path)
        else:
            self._add(path)

    def follow_links(self) -> None:
        """Walk the folders that links lead to, but for those that were walked under their own names."""
        while self._links:
            link, start = self._links.pop(0)
            if self._leads_above(link):
                self._leave_out(link, "it is a link to a folder that it is in, and is not followed")
            else:
                self._walk(link, start)

    def _leads_above(self, link: str) -> bool:
        return Path(link).parent.resolve().is_relative_to(Path(link).resolve())

    def _walk(self, folder: str, start: str) -> None:
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            try:
                status = Path(folder).stat()
                if (status.st_dev, status.st_ino) in self._folders:
                    continue
                self._folders.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as entries:
                    inside = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self._problem(folder, error)
                continue
            names = [e.name for e in inside if e.name not in _SKIPPED and e.name[:1] != "."]
            self.found.listings.append((folder, names))
            waiting += self._sort_entries(inside, start)

    def _sort_entries(self, entries: Iterable[os.DirEntry[str]], start: str) -> list[str]:
        """Take up the files and links, and return the folders."""
        folders: list[str] = []
        for entry in entries:
            try:
                is_folder = entry.is_dir()
            except OSError as error:
                if not entry.is_symlink():
                    self._problem(entry.path, error)
                    continue
                is_folder = False  # a link in a circle leads nowhere
            if not self._is_wanted(entry, start, is_folder=is_folder):
                continue
            if not is_folder:
                self._add(entry.path)
            elif entry.is_symlink():
                self._links.append((entry.path, start))
            else:
                folders.append(entry.path)
        return folders

    def _is_wanted(self, entry: os.DirEntry[str], start: str, *, is_folder: bool) -> bool:
        if is_folder and _is_left_out(entry):
            return False
        if not is_folder and not entry.name.endswith(self._suffixes):
            return False
        if self._exclude and self._is_excluded(entry):
            return False
        if self._left_out is not None and self._left_out.leaves_out(
            entry.path, is_folder=is_folder, start=start
        ):
            return False
        return not entry.is_symlink() or self._leads_inside(entry.path)

    def _is_excluded(self, entry: os.DirEntry[str]) -> bool:
        names = (entry.name, Path(entry.path).absolute().as_posix())
        return any(fnmatch.fnmatchcase(name, p) for p in self._exclude for name in names)

    def _leads_inside(self, link: str) -> bool:
        try:
            target = Path(link).resolve(strict=True)
        except (OSError, RuntimeError):
            self._leave_out(link, "it is a link that leads nowhere")
            return False
        if not any(target.is_relative_to(root) for root in self._roots):
            self._leave_out(link, "it is a link out of what is scanned, and is not followed")
            return False
        return True

    def _add(self, path: str) -> None:
        try:
            status = Path(path).stat()
        except OSError as error:
            self._problem(path, error)
            return
        if not stat.S_ISREG(status.st_mode):
            # a pipe, a socket or a device holds no source
            self._leave_out(path, "it is no regular file")
            return
        identity = (status.st_dev, status.st_ino)
        if identity not in self._files:
            self._files.add(identity)
            self.found.paths.append(path)

    def _leave_out(self, path: str, reason: str) -> None:
        self.found.problems.append(Problem(path, reason, is_unread=False))

    def _problem(self, path: str, error: OSError) -> None:
        self.found.problems.append(unreadable(path, error))


def _is_left_out(entry: os.DirEntry[str]) -> bool:
    return (
        entry.name.startswith(".")
        or entry.name in _SKIPPED
        or Path(entry.path, "pyvenv.cfg").exists()
    )
