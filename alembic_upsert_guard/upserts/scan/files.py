"""The bytes of files, and why some are not read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LARGEST",
    "Problem",
    "chunks_of",
    "digest_of",
    "read_bytes",
    "unreadable",
]

LARGEST = 8 * 1024 * 1024
"""Bytes of a file that is read; a syntax tree of such a file takes about a hundred times as many."""

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that was not scanned, and why. The rest was."""

    path: str
    reason: str
    """In words, without a full stop."""
    line: int | None = None
    """Counted from 1; None: it is about the whole of it."""
    is_unread: bool = True
    """Whether it may hold an upsert that nothing else reads: a finding. False: it was left out by a rule."""
    may_be_newer: bool = False
    """Whether it is source of Python, which a later version of Python may read."""
    is_suppressed: bool = False
    """Whether a comment in the file suppresses the finding."""


def read_bytes(path: str) -> bytes | str:
    """Return what a file holds; a `str` is the reason why it is not read: it is no file, or a larger one.

    Whatever may be put in its place meanwhile, nothing but a regular file is read from.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - of every file, three times as fast
            return "it is no regular file"
        with _opened(path) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return "it is no regular file"
            if status.st_size > LARGEST:
                return f"it has {_megabytes(status.st_size)}, and files of more than {_megabytes(LARGEST)} are not read"
            return file.readall()
    except OSError as error:
        return _reason(error)


def digest_of(source: bytes) -> str:
    """Return what a file's content is known by."""
    return sha256(source).hexdigest()


def chunks_of(path: str) -> Iterator[bytes]:
    """Return the bytes of a file of any size, a part of it at a time.

    :raises OSError: it cannot be read.
    """
    with _opened(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _opened(path: str) -> FileIO:
    # a pipe without a writer would be waited for
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return FileIO(os.open(path, flags))


def unreadable(path: str, error: OSError) -> Problem:
    """Return that a file or folder cannot be read."""
    return Problem(path, _reason(error))


def _reason(error: OSError) -> str:
    return f"it cannot be read: {error.strerror or error}"


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:,.0f} MB"
