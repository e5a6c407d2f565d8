"""The files of one scan as its readers see them: what they read and look for beside their own file is remembered."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from .files import digest_of, read_bytes
from .kept_sources import KeptSources

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SourceTree"]

_KEPT = 64 * 1024 * 1024
"""Bytes of files that are kept, so that the next word is looked for without reading them again."""

_KEPT_UNASKED = 24 * 1024 * 1024
"""Of these, bytes of files in which nothing was looked for yet."""

_NO_NAMES = ("", ".", "..")
"""What may be behind the last slash of a path."""


class SourceTree:
    """The files of a scan, and those outside of it that they lead to."""

    def __init__(self, paths: Sequence[str] = ()) -> None:
        """Nothing is read yet.

        :param paths: every file of the scan.
        """
        self._paths = paths
        self._kept = KeptSources()
        self._unkept: dict[tuple[str, ...], list[str]] = {}
        """The files for which there was no room, by how the names end of those that were looked at."""
        self._asked_for: dict[str, str] = {}
        self._real_paths: dict[str, str] = {}
        self._mentioning: dict[tuple[bytes, tuple[str, ...]], tuple[str, ...]] = {}
        self.read_files: dict[str, str | None] = {}
        """The digest of each file that was read for another one; None: it cannot be read."""
        self.looked_up: dict[str, bool] = {}
        """Whether each path that was looked for is a file."""

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file that another one leads to; None: there is none, or it is not to be read."""
        source = read_bytes(path)
        known = source if isinstance(source, bytes) else None
        self.read_files[path] = None if known is None else digest_of(known)
        return known

    def asked_for(self, path: str) -> str:
        """Return a real path as the scan has it: as it was asked for, where the file is one of the scan's."""
        if not self._asked_for:
            self._asked_for = {self.real_path(each): each for each in self._paths}
        return self._asked_for.get(path, path)

    def real_path(self, path: str) -> str:
        """Return where a path leads, as it was when it was first asked for."""
        if path not in self._real_paths:
            folder, _, name = path.rpartition(os.sep)
            # folders are asked for once each, and have many files
            if folder and name not in _NO_NAMES and not _is_link(path):
                self._real_paths[path] = f"{self.real_path(folder).rstrip(os.sep)}{os.sep}{name}"
            else:
                self._real_paths[path] = os.path.realpath(path)
        return self._real_paths[path]

    def is_file(self, path: str) -> bool:
        """Return whether there is a file, as it was when it was first asked for."""
        if path not in self.looked_up:
            self.looked_up[path] = Path(path).is_file()
        return self.looked_up[path]

    def files_mentioning(
        self, word: bytes, suffixes: tuple[str, ...] = (".py",)
    ) -> tuple[str, ...]:
        """Return the files of the scan that have `word` in them, in the order of their paths, as they were asked for.

        Whatever is around the word: ``save`` is in ``saved``. One pass over the bytes for each word, once.
        """
        key = word, suffixes
        if key not in self._mentioning:
            unkept = self._gathered(suffixes)
            found = set(self._kept.mentioning(word, suffixes))
            found.update(path for path in unkept if word in self.bytes_of(path))
            self._mentioning[key] = tuple(path for path in self._paths if path in found)
        return self._mentioning[key]

    def _gathered(self, suffixes: tuple[str, ...]) -> list[str]:
        """Keep the files with some suffixes, and return those for which there is no room."""
        if suffixes not in self._unkept:
            paths = [path for path in self._paths if path.endswith(suffixes)]
            for path in paths:
                if path not in self._kept:
                    self.bytes_of(path)
            self._unkept[suffixes] = [path for path in paths if path not in self._kept]
        return self._unkept[suffixes]

    def remember(self, read_files: dict[str, str | None], looked_up: dict[str, bool]) -> None:
        """Take over what another process read and looked for."""
        self.read_files.update(read_files)
        self.looked_up.update(looked_up)

    def bytes_of(self, path: str) -> bytes:
        """Return the bytes of a file of the scan; empty: it cannot be read."""
        if path in self._kept:
            return self._kept.source_of(path)
        source = read_bytes(path)
        known = source if isinstance(source, bytes) else b""
        self._keep(path, known, _KEPT)
        return known

    def offer(self, path: str, source: bytes) -> None:
        """Take in the bytes of a file of the scan that were read already, of the first ones only."""
        self._keep(path, source, _KEPT_UNASKED)

    def _keep(self, path: str, source: bytes, room: int) -> None:
        if self._kept.size + len(source) <= room:
            self._kept.add(path, source)


def _is_link(path: str) -> bool:
    """Whether a path is a link, or nothing is there."""
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return True
