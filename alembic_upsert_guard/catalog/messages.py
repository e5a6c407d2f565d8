"""What may be shown of a database's own message: the one place that decides it.

A message can hold a value of a row (``invalid input syntax for type integer: "..."``), whatever statement it answers.
Where values are held back, a message is shown only if its kind never has one, and is otherwise named by its code.

| error                                                | its message                                   |
|------------------------------------------------------|-----------------------------------------------|
| of the connection: the driver's OperationalError     | shown: no row was read                        |
| PostgreSQL: raised by PL/pgSQL, PL/Python, ...       | held back: people chose message and SQLSTATE  |
| PostgreSQL: 23, 40, 53, 55, 57, ... and `SHOWN`     | shown: names, types and sizes                 |
| PostgreSQL: something is not found, a syntax error   | shown where it is at a place in the statement |
| PostgreSQL: 22, P0, XX, 38, HV and whatever is left  | held back                                     |
| MySQL, MariaDB: error numbers of `SHOWN_ON_MYSQL`   | shown                                         |
| SQLite: messages that begin as in `SHOWN_ON_SQLITE` | shown                                         |
| anything else                                        | held back                                     |

Details, hints and contexts below the first line are never shown: ``Key (email)=(...) already exists`` is a detail.

:func:`~.reading.first_sentence` is for statements that read no row: on an empty copy of a table, or EXPLAIN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import InterfaceError, OperationalError

from .conditions import condition_of
from .mysql import errno, server_message
from .postgresql import sqlstate
from .reading import driver_error, first_sentence
from .shown_errors import (
    MYSQL_CONDITIONS,
    SHOWN,
    SHOWN_CLASSES,
    SHOWN_ON_MYSQL,
    SHOWN_ON_SQLITE,
    SHOWN_WITH_A_PLACE,
)

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

__all__ = ["holds_no_value", "message_of"]

_NO_SUCH_DATABASE = "3D000"
"""On connecting; ``has_database_privilege()`` says it of a value."""

_LANGUAGES = ("pl_exec.c", "plperl.c", "plpy_", "pltcl.c", "plv8", "plr")
"""Files of the server's procedural languages, from which only code of people's raises."""

_RAISED_ON_SQLITE = "SQLITE_CONSTRAINT_TRIGGER"
"""``RAISE(ABORT, ...)``: a message of people's own, which may be an expression since 3.47."""


def message_of(error: DBAPIError, *, reveal: bool, see: str = "; reveal=True shows it") -> str:
    """Return the first line of the database's message as far as it may be shown, else what kind of error it is.

    :param reveal: whether a value of a row may be shown.
    :param see: how the person comes to see what was held back; begins with what separates it.
    """
    if reveal or holds_no_value(error):
        return first_sentence(error) if errno(error) is None else server_message(error)
    return f"{_label_of(error)}; its message may hold a value of a row{see}"


def holds_no_value(error: DBAPIError) -> bool:
    """Return whether the first line of the message has no value of a row in it, as far as its kind shows."""
    said = driver_error(error)
    if type(said).__module__ == "sqlite3":
        raised = getattr(said, "sqlite_errorname", None) == _RAISED_ON_SQLITE
        return not raised and str(said).startswith(SHOWN_ON_SQLITE)
    number = errno(error)
    if number is not None:
        return number in SHOWN_ON_MYSQL
    state = sqlstate(error)
    if state is None:
        # the driver's own: a lost connection has no state, and a value that has no form in Python is a DataError
        return isinstance(error, OperationalError | InterfaceError)
    if state == _NO_SUCH_DATABASE:
        return error.statement is None
    return _is_shown(state, said)


def _label_of(error: DBAPIError) -> str:
    """Return what kind of error it is: ``SQLSTATE 22P02 (invalid_text_representation)``, without its message."""
    number, state, said = errno(error), sqlstate(error), driver_error(error)
    if number is not None:
        name = MYSQL_CONDITIONS.get(number)
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
    if state in SHOWN_WITH_A_PLACE:
        place = getattr(diagnostics, "statement_position", None)
        return bool(place or getattr(diagnostics, "position", None))
    return state in SHOWN or state[:2] in SHOWN_CLASSES
