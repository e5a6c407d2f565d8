"""SQLite's part in the preflight: whether an index on the key can be made at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ...catalog.reading import execute, first_sentence
from ...sqltext import named, quoted, where_sql
from ..statements import totals_sql
from .references import references_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Dialect

    from ...catalog import TableName
    from ..statements import RowsOfKey

__all__ = ["index_obstacle", "lost_with_the_table"]

_INDEX = "upsert_guard_empty_copy"

_IMPURE = "non-deterministic use of "
"""vdbeapi.c: sqlite3NotPureFunc, of ``date('now')`` and its like, which only a row shows."""


def index_obstacle(connection: Connection, key: RowsOfKey) -> str | None:
    """Return SQLite's message for why no unique index can be made on the key; None: one can, as far as it can be asked.

    ``EXPLAIN`` parses CREATE INDEX on the table itself and runs nothing. Functions that are deterministic by their
    arguments need a row: the first that the key is about and one of NULLs, on an empty copy that is taken away
    again.

    :raises sqlalchemy.exc.DBAPIError: the rows cannot be read either, as where the table is not there.
    """
    dialect = connection.dialect
    try:
        execute(connection, f"EXPLAIN {_index_sql(dialect, key, key.table.schema)}").close()
    except DBAPIError as error:
        # what cannot be read is reported as such
        execute(connection, f"EXPLAIN {totals_sql(dialect, key)}").close()
        return first_sentence(error)
    plain = all(element.column is not None for element in key.target.elements)
    return None if plain and key.target.predicate is None else _row_obstacle(connection, key)


def _row_obstacle(connection: Connection, key: RowsOfKey) -> str | None:
    empty_copy = quoted(connection.dialect, "temp", key.table.name)
    with _undone(connection):
        try:
            execute(
                connection,
                f"CREATE TEMP TABLE {quoted(connection.dialect, key.table.name)} AS "
                f"SELECT * FROM {_real(connection.dialect, key.table)}{where_sql(key.target.predicate)} LIMIT 1",
            )
            execute(connection, f"INSERT INTO {empty_copy} DEFAULT VALUES")
            execute(connection, _index_sql(connection.dialect, key, "temp"))
        except DBAPIError as error:
            # anything else comes of the empty copy: a read-only connection, a temporary table itself, equal rows
            message = first_sentence(error)
            return message if message.startswith(_IMPURE) else None
    return None


def _real(dialect: Dialect, table: TableName) -> str:
    return quoted(dialect, table.schema or "main", table.name)


def _index_sql(dialect: Dialect, key: RowsOfKey, schema: str | None) -> str:
    elements = ", ".join(key.elements(dialect))
    index = quoted(dialect, schema, _INDEX)
    where = where_sql(key.target.predicate)
    return f"CREATE UNIQUE INDEX {index} ON {quoted(dialect, key.table.name)} ({elements}){where}"


def lost_with_the_table(connection: Connection, table: TableName) -> dict[str, int]:
    """Return how many rows of each foreign key refer to the table, where ``DROP TABLE`` does to them what it states.

    It deletes the table's rows first (https://www.sqlite.org/foreignkeys.html#fk_schemacommands): what cascades is gone
    without a word. Empty where SQLite does not enforce foreign keys. The table's own references come back with it.
    """
    if not execute(connection, "PRAGMA foreign_keys").scalar():
        return {}
    dialect = connection.dialect
    counts: dict[str, int] = {}
    for reference in references_to(connection, table):
        if reference.child == table:
            continue
        child, own = named(dialect, *reference.child), [named(dialect, c) for c in reference.own]
        refers = " AND ".join(f"{column} IS NOT NULL" for column in own)
        statement = f"SELECT count(*) FROM {child} WHERE {refers}"
        counts[f"{child} ({', '.join(own)})"] = int(execute(connection, statement).scalar_one())
    return {label: count for label, count in counts.items() if count}


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    """Leave the database and the transaction as they were, whichever of Python's ways to begin one is in use."""
    # SQL and not begin_nested(), which would leave a transaction open that none was in before
    execute(connection, "SAVEPOINT upsert_guard_empty_copy")
    try:
        yield
    finally:
        execute(connection, "ROLLBACK TO SAVEPOINT upsert_guard_empty_copy")
        execute(connection, "RELEASE SAVEPOINT upsert_guard_empty_copy")
