"""Changed files on the disk, and as a unified diff."""

from __future__ import annotations

import difflib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UpsertGuardError
from ..upserts.scan.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import ChangedFile

__all__ = ["NotWrittenError", "diff_of", "read_writable", "write"]

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_ANYBODY = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class NotWrittenError(UpsertGuardError):
    """A file is as it was; the message is the reason."""


def read_writable(path: str) -> bytes | str:
    """Return what a file holds; a `str` is the reason why it is not written."""
    if not _INSTALLED.isdisjoint(Path(path).parts):
        return "its file is that of an installed package"
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        return f"its file cannot be read: {error.strerror or error}"
    # the superuser may write any file: what its owner made read-only stays as it is all the same
    if not mode & _ANYBODY or not os.access(path, os.W_OK):
        return "its file is read-only"
    return read_bytes(path)


def write(file: ChangedFile) -> None:
    """Replace a file by its changed form, at once and with its mode; a link stays one, and leads to the new file.

    :raises NotWrittenError: it is not as it was read, or cannot be replaced; it is as it was.
    """
    path = Path(file.path).resolve()
    temporary: str | None = None
    try:
        if path.read_bytes() != file.before:
            raise NotWrittenError("it was changed since it was read")
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(file.after)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)  # noqa: PTH105 - the call whose promise this rests on
    except OSError as error:
        raise NotWrittenError(f"it cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)


def diff_of(file: ChangedFile) -> Iterator[bytes]:
    """Return the lines of a unified diff that ``git apply`` and ``patch -p1`` take, in the file's own encoding."""
    name = Path(os.path.relpath(file.path)).as_posix().encode()
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(file.before),
        _lines(file.after),
        b"a/" + name,
        b"b/" + name,
    )
    for line in lines:
        yield line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


def _lines(content: bytes) -> list[bytes]:
    # by \n only, as git has it
    lines = content.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]
