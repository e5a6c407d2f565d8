"""The files of a tree that may hold call sites, and what stood in the way of others."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LARGEST", "Problem", "SourceFiles", "find_files", "read_bytes"]

LARGEST = 8 * 1024 * 1024
"""Bytes of a file that is read; a syntax tree of such a file takes about a hundred times as many."""

_SKIPPED = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that was not scanned, and why. The rest was."""

    path: str
    reason: str
    """In words, without a full stop."""
    line: int | None = None
    """Counted from 1; None: it is about the whole of it."""


@dataclass(slots=True)
class SourceFiles:
    """What a walk found."""

    paths: list[str] = field(default_factory=list)
    """As they were asked for: relative where the path was; each file once."""
    problems: list[Problem] = field(default_factory=list)


def find_files(paths: Iterable[str], suffixes: tuple[str, ...]) -> SourceFiles:
    """Return the files under `paths` with one of `suffixes`, sorted; a file that is named itself has any.

    Left out, unless named themselves: hidden folders, ``node_modules``, ``__pycache__``, virtual environments.
    A link to a folder is followed once the folders themselves were walked, and a folder is walked once.
    """
    walk = _Walk(suffixes)
    for path in paths:
        walk.start(path)
    walk.follow_links()
    walk.found.paths.sort()
    walk.found.problems.sort(key=lambda problem: problem.path)
    return walk.found


def read_bytes(path: str) -> bytes | str:
    """Return what a file holds; a `str` is the reason why it is not read."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            return "it is no regular file"
        if status.st_size > LARGEST:
            return f"it has {_megabytes(status.st_size)}, and files of more than {_megabytes(LARGEST)} are not read"
        return Path(path).read_bytes()
    except OSError as error:
        return _told(error)


class _Walk:
    def __init__(self, suffixes: tuple[str, ...]) -> None:
        self.found = SourceFiles()
        self._suffixes = suffixes
        self._folders: set[tuple[int, int]] = set()
        self._files: set[tuple[int, int]] = set()
        self._links: list[str] = []

    def start(self, path: str) -> None:
        """Walk a path that was named: nothing about its own name leaves it out."""
        try:
            status = Path(path).stat()
        except OSError as error:
            self._problem(path, error)
            return
        if stat.S_ISDIR(status.st_mode):
            self._walk(path)
        else:
            self._add(path)

    def follow_links(self) -> None:
        """Walk the folders that links lead to, but for those that were walked under their own names."""
        while self._links:
            link = self._links.pop(0)
            if self._leads_above(link):
                self.found.problems.append(
                    Problem(link, "it is a link to a folder that it stands in, and is not followed")
                )
            else:
                self._walk(link)

    def _leads_above(self, link: str) -> bool:
        return Path(link).parent.resolve().is_relative_to(Path(link).resolve())

    def _walk(self, folder: str) -> None:
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
            waiting += self._sort_out(inside)

    def _sort_out(self, entries: Iterable[os.DirEntry[str]]) -> list[str]:
        """Take up the files and links, and return the folders."""
        folders: list[str] = []
        for entry in entries:
            try:
                is_folder = entry.is_dir()
            except OSError as error:
                self._problem(entry.path, error)
                continue
            if not is_folder:
                if entry.name.endswith(self._suffixes):
                    self._add(entry.path)
            elif not _is_left_out(entry):
                (self._links if entry.is_symlink() else folders).append(entry.path)
        return folders

    def _add(self, path: str) -> None:
        try:
            status = Path(path).stat()
        except OSError as error:
            self._problem(path, error)
            return
        identity = (status.st_dev, status.st_ino)
        if identity not in self._files:
            self._files.add(identity)
            self.found.paths.append(path)

    def _problem(self, path: str, error: OSError) -> None:
        self.found.problems.append(Problem(path, _told(error)))


def _is_left_out(entry: os.DirEntry[str]) -> bool:
    return (
        entry.name.startswith(".")
        or entry.name in _SKIPPED
        or Path(entry.path, "pyvenv.cfg").exists()
    )


def _told(error: OSError) -> str:
    return f"it cannot be read: {error.strerror or error}"


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:,.0f} MB"
