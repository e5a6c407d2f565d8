"""The source lines that a report shows."""

from __future__ import annotations

from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..findings import Location

__all__ = ["SourceLines"]

_LONGEST = 10_000
"""Characters of a line that is shown; a longer one is of a generated file."""


_LARGEST = 8 * 1024 * 1024
"""Bytes of a file that is shown, as of one that is scanned."""


class SourceLines:
    """Lines of files, each file read once."""

    def __init__(self, folder: Path | None = None) -> None:
        """Nothing is read yet.

        :param folder: what paths are relative to; None: where the command runs.
        """
        self._folder = folder or Path()
        self._lines: Callable[[str], list[str]] = cache(self._read)

    def line(self, location: Location) -> str | None:
        """Return a line without its end; None: it is not there, cannot be read, or is too long to be shown."""
        if not location.is_file:
            return None
        lines = self._lines(location.path)
        found = next(islice(lines, location.line - 1, location.line), None)
        return None if found is None or len(found) > _LONGEST else found

    def _read(self, path: str) -> list[str]:
        file = self._folder / path
        try:
            if file.stat().st_size > _LARGEST:
                return []
            return file.read_text("utf-8", errors="replace").split("\n")
        except OSError:
            return []
