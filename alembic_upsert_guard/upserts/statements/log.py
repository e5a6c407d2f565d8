"""Upserts that failed, as PostgreSQL's own log has them: ``csvlog``, or ``jsonlog`` (PostgreSQL 15).

Manual: https://www.postgresql.org/docs/current/runtime-config-logging.html
"""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UpsertGuardError
from ...findings import counted
from ..scan.sql.executed import executed_upserts
from ..target import Unread
from ..upsert import Place
from .recorded import Occurrence, Recorded, add_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["FailedStatement", "ServerLogError", "read_server_log", "upserts_of_log"]

_SQLSTATES = frozenset({"42P10", "55000", "42704"})
"""What an upsert without its arbiter fails with: none, a deferrable one, no such constraint."""

_COLUMNS = 23
"""Of a csvlog of the oldest server; later ones add theirs at the end."""
_DATABASE, _SQLSTATE, _INTERNAL, _CONTEXT, _STATEMENT = 2, 12, 16, 18, 19

_INSIDE, _INSIDE_ENDS = 'SQL statement "', '"\nPL/pgSQL function '
"""What PL/pgSQL puts around the statement of a function, where the server's messages are in English."""


class ServerLogError(UpsertGuardError, ValueError):
    """A file is no log of PostgreSQL's that can be read; the message says what to log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedStatement:
    """One statement that failed with a SQLSTATE that an upsert without its arbiter fails with."""

    path: str
    line: int
    """Where its entry begins, counted from 1."""
    database: str
    sqlstate: str
    sql: str
    """As it was sent, literals and all: not to be shown. Empty: ``log_min_error_statement`` left it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What both formats say."""

    line: int
    database: str
    sqlstate: str
    internal: str
    """The statement that the server itself ran."""
    context: str
    statement: str


def read_server_log(path: str) -> list[FailedStatement]:
    """Return the statements of one log that may be upserts which failed, in its order.

    :raises ServerLogError: the file cannot be read, or is neither a csvlog nor a jsonlog.
    """
    failed: list[FailedStatement] = []
    is_log = False
    try:
        with Path(path).open(encoding="utf-8", errors="replace", newline="") as file:
            first = next((line for line in file if line.strip()), "")
            file.seek(0)
            for entry in _from_json(file) if first.startswith("{") else _from_csv(file):
                is_log = True
                if entry.sqlstate in _SQLSTATES:
                    failed.append(_failed(path, entry))
    except OSError as error:
        raise ServerLogError(f"{path} cannot be read: {error.strerror}") from error
    if first and not is_log:
        raise ServerLogError(
            f"{path} is neither a csvlog nor a jsonlog of PostgreSQL: set log_destination = 'csvlog' and "
            "logging_collector = on"
        )
    return failed


def upserts_of_log(failed: Sequence[FailedStatement], database: str) -> Recorded:
    """Return the upserts among failed statements of one database.

    :param database: by its name on the server that wrote the log.
    """
    own = [each for each in failed if each.database == database]
    occurrences = [
        Occurrence(upsert=upsert, calls=1, place=Place(path=each.path, line=each.line))
        for each in own
        for upsert in executed_upserts(each.sql)
    ]
    read = [each for each in occurrences if not isinstance(each.upsert.table, Unread)]
    return Recorded(
        upserts=add_up(read, is_normalized=False),
        unread=len(occurrences) - len(read),
        notes=tuple(_notes(failed, own, database)),
    )


def _notes(
    failed: Sequence[FailedStatement], own: Sequence[FailedStatement], database: str
) -> Iterator[str]:
    """What was left out, and what the log lacks."""
    others = sorted({each.database for each in failed} - {database})
    if others:
        number = counted(len(failed) - len(own), "failed statement")
        yield (
            f"log: {number} of other databases left out ({', '.join(others)}); --log-database NAME reads another "
            f"than {database}"
        )
    textless = sum(not each.sql for each in own)
    if textless:
        number = counted(textless, "failure")
        yield f"log: {number} without a statement; set log_min_error_statement = error"


def _failed(path: str, entry: _Entry) -> FailedStatement:
    inside = entry.internal
    _, begins, behind = entry.context.partition(_INSIDE)
    if begins and not inside:
        # of functions that call each other, the innermost stands first
        inside = behind.partition(_INSIDE_ENDS)[0]
    return FailedStatement(
        path=path,
        line=entry.line,
        database=entry.database,
        sqlstate=entry.sqlstate,
        sql=inside or entry.statement,
    )


def _from_json(lines: Iterable[str]) -> Iterator[_Entry]:
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except ValueError:  # cut off
            continue
        if isinstance(entry, dict) and "error_severity" in entry:
            yield _Entry(
                line=number,
                database=str(entry.get("dbname", "")),
                sqlstate=str(entry.get("state_code", "")),
                internal=str(entry.get("internal_query", "")),
                context=str(entry.get("context", "")),
                statement=str(entry.get("statement", "")),
            )


def _from_csv(lines: Iterable[str]) -> Iterator[_Entry]:
    with _statements_of_any_length():
        reader = csv.reader(lines)
        begins = 1
        for row in reader:
            if len(row) >= _COLUMNS:
                yield _Entry(
                    line=begins,
                    database=row[_DATABASE],
                    sqlstate=row[_SQLSTATE],
                    internal=row[_INTERNAL],
                    context=row[_CONTEXT],
                    statement=row[_STATEMENT],
                )
            begins = reader.line_num + 1


@contextmanager
def _statements_of_any_length() -> Iterator[None]:
    """Let a column have more than the 131,072 characters that the process allows."""
    before = csv.field_size_limit(_LONGEST)
    try:
        yield
    finally:
        csv.field_size_limit(before)


_LONGEST = 1 << 30
"""Characters: what PostgreSQL itself allows of a text."""
