"""An SQLite database in memory, on which SQL is tried."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

__all__ = ["in_memory", "refusal_of"]


@contextmanager
def in_memory() -> Iterator[sqlite3.Connection]:
    """Have an empty database that is gone afterwards."""
    import sqlite3  # noqa: PLC0415 - a Python may be built without it

    with closing(sqlite3.connect(":memory:")) as scratch:
        yield scratch


def refusal_of(scratch: sqlite3.Connection, statement: str) -> str | None:
    """Execute the statement; return SQLite's message where it refuses, else None.

    Functions and collations of the application are not there, and are registered by their name only: structure is
    compared, and nothing is computed.
    """
    message = _refusal(scratch, statement)
    while message is not None and _registered(scratch, message):
        message = _refusal(scratch, statement)
    return message


def _refusal(scratch: sqlite3.Connection, statement: str) -> str | None:
    import sqlite3  # noqa: PLC0415 - as above

    try:
        scratch.execute(statement)
    except (sqlite3.Error, sqlite3.Warning) as error:  # of several statements Python 3.10 warns
        return str(error)
    return None


def _registered(scratch: sqlite3.Connection, message: str) -> bool:
    """Whether what the message misses is there now."""
    problem, _, name = message.rpartition(": ")
    if problem == "no such collation sequence":
        scratch.create_collation(name, lambda one, other: (one > other) - (one < other))
    elif problem == "no such function":
        scratch.create_function(name, -1, lambda *_: None, deterministic=True)
    else:
        return False
    return True
