"""One file of a tree: read where it may hold an upsert, and not judged. Importing this module imports the parsers."""

from __future__ import annotations

import codecs
from dataclasses import replace
from typing import TYPE_CHECKING

from ...findings import FindingCode
from .bounds import SECONDS, OutOfTimeError, time_limit
from .files import Problem, chunks_of, read_bytes
from .ignoring import suppresses_whole_file
from .needles import any_may_upsert, may_upsert
from .readers import SUFFIXES, Readers

if TYPE_CHECKING:
    from ..declared import DeclaredTables
    from .readers import ReadFile

__all__ = ["FileReader"]


class FileReader:
    """Reads the files of one tree."""

    def __init__(self, declared: DeclaredTables) -> None:
        """Nothing is read yet."""
        self._readers = Readers(declared)

    def read(self, path: str) -> ReadFile | Problem | None:
        """Return what is in a file; None: nothing that matters."""
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
            return replace(read, is_suppressed=True)
        return read


def _may_hold_an_upsert(path: str) -> bool:
    """Whether a file that is not read as a whole may matter: it is gone through as far as its time reaches."""
    try:
        with time_limit(SECONDS):
            return any_may_upsert(chunks_of(path))
    except (OSError, OutOfTimeError):
        return True
