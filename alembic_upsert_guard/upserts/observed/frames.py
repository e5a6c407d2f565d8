"""Which line of the application runs a statement: the innermost frame of neither a library nor Python itself."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["ApplicationFrames"]

_LIBRARY: Final = ""
"""Of a file that is no part of the application."""

_OWN_PACKAGE = str(Path(__file__).resolve().parents[2]) + os.sep
_OWN_RECORDING = str(Path(__file__).resolve().parent) + os.sep
_STANDARD_LIBRARY = tuple(
    {
        os.path.realpath(sysconfig.get_path(name)) + os.sep
        for name in ("stdlib", "platstdlib")
        if sysconfig.get_path(name)
    }
    | {sysconfig.get_path("stdlib") + os.sep}
)
_SQLALCHEMY = str(Path(sqlalchemy.__file__).resolve().parent) + os.sep
"""What is on every stack, wherever it is installed."""

_LIBRARIES = frozenset({"site-packages", "dist-packages"})


class ApplicationFrames:
    """Finds the application on a stack; what a file is, is asked once."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Paths are relative to `root`."""
        self._root = os.path.realpath(root)
        self._paths: dict[str, str] = {}

    def place(self, frame: FrameType | None) -> tuple[str | None, int | None] | None:
        """Return path and line; both None where no frame is the application's. None: this package itself ran it.

        :param frame: where the search begins, outwards. Behind a greenlet it goes on in the one that waits for it, as
         SQLAlchemy's asyncio has it.
        """
        for each in _frames(frame):
            filename = each.f_code.co_filename
            path = self._paths.get(filename)
            if path is None:
                path = self._paths[filename] = self._path(filename)
            if path == _LIBRARY:
                continue
            return None if path == _OWN_PACKAGE else (path, each.f_lineno)
        return None, None

    def _path(self, filename: str) -> str:
        if filename.startswith("<"):
            return _LIBRARY
        real = os.path.realpath(filename)
        if real.startswith(_OWN_RECORDING):
            return _LIBRARY
        if real.startswith(_OWN_PACKAGE):
            return _OWN_PACKAGE
        # a link out of a virtual environment is a library's all the same
        if _LIBRARIES.intersection((*Path(filename).parts, *Path(real).parts)):
            return _LIBRARY
        if real.startswith((*_STANDARD_LIBRARY, _SQLALCHEMY)):
            return _LIBRARY
        try:
            return os.path.relpath(real, self._root).replace(os.sep, "/")
        except ValueError:  # on another drive
            return real.replace(os.sep, "/")


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
    module = sys.modules.get("greenlet")  # which no synchronous program needs
    waiting = None if module is None else module.getcurrent().parent
    while waiting is not None:
        frame = waiting.gr_frame
        while frame is not None:
            yield frame
            frame = frame.f_back
        waiting = waiting.parent
