"""A folder of migrations in SQL, run in their order as far as the tables go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..bounds import SECONDS, OutOfTimeError, check_time, time_limit
from ..files import read_bytes
from ..migrations import migration_script
from ..sql import without_psql
from .statements import HistoricSql
from .tables import HistoricTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..migrations import MigrationFile

__all__ = ["files_of_folder", "tables_at_lines", "undone_from"]

_DOWN = (
    "+goose down",
    "+migrate down",
    "+micrate down",
    "migrate:down",
    "//@undo",
    "--- !downs",
    "rambler down",
)
"""How the comments begin, in lower case, behind which a script takes back what is above."""

_JUST_DOWN = frozenset({"down", "down migration"})
"""Such comments as a whole, without punctuation around."""

_INCLUDES = ("\\i", "\\copy", "\\c ", "\\connect")
_RUNS_RESULTS = "\\gexec"
_CONDITIONS = ("context:", "contextfilter:", "labels:", "dbms:")
"""What Liquibase may leave a changeset out for, in lower case."""

_TEMPLATE = ("{{", "{%")
_MOST = 20_000
"""Files of a folder that are looked at."""


def files_of_folder(folder: str, is_file: Callable[[str], bool]) -> list[MigrationFile]:
    """Return the migrations of a folder in their order, whether they are scanned or not, but for those that undo."""
    found = []
    for path in _names_in(folder):
        file = migration_script(path, is_file)
        if file is not None and file.folder == folder and not file.is_undo:
            found.append(file)
    return sorted(found)


def _names_in(folder: str) -> Iterator[str]:
    """The scripts in a folder and in the folders in it."""
    try:
        entries = sorted(Path(folder).iterdir())[:_MOST]
    except OSError:
        return
    for entry in entries:
        if entry.suffix == ".sql":
            yield os.path.join(folder, entry.name)  # noqa: PTH118 - as the scan spells it
        elif entry.is_dir() and entry.name[:1].isdigit():
            for each in ("migration.sql", "up.sql"):
                if (entry / each).is_file():
                    yield os.path.join(folder, entry.name, each)  # noqa: PTH118 - as above


def undone_from(text: str) -> int | None:
    """Return the line, counted from 1, from which on a script takes back what is above; None: it does not."""
    for number, line in enumerate(text.split("\n"), 1):
        code, dashes, comment = line.partition("--")
        words = comment.strip().lower() if dashes else line.lstrip("# ").lower()
        is_down = dashes and not code.strip() and words.strip(" -=*#:") in _JUST_DOWN
        if is_down or words.startswith(_DOWN):
            return number
    return None


def tables_at_lines(
    files: Sequence[MigrationFile], wanted: Mapping[str, Sequence[int]]
) -> dict[tuple[str, int], HistoricTables]:
    """Return the tables as they are when the statement at a line runs.

    :param files: of one folder, in their order.
    :param wanted: the lines of each file, counted from 1.
    """
    history = HistoricSql(HistoricTables())
    found: dict[tuple[str, int], HistoricTables] = {}
    for file in files:
        lines = wanted.get(file.name, ())
        try:
            with time_limit(SECONDS):
                for line, tables in _run(history, file.name, lines):
                    at = found.setdefault((file.name, line), tables)
                    at.perhaps(tables.give_to, "several statements on its line upsert")
        except OutOfTimeError:
            history.tables.end("a migration before it took too long to read")
    return found


def _run(
    history: HistoricSql, path: str, lines: Sequence[int]
) -> Iterator[tuple[int, HistoricTables]]:
    source = read_bytes(path)
    if isinstance(source, str):
        history.tables.end(f"a migration before it is not read: {source}")
        return
    text = source.decode("utf-8-sig", errors="replace")
    undone = undone_from(text)
    if undone is not None:
        text = "\n".join(text.split("\n")[: undone - 1])
    written = text.split("\n")
    if _RUNS_RESULTS in text or any(line.startswith(_INCLUDES) for line in written):
        history.tables.end("a migration before it includes another file")
    if any(map(_is_conditional, written)):
        history.tables.end("a migration before it runs under a condition")
    if any(sign in text for sign in _TEMPLATE):
        history.tables.end("a migration before it is a template")
    for statement in history.statements(without_psql(text)):
        check_time()
        at = (
            []
            if statement.cannot_upsert
            else [line for line in lines if statement.first <= line <= statement.last]
        )
        if statement.is_block:
            history.apply(statement)
        for line in at:
            yield line, history.tables.copy()
        if not statement.is_block:
            history.apply(statement)


def _is_conditional(line: str) -> bool:
    """Whether a line begins a changeset of Liquibase's that runs in some contexts, or on some databases."""
    words = line.lower().split()
    return words[:1] == ["--changeset"] and any(each.startswith(_CONDITIONS) for each in words)
