"""What ``[tool.upsert_guard]`` in ``pyproject.toml`` states for every run, besides the accepted findings."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .ignores import IgnoresError, read_table

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Settings", "read_settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command takes where its arguments say nothing."""

    paths: tuple[str, ...] = ()
    """What ``scan`` scans, from the folder of the file on."""
    exclude: tuple[str, ...] = ()
    """What ``scan`` leaves out: names, and absolute paths where an entry has a slash, with wildcards."""
    strict: bool = False
    metadata: str | None = None


def read_settings(pyproject: Path) -> Settings:
    """Return the settings of a file, the defaults where there is none.

    :raises IgnoresError: the file is no TOML, or a setting is of another type.
    """
    ours = read_table(pyproject)
    for member, kind in (("strict", bool), ("metadata", str)):
        if not isinstance(ours.get(member, kind()), kind):
            word = "true or false" if kind is bool else "a string"
            raise IgnoresError(f"{pyproject}: {member} of [tool.upsert_guard] is {word}")
    folder = pyproject.parent
    base = glob.escape(folder.absolute().as_posix())
    return Settings(
        paths=tuple(str(folder / path) for path in _strings(pyproject, ours, "paths")),
        exclude=tuple(
            f"{base}/{name.strip('/')}" if "/" in name.strip("/") else name.strip("/")
            for name in _strings(pyproject, ours, "exclude")
        ),
        strict=ours.get("strict", False),
        metadata=ours.get("metadata"),
    )


def _strings(pyproject: Path, ours: dict[str, Any], member: str) -> list[str]:
    stated = ours.get(member, [])
    if not isinstance(stated, list) or not all(isinstance(each, str) and each for each in stated):
        raise IgnoresError(f"{pyproject}: {member} of [tool.upsert_guard] is a list of strings")
    return stated
