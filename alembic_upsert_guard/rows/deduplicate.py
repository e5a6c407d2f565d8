"""Deduplication: one row of each key stays, the others are moved to an archive or deleted. Nothing is lost on the way.

Rows that refer to a surplus row are counted first, cascades included: they are refused, or made to refer to the row
that stays. It is all done in the caller's transaction, and not at all where any part of it fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ..catalog.postgresql import sqlstate
from ..catalog.reading import all_or_nothing, detail_of, execute, first_sentence
from ..catalog.tables import existing_tables
from ..databases import POSTGRESQL, SQLITE, database_for
from ..errors import DeduplicationError
from ..sqltext import quoted
from .batched_postgresql import deduplicate_in_batches_on_postgresql
from .deduplicate_postgresql import (
    OUR_STATE,
    RESULT,
    batches_script,
    deduplication_block,
    deduplication_call,
    parsed,
    restoration_block,
    restoration_call,
)
from .sqlite import deduplicate_on_sqlite, restore_on_sqlite
from .surplus import Deduplicated

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, Dialect

    from ..catalog import TableName
    from ..online import Reporter, Script
    from ..programs import Call
    from .batches import Batches
    from .statements import RowsOfKey
    from .surplus import Surplus

__all__ = [
    "can_deduplicate",
    "deduplicate",
    "deduplicate_in_batches",
    "deduplicates_in_batches",
    "keys_in_archive",
    "restore",
    "script_deduplication",
    "script_deduplication_in_batches",
    "script_restoration",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deduplication:
    """How one kind of database does it."""

    deduplicate: Callable[[Connection, Surplus], Deduplicated]
    restore: Callable[[Connection, RowsOfKey, TableName], int]

    deduplicate_in_batches: (
        Callable[[Connection, Surplus, Batches, Reporter], Deduplicated] | None
    ) = None
    """None: it has one writer at a time, and does it in one transaction."""

    script: Callable[[Dialect, Surplus], Call] | None = None
    """What a script runs; None: its shell cannot look foreign keys up."""

    script_in_batches: Callable[[Dialect, Surplus, Batches], Script] | None = None
    """None: it has one writer at a time."""

    script_restoration: Callable[[Dialect, RowsOfKey, TableName], Call] | None = None
    """None: its shell cannot look columns up."""


def can_deduplicate(dialect: Dialect) -> bool:
    """Return whether :func:`deduplicate` runs there: what cannot run is not offered."""
    return database_for(dialect) in _DEDUPLICATIONS


def deduplicates_in_batches(dialect: Dialect) -> bool:
    """Return whether :func:`deduplicate_in_batches` commits each batch there, and so needs AUTOCOMMIT."""
    known = _DEDUPLICATIONS.get(database_for(dialect))
    return known is not None and known.deduplicate_in_batches is not None


def deduplicate(connection: Connection, surplus: Surplus) -> Deduplicated:
    """Leave one row of each key.

    :raises DeduplicationError: rows refer to surplus ones and `repoint` is off, the archive does not fit, rows are
     hidden, or a trigger keeps them; nothing was changed.
    :raises sqlalchemy.exc.DBAPIError: the database refuses a part of it; nothing was changed.
    """
    return _for(connection, surplus.key, "deduplicated").deduplicate(connection, surplus)


def deduplicate_in_batches(
    connection: Connection, surplus: Surplus, batches: Batches, reporter: Reporter
) -> Deduplicated:
    """Leave one row of each key, in transactions of `batches.size` surplus rows.

    On PostgreSQL the connection is in AUTOCOMMIT, and duplicates that arrive meanwhile are done as well. On SQLite,
    where a transaction keeps every other writer out anyway, it is :func:`deduplicate`.

    :param reporter: is given the progress, and what is waited for.
    :raises DeduplicationError: as :func:`deduplicate`, but only the batch at hand was undone; the message says so.
    :raises sqlalchemy.exc.DBAPIError: the connection was lost; the batches that were done stay so.
    """
    known = _for(connection, surplus.key, "deduplicated")
    if known.deduplicate_in_batches is None:
        return known.deduplicate(connection, surplus)
    return known.deduplicate_in_batches(connection, surplus, batches, reporter)


def restore(connection: Connection, key: RowsOfKey, archive: TableName) -> int:
    """Return how many rows were brought back from the archive, where they were moved for the sake of `key`.

    They are gone from the archive then; an archive that is left empty is dropped. No archive: no rows.

    :raises DeduplicationError: a trigger kept rows away; nothing was changed.
    :raises sqlalchemy.exc.DBAPIError: the database does not take them back; nothing was changed.
    """
    return _for(connection, key, "restored").restore(connection, key, archive)


def keys_in_archive(connection: Connection, archive: TableName) -> tuple[str, ...]:
    """Return the keys for whose sake rows are in the archive, as they were labelled; none where it is not there."""
    if not existing_tables(connection, [archive]):
        return ()
    name = quoted(connection.dialect, *archive)
    query = f"SELECT DISTINCT upsert_guard_reason AS reason FROM {name} ORDER BY 1"
    return tuple(str(row.reason) for row in execute(connection, query))


def script_deduplication(dialect: Dialect, surplus: Surplus) -> Call | None:
    """Return what a script runs; None: the dialect's shell cannot look foreign keys up."""
    known = _DEDUPLICATIONS.get(database_for(dialect))
    if known is None or known.script is None:
        return None
    return known.script(dialect, surplus)


def script_deduplication_in_batches(dialect: Dialect, surplus: Surplus, batches: Batches) -> Script:
    """Return the same in batches, and what fails if it was not finished, where :func:`deduplicates_in_batches`."""
    script = _DEDUPLICATIONS[database_for(dialect)].script_in_batches
    assert script is not None  # noqa: S101 - what commits batches has it
    return script(dialect, surplus, batches)


def script_restoration(dialect: Dialect, key: RowsOfKey, archive: TableName) -> Call | None:
    """Return what a script runs; None: the dialect's shell cannot look columns up."""
    known = _DEDUPLICATIONS.get(database_for(dialect))
    if known is None or known.script_restoration is None:
        return None
    return known.script_restoration(dialect, key, archive)


def _for(connection: Connection, key: RowsOfKey, done: str) -> _Deduplication:
    database = database_for(connection.dialect)
    known = _DEDUPLICATIONS.get(database)
    if known is None:
        raise DeduplicationError(
            f"{key.label(connection.dialect)} cannot be {done} by this directive on {database.name}: write the "
            "statements into the revision"
        )
    return known


def _on_postgresql(connection: Connection, surplus: Surplus) -> Deduplicated:
    return Deduplicated(*_run(connection, deduplication_block(connection.dialect, surplus)))


def _restore_on_postgresql(connection: Connection, key: RowsOfKey, archive: TableName) -> int:
    rows, _ = _run(connection, restoration_block(connection.dialect, key, archive))
    return rows


def _on_sqlite(connection: Connection, surplus: Surplus) -> Deduplicated:
    with all_or_nothing(connection):
        return deduplicate_on_sqlite(connection, surplus)


def _restore_on_sqlite(connection: Connection, key: RowsOfKey, archive: TableName) -> int:
    with all_or_nothing(connection):
        return restore_on_sqlite(connection, key, archive)


_DEDUPLICATIONS = {
    POSTGRESQL: _Deduplication(
        deduplicate=_on_postgresql,
        restore=_restore_on_postgresql,
        deduplicate_in_batches=deduplicate_in_batches_on_postgresql,
        script=deduplication_call,
        script_in_batches=batches_script,
        script_restoration=restoration_call,
    ),
    SQLITE: _Deduplication(deduplicate=_on_sqlite, restore=_restore_on_sqlite),
}


def _run(connection: Connection, block: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    try:
        with all_or_nothing(connection):
            execute(connection, block)
            return parsed(
                str(execute(connection, f"SELECT pg_catalog.current_setting('{RESULT}')").scalar())
            )
    except DBAPIError as error:
        if sqlstate(error) == OUR_STATE:
            raise DeduplicationError(first_sentence(error), detail_of(error)) from error
        raise
