"""Rows brought back from an archive, and rows compared with what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from ...catalog.reading import execute
from ...errors import DeduplicationError
from ...sqltext import named, string_literal
from ..surplus import ARCHIVE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from ...catalog import TableName
    from ..statements import RowsOfKey

__all__ = ["count_changed", "restore_on_sqlite"]


def restore_on_sqlite(connection: Connection, key: RowsOfKey, archive: TableName) -> int:
    """Return how many rows were brought back; see :func:`.restore`."""
    dialect = connection.dialect
    key_label = key.label(dialect)
    inspector = inspect(connection)
    if not inspector.has_table(archive.name, archive.schema):
        return 0
    table, name = named(dialect, *key.table), named(dialect, *archive)
    here = inspector.get_columns(key.table.name, key.table.schema)
    there = {c["name"] for c in inspector.get_columns(archive.name, archive.schema)}
    lost = sorted(there.difference(ARCHIVE_COLUMNS, (c["name"] for c in here)))
    if lost:
        raise DeduplicationError(
            f"{key_label} cannot be restored: {table} lacks {', '.join(lost)}, which {name} has; add it above, or "
            "take it out of the archive"
        )
    columns = [
        named(dialect, c["name"]) for c in here if c["name"] in there and "computed" not in c
    ]
    of_key = f"{name} WHERE upsert_guard_reason = {string_literal(dialect, key_label)}"
    rows = int(execute(connection, f"SELECT count(*) FROM {of_key}").scalar_one())
    listed = ", ".join(columns)
    inserted = execute(
        connection, f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {of_key}"
    ).rowcount
    changed = count_changed(connection, columns, of_key, columns, table)
    if inserted != rows or changed:
        raise DeduplicationError(
            f"{key_label} cannot be restored: a trigger of {table} took {inserted} of {rows} rows and changed "
            f"{changed}; nothing was changed"
        )
    execute(connection, f"DELETE FROM {of_key}")
    if not execute(connection, f"SELECT EXISTS (SELECT 1 FROM {name})").scalar():
        execute(connection, f"DROP TABLE {name}")
    return rows


def count_changed(
    connection: Connection,
    columns: Sequence[str],
    source: str,
    columns_there: Sequence[str],
    target: str,
) -> int:
    """Return how many rows of the source are not in the target as they were, to the type of each value."""
    was, became = (", ".join(f"quote({c})" for c in each) for each in (columns, columns_there))
    query = (
        f"SELECT count(*) FROM (SELECT {was} FROM {source} EXCEPT SELECT {became} FROM {target})"
    )
    return int(execute(connection, query).scalar_one())
