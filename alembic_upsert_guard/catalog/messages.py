"""What may be shown of a database's own message: the one place that decides it.

A message can hold a value of a row (``invalid input syntax for type integer: "..."``), whatever statement it answers.
Where values are held back, a message is shown only if its kind never has one, and is otherwise named by its code.

| error                                                | its message                                   |
|------------------------------------------------------|-----------------------------------------------|
| of the connection: the driver's OperationalError     | shown: no row was read                        |
| PostgreSQL: raised by PL/pgSQL, PL/Python, ...       | held back: people chose message and SQLSTATE  |
| PostgreSQL: 23, 40, 53, 55, 57, ... and `_SHOWN`     | shown: names, types and sizes                 |
| PostgreSQL: something is not found, a syntax error   | shown where it is at a place in the statement |
| PostgreSQL: 22, P0, XX, 38, HV and whatever is left  | held back                                     |
| MySQL, MariaDB: error numbers of `_SHOWN_ON_MYSQL`   | shown                                         |
| SQLite: messages that begin as in `_SHOWN_ON_SQLITE` | shown                                         |
| anything else                                        | held back                                     |

Details, hints and contexts below the first line are never shown: ``Key (email)=(...) already exists`` is a detail.

:func:`~.reading.first_sentence` is for statements that read no row: on an empty copy of a table, or EXPLAIN.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import InterfaceError, OperationalError

from .conditions import condition_of
from .postgresql import sqlstate
from .reading import first_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.exc import DBAPIError

__all__ = ["holds_no_value", "label_of", "message_of"]

_SHOWN_CLASSES = frozenset(
    {"08", "0A", "21", "23", "25", "26", "28", "2B", "40", "44", "53", "54", "55", "57"}
)
"""Connections, features, cardinality, constraints by name, transactions, roles, dependencies, limits, locks."""

_SHOWN = frozenset(
    {
        "22012",  # division_by_zero: the message is no longer than that
        "42501",  # insufficient_privilege
        "42611",
        "42701",
        "42710",
        "42712",
        "42803",
        "42804",
        "42809",
        "42830",
        "42846",
        "42939",
        "42P07",
        "42P10",
        "42P16",
        "42P17",
        "42P18",
        "42P20",
        "42P21",
        "42P22",
    }
)
"""Of class 42, what is about objects that a statement names and types that it has; of 22, what has one message only."""

_SHOWN_WITH_A_PLACE = frozenset(
    {"3F000", "42601", "42602", "42702", "42703", "42704", "42725", "42883", "42P01", "42P02"}
)
"""Told of a statement's own text and of a value alike: ``CAST(email AS regclass)`` fails with 42P01 and the value."""

_NO_SUCH_DATABASE = "3D000"
"""On connecting; ``has_database_privilege()`` says it of a value."""

_LANGUAGES = ("pl_exec.c", "plperl.c", "plpy_", "pltcl.c", "plv8", "plr")
"""Files of the server's procedural languages, from which only code of people's raises."""

_SHOWN_ON_MYSQL = frozenset(
    {
        1040,  # too many connections
        1044,
        1045,
        1046,
        1049,
        1050,
        1051,
        1054,
        1059,
        1061,
        1064,
        1071,
        1072,
        1091,
        1114,
        1142,
        1143,
        1146,
        1167,
        1170,
        1205,
        1213,
        1227,
        1235,
        1290,
        1317,
        1419,
        1553,
        1792,
        1836,
        2002,
        2003,
        2006,
        2013,
        2055,
        3024,
        3152,
        3572,
        3728,
        *range(3753, 3763),
    }
)
"""https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html: names, types and limits."""

_ON_MYSQL: Mapping[int, str] = MappingProxyType(
    {
        1062: "duplicate entry",
        1264: "value out of range",
        1265: "data truncated",
        1292: "incorrect value",
        1366: "incorrect value of a column",
        1406: "data too long",
        1411: "incorrect value of a function",
        1451: "a row is referred to",
        1452: "a row refers to none",
        1586: "duplicate entry",
        1644: "raised by SIGNAL",
        1690: "value out of range",
        3140: "invalid JSON text",
        3141: "invalid JSON text",
        3819: "check constraint violated",
        4025: "check constraint violated",
    }
)

_SHOWN_ON_SQLITE = (
    "no such ",
    "UNIQUE constraint failed",
    "NOT NULL constraint failed",
    "CHECK constraint failed",
    "FOREIGN KEY constraint failed",
    "PRIMARY KEY constraint failed",
    "non-deterministic ",
    'near "',
    "incomplete input",
    "malformed JSON",
    "integer overflow",
    "datatype mismatch",
    "string or blob too big",
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "database schema has changed",
    "database or disk is full",
    "database disk image is malformed",
    "disk I/O error",
    "attempt to write a readonly database",
    "unable to open database file",
    "file is not a database",
    "interrupted",
    "not authorized",
    "there is already ",
    "table ",
    "index ",
    "cannot start a transaction",
    "ambiguous column name",
    "too many ",
)
"""The beginnings of messages of names: https://sqlite.org/src/file/src, ``sqlite3ErrorMsg`` and sqlite3ErrStr."""

_RAISED_ON_SQLITE = "SQLITE_CONSTRAINT_TRIGGER"
"""``RAISE(ABORT, ...)``: people's own words, which may be an expression since 3.47."""


def message_of(error: DBAPIError, *, reveal: bool, see: str = "; reveal=True shows it") -> str:
    """Return the first line of the database's message as far as it may be shown, else what kind of error it is.

    :param reveal: whether a value of a row may be shown.
    :param see: how the person comes to see what was held back; begins with what separates it.
    """
    if reveal or holds_no_value(error):
        return _words(error)
    return f"{label_of(error)}; its message may hold a value of a row{see}"


def holds_no_value(error: DBAPIError) -> bool:
    """Return whether the first line of the message has no value of a row in it, as far as its kind shows."""
    said = _said(error)
    if type(said).__module__ == "sqlite3":
        raised = getattr(said, "sqlite_errorname", None) == _RAISED_ON_SQLITE
        return not raised and str(said).startswith(_SHOWN_ON_SQLITE)
    number = _number(error)
    if number is not None:
        return number in _SHOWN_ON_MYSQL
    state = sqlstate(error)
    if state is None:
        # the driver's own: a lost connection has no state, and a value that has no form in Python is a DataError
        return isinstance(error, OperationalError | InterfaceError)
    if state == _NO_SUCH_DATABASE:
        return error.statement is None
    return _is_shown(state, said)


def label_of(error: DBAPIError) -> str:
    """Return what kind of error it is: ``SQLSTATE 22P02 (invalid_text_representation)``, without a word of it."""
    number, state, said = _number(error), sqlstate(error), _said(error)
    if number is not None:
        name = _ON_MYSQL.get(number)
        return f"error {number} ({name})" if name else f"error {number}"
    if state is not None:
        name = condition_of(state)
        return f"SQLSTATE {state} ({name})" if name else f"SQLSTATE {state}"
    return str(getattr(said, "sqlite_errorname", type(said).__name__))


def _is_shown(state: str, said: BaseException | None) -> bool:
    diagnostics = getattr(said, "diag", said)
    file = getattr(diagnostics, "source_file", None)
    file = file or getattr(diagnostics, "server_source_filename", None)
    if str(file or "").startswith(_LANGUAGES):
        return False
    if state in _SHOWN_WITH_A_PLACE:
        place = getattr(diagnostics, "statement_position", None)
        return bool(place or getattr(diagnostics, "position", None))
    return state in _SHOWN or state[:2] in _SHOWN_CLASSES


def _said(error: DBAPIError) -> BaseException | None:
    """The driver's own error: SQLAlchemy puts asyncpg's behind one of its own."""
    said: BaseException | None = error.orig
    if said is not None and getattr(said.__cause__, "sqlstate", None) is not None:
        return said.__cause__
    return said


def _number(error: DBAPIError) -> int | None:
    """The error number of MySQL and MariaDB, whose drivers put it before the message; None: another database."""
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return arguments[0] if len(arguments) > 1 and isinstance(arguments[0], int) else None


def _words(error: DBAPIError) -> str:
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return first_sentence(error) if _number(error) is None else str(arguments[1])
