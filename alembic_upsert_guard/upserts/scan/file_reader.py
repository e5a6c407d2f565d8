"""One file of a tree: looked at, and parsed where it may hold an upsert.

Importing this module imports the parser of PostgreSQL's SQL.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from ...findings import FindingCode
from .bounds import SECONDS, OutOfTimeError, time_limit
from .bundles import is_bundle
from .files import Problem, chunks_of, digest_of, read_bytes
from .ignoring import suppresses_whole_file
from .javascript import SUFFIXES as JAVASCRIPT
from .needles import any_may_upsert, may_upsert
from .readers import SUFFIXES, Readers, ReadFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .environments import ScannedEnvironments
    from .source_tree import SourceTree

__all__ = ["FileReader", "Glance", "Outcome"]

Outcome: TypeAlias = ReadFile | Problem | None
"""What is in a file, or why it is not read; None: nothing that matters."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What a file is, by its bytes."""

    outcome: Outcome = None
    size: int = 0
    """Bytes that are to be parsed; 0: the outcome is known."""
    digest: str = ""
    """Empty: it is not read."""


class FileReader:
    """Reads the files of one tree."""

    def __init__(
        self, tree: SourceTree, environments: ScannedEnvironments, named: Iterable[str] = ()
    ) -> None:
        """Nothing is read yet.

        :param environments: whose models the files are read by.
        :param named: files that are read whoever wrote them.
        """
        self.tree = tree
        self._named = frozenset(named)
        self._environments = environments
        self._readers = Readers(tree)

    def look(self, path: str) -> Glance:
        """Return what a file is, without parsing it."""
        source = read_bytes(path)
        if isinstance(source, str):
            return Glance(self._unread(path, source))
        self.tree.offer(path, source)
        digest = digest_of(source)
        if not path.endswith(SUFFIXES):
            reason = f"it is none of the files that are read: {', '.join(SUFFIXES)}"
            return Glance(Problem(path, reason, is_unread=False), digest=digest)
        source = _in_utf8(source)
        if not may_upsert(source):
            return Glance(digest=digest)
        if path not in self._named and is_bundle(path, len(source), source.count(b"\n")):
            return Glance(_bundle(path), digest=digest)
        return Glance(size=len(source), digest=digest)

    def read(self, path: str) -> Outcome:
        """Return what is in a file that is to be parsed."""
        source = read_bytes(path)
        if isinstance(source, str):
            return Problem(path, source)
        source = _in_utf8(source)
        if path.endswith(JAVASCRIPT) and _is_text(source):
            source = source.replace(
                b"\0", b" "
            )  # its strings may hold one, and the parser takes none
        if b"\0" in source:
            read: ReadFile | Problem = Problem(path, "it is binary")
        else:
            read = self._readers.read(path, source, self._environments.models_of(path))
        if isinstance(read, Problem) and suppresses_whole_file(source, FindingCode.UNREAD_FILE):
            return replace(read, is_suppressed=True)
        return read

    def forget(self) -> None:
        """Let go of the trees of Python; nothing can be read afterwards."""
        self._readers.forget()

    def _unread(self, path: str, reason: str) -> Problem | None:
        """A file that is not read as a whole: it is gone through as far as its time reaches."""
        try:
            with time_limit(SECONDS):
                if not any_may_upsert(chunks_of(path)):
                    return None
                sizes = [(len(chunk), chunk.count(b"\n")) for chunk in chunks_of(path)]
        except (OSError, OutOfTimeError):
            return Problem(path, reason)
        size, lines = map(sum, zip(*sizes, strict=True))
        is_left_out = path not in self._named and is_bundle(path, size, lines)
        return _bundle(path) if is_left_out else Problem(path, reason)


def _is_text(source: bytes) -> bool:
    try:
        source.decode()
    except UnicodeDecodeError:
        return False
    return True


def _bundle(path: str) -> Problem:
    return Problem(
        path, "it is minified, and its sources are elsewhere; name it to read it", is_unread=False
    )


def _in_utf8(source: bytes) -> bytes:
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return source.decode("utf-16", errors="replace").encode()
    return source
