"""Upserts of migrations: they ran once, on the schema of their day, but for those in routines that are still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .files import read_bytes
from .javascript import SUFFIXES as JAVASCRIPT
from .lines import Lines
from .migrations import (
    MigrationFile,
    django_migration,
    migration_module,
    migration_script,
    revision_depths,
)
from .sql.routine_head import routine_heads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ..upsert import RoutineHead, Upsert
    from .migrations import Revision
    from .readers import ReadFile

__all__ = ["upserts_that_ran"]


def upserts_that_ran(
    paths: Iterable[str], reads: Mapping[str, ReadFile], is_file: Callable[[str], bool]
) -> dict[Upsert, MigrationFile]:
    """Return the upserts of migrations that are no part of today's schema, each with the file that it is in.

    A statement of a migration is none, nor is the definition of a routine that a later one defines again or drops, or
    that only a downgrade makes. Every other definition is in the database, for the application to call.

    :param paths: every file of the scan.
    :param reads: what is in those that hold upserts.
    :param is_file: whether there is a file, for those that tools keep beside their migrations.
    """
    files = {path: file for path in paths if (file := migration_script(path, is_file))}
    modules = {
        path: migration_module(path, read_bytes(path))
        for path in reads
        if path.endswith(JAVASCRIPT)
    }
    modules |= {
        path: django_migration(path, read_bytes)
        for path, read in reads.items()
        if path.endswith(".py") and read.upserts
    }
    files.update((path, file) for path, file in modules.items() if file is not None)
    revisions = {path: read.revision for path, read in reads.items() if read.revision is not None}
    files.update(_revision_files(revisions))
    return {
        upsert: files[path]
        for path, read in reads.items()
        if path in files
        for upsert in read.upserts
        if upsert.definition is None
        or files[path].is_undo
        or any(
            head.replaces(upsert.definition)
            for head in _later_heads(path, upsert, upsert.definition, files, reads)
        )
    }


def _revision_files(revisions: Mapping[str, Revision]) -> Iterator[tuple[str, MigrationFile]]:
    """All revisions of a scan are ordered by what they state, whichever folders they are in."""
    for path, depth in revision_depths(revisions).items():
        yield path, MigrationFile(folder="", position=(depth,), name=path)


def _later_heads(
    path: str,
    upsert: Upsert,
    definition: RoutineHead,
    files: Mapping[str, MigrationFile],
    reads: Mapping[str, ReadFile],
) -> Iterator[RoutineHead]:
    """The routines that are defined or dropped behind the definition that holds an upsert of the file at `path`."""
    for other, file in files.items():
        if file.folder != files[path].folder or file.is_undo or file < files[path]:
            continue
        heads = _heads_in(other, reads, definition.name.rpartition(".")[2])
        yield from (
            head for line, head in heads if other != path or line > (upsert.place.line or 0)
        )


def _heads_in(
    path: str, reads: Mapping[str, ReadFile], name: str
) -> Iterable[tuple[int, RoutineHead]]:
    """The routines of a file that may go by a name, and their lines; of Python's, those that upsert."""
    if not path.endswith(".sql"):
        upserts = reads[path].upserts if path in reads else ()
        return [
            (each.place.extent[0], each.definition)
            for each in upserts
            if each.definition and each.place.extent
        ]
    source = read_bytes(path)
    if isinstance(source, str) or name.encode() not in source.lower():
        return []
    text = source.decode("utf-8-sig", errors="replace")
    lines = Lines(text)
    return [(lines.at(start), head) for start, head in routine_heads(text)]
