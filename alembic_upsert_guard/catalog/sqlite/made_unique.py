"""What SQL makes unique, by running it on empty copies of the tables that it may be about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from ...inference import Candidate, ConflictTarget, Element
from ...sqltext import named, quoted
from ..contract import TableName
from .planner import explain_upsert
from .scratch import in_memory, refusal_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect

__all__ = ["made_unique_by"]

_WHERE = "where"


def made_unique_by(connection: Connection, sql: str) -> list[tuple[TableName, Candidate]]:
    """Return the unique indexes that the one statement creates, each with its table.

    It is run in a database of its own in memory. Empty: it creates none, or this cannot be known: it is about a
    temporary table or an attached database, or has an expression among the elements, of which no PRAGMA gives the text.
    """
    made: list[tuple[TableName, Candidate]] = []
    with in_memory() as scratch:
        names = [
            name
            for name, definition in _tables(connection)
            if _may_be_named(name, sql) and refusal_of(scratch, definition) is None
        ]
        known = {name: _unique_indexes(scratch, name) for name in names}
        if not names or refusal_of(scratch, sql) is not None:
            return []
        for name in names:
            for index in _unique_indexes(scratch, name) - known[name]:
                candidate = _candidate(connection.dialect, scratch, name, index)
                if candidate is not None:
                    made.append((TableName(None, name), candidate))
    return made


def _may_be_named(table: str, sql: str) -> bool:
    forms = (table, *(table.replace(quote, 2 * quote) for quote in "\"`'"))
    return any(form.casefold() in sql.casefold() for form in forms)


def _tables(connection: Connection) -> Sequence[tuple[str, str]]:
    """The tables of the main database, with the statements that create them."""
    statement = text("""
        SELECT name, sql FROM main.sqlite_master
        WHERE type = 'table' AND sql IS NOT NULL AND substr(name, 1, 7) <> 'sqlite_'
        AND lower(name) NOT IN (SELECT lower(name) FROM temp.sqlite_master)
    """)
    return [(row.name, row.sql) for row in connection.execute(statement)]


def _unique_indexes(scratch: sqlite3.Connection, table: str) -> set[tuple[str, bool]]:
    """The name of each, and whether it has a predicate."""
    statement = 'SELECT name, partial FROM pragma_index_list(?) WHERE "unique"'
    return {(name, bool(partial)) for name, partial in scratch.execute(statement, [table])}


def _candidate(
    dialect: Dialect, scratch: sqlite3.Connection, table: str, index: tuple[str, bool]
) -> Candidate | None:
    """The index; None: a part of it cannot be read."""
    name, partial = index
    elements = _elements(dialect, scratch, table, name)
    if elements is None:
        return None
    predicate = _predicate(dialect, scratch, table, name, elements) if partial else None
    if partial and predicate is None:
        return None
    return Candidate(name=name, elements=elements, partial=partial, predicate=predicate)


def _elements(
    dialect: Dialect, scratch: sqlite3.Connection, table: str, index: str
) -> tuple[Element, ...] | None:
    """Its columns, with the collation where it is not the column's own."""
    columns = _columns_of(scratch, index)
    if any(column is None for column, _ in columns):
        return None
    listed = ", ".join(quoted(dialect, str(column)) for column, _ in columns)
    own = f"CREATE INDEX upsert_guard_own ON {quoted(dialect, table)} ({listed})"
    if refusal_of(scratch, own) is not None:
        return None
    collations = [collation for _, collation in _columns_of(scratch, "upsert_guard_own")]
    scratch.execute("DROP INDEX upsert_guard_own")
    return tuple(
        Element(
            column, collation=None if collation == of_column else named(dialect, collation.lower())
        )
        for (column, collation), of_column in zip(columns, collations, strict=True)
    )


def _columns_of(scratch: sqlite3.Connection, index: str) -> list[tuple[str | None, str]]:
    statement = 'SELECT name, coll FROM pragma_index_xinfo(?) WHERE "key" ORDER BY seqno'
    return [(name, collation) for name, collation in scratch.execute(statement, [index])]


def _predicate(
    dialect: Dialect,
    scratch: sqlite3.Connection,
    table: str,
    index: str,
    elements: Sequence[Element],
) -> str | None:
    """The index's predicate: what comes after the one WHERE that ends its statement without it; None: not known.

    SQLite says which that is: it infers the index for an upsert with that predicate, and with no other.
    """
    (definition,) = scratch.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", [index]
    ).fetchone()
    for unfinished, predicate in _splits(definition):
        scratch.execute("SAVEPOINT one")
        scratch.execute(f"DROP INDEX {quoted(dialect, index)}")
        ends = refusal_of(scratch, unfinished) is None
        scratch.execute("ROLLBACK TO one")
        target = ConflictTarget(tuple(elements), predicate)
        columns = [
            row[1] for row in scratch.execute(f"PRAGMA table_info({quoted(dialect, table)})")
        ]
        upsert = explain_upsert(dialect, TableName(None, table), columns, target)
        if ends and refusal_of(scratch, upsert) is None:
            return predicate
    return None


def _splits(definition: str) -> Iterator[tuple[str, str]]:
    """What is before and after each WHERE, wherever it is."""
    at = definition.casefold().find(_WHERE)
    while at >= 0:
        after = at + len(_WHERE)
        yield definition[:at], definition[after:].strip()
        at = definition.casefold().find(_WHERE, after)
