"""What git leaves out: ``.gitignore`` in each folder, up to the one that holds the repository."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pathspec import GitIgnoreSpec

__all__ = ["GitIgnore"]

_STARS, _STARS_IN_A_NAME = 6, 3
"""Of a pattern that is honoured: it becomes a regular expression, and each star is one more loop in the others."""


@dataclass(frozen=True, slots=True)
class _Spec:
    spec: GitIgnoreSpec
    negates: bool
    """Whether a pattern takes something in again."""


@dataclass(frozen=True, slots=True)
class _Applied:
    """One file, for what is in one folder."""

    inside: str
    """The folder, as the file would name it, with a slash behind; empty: its own."""
    spec: GitIgnoreSpec
    negates: bool


class GitIgnore:
    """Answers for the files and folders of one walk; nothing but ``.gitignore`` itself is read."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._specs: dict[str, _Spec | None] = {}
        self._applied: dict[tuple[str, str], tuple[_Applied, ...]] = {}
        self._tops: dict[str, str] = {}

    def leaves_out(self, path: str, *, is_folder: bool, start: str) -> bool:
        """Return whether git leaves out a file, or everything in a folder.

        The nearest file that has a pattern for it decides. A folder is left out only where nothing in it can be taken
        in again; else its files are asked about.

        :param start: the folder that the walk began with: what is above it counts up to the folder with ``.git``.
        """
        folder, separator, last = path.rpartition(os.sep)
        for found in self._above(folder or separator, start):  # which alone is the root
            name = f"{found.inside}{last}"
            if is_folder and found.negates:
                return False
            answer = found.spec.check_file(f"{name}/" if is_folder else name).include
            if answer is not None:
                return answer
        return False

    def _above(self, folder: str, start: str) -> tuple[_Applied, ...]:
        """The files that have a say in a folder, the nearest one first: looked for once, for many files are in it."""
        key = folder, start
        if key not in self._applied:
            self._applied[key] = tuple(self._applied_in(Path(folder).absolute(), self._top(start)))
        return self._applied[key]

    def _applied_in(self, folder: Path, top: str) -> Iterator[_Applied]:
        for each in (folder, *folder.parents):
            found = self._spec(each)
            if found is not None:
                inside = folder.relative_to(each).as_posix()
                yield _Applied("" if inside == "." else f"{inside}/", found.spec, found.negates)
            if str(each) == top:
                return

    def _spec(self, folder: Path) -> _Spec | None:
        name = str(folder)
        if name not in self._specs:
            self._specs[name] = _read(folder)
        return self._specs[name]

    def _top(self, start: str) -> str:
        """The folder of the repository that `start` is in; `start` itself where it is in none."""
        if start not in self._tops:
            absolute = Path(start).absolute()
            around = (f for f in (absolute, *absolute.parents) if (f / ".git").exists())
            self._tops[start] = str(next(around, absolute))
        return self._tops[start]


def _read(folder: Path) -> _Spec | None:
    path = folder / ".gitignore"
    source = read_bytes(str(path)) if path.is_file() else ""
    if isinstance(source, str):
        return None
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - not needed where there is no such file

    lines = [line for line in source.decode(errors="replace").splitlines() if _is_bounded(line)]
    patterns = [pattern for line in lines for pattern in _patterns(GitIgnoreSpec, line)]
    spec = GitIgnoreSpec(patterns)
    return _Spec(spec=spec, negates=any(line.startswith("!") for line in lines))


def _patterns(kind: type[GitIgnoreSpec], line: str) -> Iterable[Any]:
    try:
        return list(kind.from_lines([line]).patterns)
    except (ValueError, re.error):  # git takes no notice of it either
        return ()


def _is_bounded(pattern: str) -> bool:
    return pattern.count("*") <= _STARS and all(
        name.count("*") <= _STARS_IN_A_NAME for name in pattern.split("/")
    )
