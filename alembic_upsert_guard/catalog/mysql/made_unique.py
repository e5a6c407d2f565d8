"""What a statement of DDL makes unique, by running it on empty copies of the tables that it may be about."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ...inference import Candidate, Element, Kind
from ...sqltext import quoted
from ..contract import TableName
from ..reading import execute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

__all__ = ["made_unique_by"]

_MOST = 8
"""Tables that are copied; a statement in which more names occur is not asked about."""

_COPY = "upsert_guard_empty_copy"
_PRIMARY = "PRIMARY"


def made_unique_by(
    connection: Connection, sql: str, *, locked: TableName
) -> list[tuple[TableName, Candidate]]:
    """Return the unique keys that the one statement adds, each with its table.

    It is run once more, where temporary copies have the names of the tables, and under LOCK TABLES, by which the server
    refuses (1100) whatever it would do to any other table: nothing but the copies is touched. The statement has failed
    before, and as one of DDL it has ended the transaction. Empty: it adds none, or this cannot be known: the table is
    another database's, the user may not make the copies, or the statement changes columns as well.

    :param locked: a table that exists, and that nobody else locks: Alembic's own.
    """
    if not sql.lstrip()[:6].casefold().startswith(("alter ", "create")):
        return []  # another statement may have a transaction, which the lock would commit
    try:
        with ExitStack() as copies:
            names = _names_in(connection, sql)
            if len(names) > _MOST:
                return []
            for name in names:
                copies.enter_context(_shadowed(connection, name))
            before = {name: _unique_keys(connection, name) for name in names}
            columns = {name: _columns(connection, name) for name in names}
            with _locked(connection, locked):
                execute(connection, sql)
            changed = any(_columns(connection, name) != columns[name] for name in names)
            return [] if changed else list(_added(connection, before))
    except DBAPIError:
        return []


def _names_in(connection: Connection, sql: str) -> list[str]:
    """The tables of the database at hand whose names occur in the statement, whatever they are in it."""
    statement = text(
        "SELECT TABLE_NAME FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND LOCATE(LOWER(TABLE_NAME), LOWER(:sql)) > 0"
    )
    return [str(name) for name in connection.scalars(statement, {"sql": sql})]


@contextmanager
def _shadowed(connection: Connection, name: str) -> Iterator[None]:
    """Have an empty temporary copy under the table's own name, by which the session then sees the copy.

    It is renamed: ``LIKE`` takes no table of the same name.
    """
    relation = quoted(connection.dialect, name)
    execute(connection, f"CREATE TEMPORARY TABLE {_COPY} LIKE {relation}")
    try:
        execute(connection, f"ALTER TABLE {_COPY} RENAME TO {relation}")
    except DBAPIError:
        execute(connection, f"DROP TEMPORARY TABLE {_COPY}")
        raise
    try:
        yield
    finally:
        execute(connection, f"DROP TEMPORARY TABLE {relation}")


@contextmanager
def _locked(connection: Connection, table: TableName) -> Iterator[None]:
    execute(connection, f"LOCK TABLES {quoted(connection.dialect, *table)} READ")
    try:
        yield
    finally:
        execute(connection, "UNLOCK TABLES")


def _columns(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    """Name, type and collation of each: by these rows are compared."""
    rows = execute(connection, f"SHOW FULL COLUMNS FROM {quoted(connection.dialect, name)}")
    return [tuple(row)[:3] for row in rows]


def _unique_keys(connection: Connection, name: str) -> dict[str, Sequence[Any]]:
    """Its rows of SHOW INDEX, by the name of the key; temporary tables are in no catalog."""
    found = execute(connection, f"SHOW INDEX FROM {quoted(connection.dialect, name)}").mappings()
    rows = [row for row in found if not row["Non_unique"]]
    ordered = sorted(rows, key=lambda row: (row["Key_name"], row["Seq_in_index"]))
    return {str(key): list(own) for key, own in groupby(ordered, lambda row: row["Key_name"])}


def _added(
    connection: Connection, before: dict[str, dict[str, Sequence[Any]]]
) -> Iterator[tuple[TableName, Candidate]]:
    for name, known in before.items():
        for key, rows in _unique_keys(connection, name).items():
            if key in known or any(row["Column_name"] is None for row in rows):
                continue
            elements = (Element(row["Column_name"], prefix=row["Sub_part"]) for row in rows)
            kind = Kind.PRIMARY_KEY if key == _PRIMARY else Kind.INDEX
            yield TableName(None, name), Candidate(name=key, elements=tuple(elements), kind=kind)
