"""Deduplication: one row of each key stays, the others are moved to an archive or deleted. Nothing is lost on the way.

Rows that refer to a surplus row are counted first, cascades included: they are refused, or made to refer to the row
that stays. It is all done in the caller's transaction, and not at all where any part of it fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ..catalog.postgresql import sqlstate
from ..catalog.reading import all_or_nothing, execute, first_sentence
from ..errors import DeduplicationError
from ..findings import describe_key
from ..sqltext import named
from .deduplicate_postgresql import (
    OUR_STATE,
    RESULT,
    deduplication_block,
    parsed,
    restoration_block,
)
from .sqlite import deduplicate_on_sqlite, restore_on_sqlite
from .surplus import Deduplicated

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Dialect

    from ..catalog import TableName
    from .statements import RowsOfKey
    from .surplus import Surplus

__all__ = [
    "can_deduplicate",
    "deduplicate",
    "restore",
    "script_deduplication",
    "script_restoration",
]


def can_deduplicate(dialect: Dialect) -> bool:
    """Return whether :func:`deduplicate` runs there: what cannot run is not offered."""
    return dialect.name in ("postgresql", "sqlite")


def deduplicate(connection: Connection, surplus: Surplus) -> Deduplicated:
    """Leave one row of each key.

    :raises DeduplicationError: rows refer to surplus ones and `repoint` is off, the archive does not fit, rows are
     hidden, or a trigger holds on to them; nothing was changed.
    :raises sqlalchemy.exc.DBAPIError: the database refuses a part of it; nothing was changed.
    """
    if connection.dialect.name == "postgresql":
        block = deduplication_block(connection.dialect, surplus, _told(connection, surplus.key))
        return Deduplicated(*_run(connection, block))
    _refuse_unknown(connection, surplus.key, "deduplicated")
    with all_or_nothing(connection):
        return deduplicate_on_sqlite(connection, surplus, _told(connection, surplus.key))


def restore(connection: Connection, key: RowsOfKey, archive: TableName) -> int:
    """Return how many rows were brought back from the archive, where they were moved for the sake of `key`.

    They are gone from the archive then; an archive that is left empty is dropped. No archive: no rows.

    :raises DeduplicationError: a trigger kept rows away; nothing was changed.
    :raises sqlalchemy.exc.DBAPIError: the database does not take them back; nothing was changed.
    """
    if connection.dialect.name == "postgresql":
        block = restoration_block(connection.dialect, key, archive, _told(connection, key))
        rows, _ = _run(connection, block)
        return rows
    _refuse_unknown(connection, key, "restored")
    with all_or_nothing(connection):
        return restore_on_sqlite(connection, key, archive, _told(connection, key))


def script_deduplication(dialect: Dialect, surplus: Surplus) -> str | None:
    """Return the statement for a script; None: the dialect's shell cannot look foreign keys up."""
    if dialect.name != "postgresql":
        return None
    return deduplication_block(dialect, surplus, _told_in(dialect, surplus.key))


def script_restoration(dialect: Dialect, key: RowsOfKey, archive: TableName) -> str | None:
    """Return the statement for a script; None: the dialect's shell cannot look columns up."""
    if dialect.name != "postgresql":
        return None
    return restoration_block(dialect, key, archive, _told_in(dialect, key))


def _refuse_unknown(connection: Connection, key: RowsOfKey, done: str) -> None:
    if not can_deduplicate(connection.dialect):
        raise DeduplicationError(
            f"{_told(connection, key)} cannot be {done} by this directive on {connection.dialect.name}: write the "
            "statements into the revision"
        )


def _told(connection: Connection, key: RowsOfKey) -> str:
    return _told_in(connection.dialect, key)


def _told_in(dialect: Dialect, key: RowsOfKey) -> str:
    return describe_key(named(dialect, *key.table), key.target.labels, key.target.predicate)


def _run(connection: Connection, block: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    try:
        with all_or_nothing(connection):
            execute(connection, block)
            return parsed(
                str(execute(connection, f"SELECT pg_catalog.current_setting('{RESULT}')").scalar())
            )
    except DBAPIError as error:
        if sqlstate(error) == OUR_STATE:
            raise DeduplicationError(first_sentence(error)) from error
        raise
