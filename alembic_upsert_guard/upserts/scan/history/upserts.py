"""The upserts of migrations, each held against the schema that the files before it make.

=======================================  =============================================================
the upsert                               answer
=======================================  =============================================================
the table is in doubt, or none makes it  unresolved, with the reason
in a routine that is replaced, in a
script or function that takes back       unresolved: when it ran is not known
something unique serves it               served: nothing is to be said
what equal text does not prove           unresolved
nothing serves it                        unserved: an error
it looks its rows up by itself           read, where nothing is unique: it ran once, and alone
=======================================  =============================================================
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .revisions import RevisionTree
from .scripts import files_of_folder, tables_at_lines
from .table import HistoricName
from .verdict import judged_by_history, judged_without_history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ...upsert import JudgedUpsert, Upsert
    from ..migrations import MigrationFile
    from .tables import HistoricTables

__all__ = ["judge_history"]

_UNDONE = "it takes back another migration: how far the schema had come is not known"
_REPLACED = "a later migration replaces the routine that it is in: when it ran is not known"
_ELSEWHERE = "it is written in another file than the migration: when it runs is not known"
_NOT_READ = "what migrations of Django, and those in JavaScript and TypeScript, make is not read"


def judge_history(
    upserts: Mapping[Upsert, MigrationFile],
    paths: Iterable[str],
    is_file: Callable[[str], bool],
) -> dict[Upsert, JudgedUpsert]:
    """Return what the schema of its day says of each upsert that ran in a migration.

    :param upserts: each with the file that it ran in.
    :param paths: every file of the scan.
    :param is_file: whether there is a file, for those that tools keep beside their migrations.
    """
    reasons = {upsert: _reason(upsert, file) for upsert, file in upserts.items()}
    revisions = RevisionTree(paths)
    by_folder: dict[str, dict[Upsert, MigrationFile]] = {}
    for upsert, file in upserts.items():
        if reasons[upsert] is None and file.name.endswith(".sql"):
            by_folder.setdefault(file.folder, {})[upsert] = file
    known: dict[Upsert, HistoricTables | str] = {}
    for folder, of_folder in by_folder.items():
        known.update(_of_scripts(folder, of_folder, is_file))
    judged = {}
    for upsert, file in upserts.items():
        tables = reasons[upsert] or known.get(upsert)
        if tables is None and file.name.endswith(".py"):
            tables = revisions.tables_at(file.name, upsert.place.line or 0)
        judged[upsert] = _judged(upsert, tables or _UNDONE)
    return judged


def _reason(upsert: Upsert, file: MigrationFile) -> str | None:
    """Why it is not known what the upsert met; None: the files before it may say so."""
    if upsert.definition is not None:
        return _REPLACED
    if file.is_undo:
        return _UNDONE
    if upsert.place.path is None or os.path.normpath(upsert.place.path) != os.path.normpath(
        file.name
    ):
        return _ELSEWHERE
    return None if file.is_read else _NOT_READ


def _of_scripts(
    folder: str, upserts: Mapping[Upsert, MigrationFile], is_file: Callable[[str], bool]
) -> dict[Upsert, HistoricTables]:
    places = {u: (os.path.normpath(file.name), u.place.line or 0) for u, file in upserts.items()}
    wanted: dict[str, list[int]] = {}
    for path, line in places.values():
        wanted.setdefault(path, []).append(line)
    found = tables_at_lines(files_of_folder(folder, is_file), wanted)
    return {upsert: found[place] for upsert, place in places.items() if place in found}


def _judged(upsert: Upsert, tables: HistoricTables | str) -> JudgedUpsert:
    if isinstance(tables, str) or upsert.table_name is None:
        return judged_without_history(upsert, tables if isinstance(tables, str) else "")
    if upsert.unread_schema is not None:
        return judged_without_history(upsert, upsert.unread_schema.reason)
    name = HistoricName.of(upsert.schema, upsert.table_name)
    return judged_by_history(upsert, tables.table(name))
