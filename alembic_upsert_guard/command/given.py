"""What a scan is given: paths, and what parses files of a later Python."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CannotRunError
from ..upserts.scan.newer_python import NewerPython, find_newer_python

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["newer_python_of", "require_paths"]


def require_paths(paths: Iterable[str], named_by: str = "") -> None:
    """Refuse paths that are not there.

    :param named_by: what the message begins with.
    :raises CannotRunError: one is not.
    """
    for path in paths:
        if not Path(path).exists():
            raise CannotRunError(f"{named_by}there is no file or folder {path}")


def newer_python_of(named: str | None, paths: Sequence[str]) -> NewerPython | None:
    """Return what parses files of a later Python: the one that is named, else those on the PATH; None: there is none.

    :raises CannotRunError: the one that is named is none, or of no later version.
    """
    if named is None:
        return find_newer_python(paths)
    python = NewerPython([named])
    if not Path(named).is_file() or not python.is_later():
        version = ".".join(map(str, sys.version_info[:2]))
        raise CannotRunError(f"--python {named} is no Python later than {version}, which runs this")
    return python
