"""Which files become what: the missing keys of each table, written where they belong, or why they are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .declarations import File
from .places import ClassPlace, NoPlace, TablePlace
from .source import Source, UnwritableError
from .tables import calls_of_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..findings import Finding
    from .names import ModuleNames
    from .places import Place
    from .spelling import KeyToWrite

__all__ = ["ChangedFile", "Edits", "Refused", "TableKeys", "Written", "plan_edits"]


@dataclass(frozen=True, slots=True)
class TableKeys:
    """The keys that one table lacks."""

    schema: str | None
    table: str
    keys: tuple[KeyToWrite, ...]
    place: Place
    findings: tuple[Finding, ...] = ()
    """Those that are settled once the keys are declared."""


@dataclass(frozen=True, slots=True)
class Written:
    """Keys of a table that are written."""

    of: TableKeys
    path: str
    line: int
    """Where they go, in the file as it was, counted from 1."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Keys of a table that are not written."""

    of: TableKeys
    reason: str
    """Present tense, without a full stop."""
    path: str | None = None
    """The file of the place; None: none is known."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file with its declarations."""

    path: str
    """As it was asked for: relative where the scanner was given a relative path."""
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Edits:
    """Everything that there is to write."""

    files: tuple[ChangedFile, ...] = ()
    written: tuple[Written, ...] = ()
    refused: tuple[Refused, ...] = ()


class _Plan:
    def __init__(self, paths: Mapping[str, str], read: Callable[[str], bytes | str]) -> None:
        self._paths = paths
        self._read = read
        self._sources: dict[str, Source] = {}
        self._contents: dict[str, bytes] = {}
        self._files: dict[str, File] = {}
        self._changed: list[str] = []

    def write(self, table: TableKeys) -> Written:
        """Write the keys of a table.

        :raises UnwritableError: it cannot be done safely.
        """
        match table.place:
            case NoPlace(reason=reason):
                raise UnwritableError(reason)
            case ClassPlace() as place:
                file = self._file(place.path, place.names)
                line, path = file.declare_in_class(place, table.keys), place.path
            case TablePlace() as place:
                path, names = self._module_of(place)
                line = self._file(path, names).declare_in_table(place, table.keys)
        if path not in self._changed:
            self._changed.append(path)
        return Written(table, self._paths[path], line)

    def changed(self) -> list[ChangedFile]:
        """Every file that something was written into, by path."""
        return [
            ChangedFile(self._paths[path], self._contents[path], self._files[path].changed())
            for path in sorted(self._changed, key=self._paths.__getitem__)
        ]

    def _module_of(self, place: TablePlace) -> tuple[str, ModuleNames]:
        found = [
            (path, names, call)
            for path, names in place.modules
            for call in calls_of_table(self._source(path), names, place)
        ]
        if len(found) > 1 and any(path in place.holders for path, _, _ in found):
            found = [each for each in found if each[0] in place.holders]
        if not found:
            raise UnwritableError(f"no file that was scanned makes {place.label} by that name")
        if len(found) > 1:
            lines = [f"{self._paths[p]}:{call.lineno}" for p, _, call in found]
            raise UnwritableError(f"it is made in several places: {', '.join(lines)}")
        path, names, _ = found[0]
        return path, names

    def _file(self, path: str, names: ModuleNames) -> File:
        if path not in self._files:
            self._files[path] = File(self._source(path), names)
        return self._files[path]

    def _source(self, path: str) -> Source:
        if path not in self._paths:
            raise UnwritableError("its file is not among those that were scanned: name it as well")
        if path not in self._sources:
            content = self._read(path)
            if isinstance(content, str):
                raise UnwritableError(content)
            self._contents[path] = content
            self._sources[path] = Source(content)
        return self._sources[path]


def plan_edits(
    tables: Sequence[TableKeys],
    paths: Mapping[str, str],
    read: Callable[[str], bytes | str],
) -> Edits:
    """Return what is to be written, and what is not.

    :param paths: the files that may be written, by their real paths; each as it is shown.
    :param read: the bytes of a file by its real path; a `str` is the reason why it is not written.
    """
    plan = _Plan(paths, read)
    written: list[Written] = []
    refused: list[Refused] = []
    for table in tables:
        outcome = _written_or_refused(plan, table)
        if isinstance(outcome, Written):
            written.append(outcome)
        else:
            refused.append(outcome)
    return Edits(tuple(plan.changed()), tuple(written), tuple(refused))


def _written_or_refused(plan: _Plan, table: TableKeys) -> Written | Refused:
    try:
        return plan.write(table)
    except UnwritableError as error:
        path = table.place.path if isinstance(table.place, ClassPlace) else None
        return Refused(table, str(error), path)
