"""Why a database cannot keep a key as declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.sql.elements import TextClause

from ..databases import database_for
from .elements import rowid_alias
from .mysql import unsupported_by_mysql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import ClauseElement

    from .declaration import Declaration

__all__ = ["unsupported_by"]


def unsupported_by(dialect: Dialect, table: Table, key: Declaration) -> str | None:
    """Return why this database cannot keep the key, as what follows upon its name; None: it can.

    SQLAlchemy leaves out what a dialect has no word for: the constraint would be created, and be another.
    """
    database = database_for(dialect)
    most = database.most_elements
    if key.nulls == "not_distinct" and key.is_nullable(table):
        reason = _without_nulls_not_distinct(dialect)
        if reason is not None:
            return f'states nulls="not_distinct", {reason}'
    if key.where is not None and not database.predicate_options:
        return (
            f"is partial, and {database.name} has no partial indexes that SQLAlchemy creates: the index would "
            "cover every row; remove the predicate, or key a generated column"
        )
    if most is not None and len(key.elements) > most:
        return (
            f"has {len(key.elements)} elements, and an index of {database.name} holds {most}: key fewer "
            "columns, or a generated column with a hash of them"
        )
    if database.numbers_rows_by_primary_key:
        return _names_hidden_rowid(dialect, table, key.elements)
    return unsupported_by_mysql(dialect, table, key.target, key.elements)


def _names_hidden_rowid(
    dialect: Dialect, table: Table, elements: Sequence[ClauseElement]
) -> str | None:
    hidden = next((name for name in map(_hidden_rowid, elements) if name), None)
    if hidden is None:
        return None
    rowid = rowid_alias(table, dialect)
    fix = f'write UpsertKey("{rowid}")' if rowid else "give the table an INTEGER PRIMARY KEY"
    return f"names {hidden}, SQLite's own number of a row, which no index can hold; {fix}"


def _hidden_rowid(element: ClauseElement) -> str | None:
    """The name that the element has for the rowid; as a column's it would be the column."""
    name = element.text if isinstance(element, TextClause) else None
    return name if name is not None and name.casefold() in ("rowid", "oid", "_rowid_") else None


def _without_nulls_not_distinct(dialect: Dialect) -> str | None:
    """Why the database has no UNIQUE NULLS NOT DISTINCT, as a clause; None: it has, or its version is not known."""
    database = database_for(dialect)
    since = database.nulls_not_distinct_since
    fix = 'state nulls="distinct" or "forbid", or make the columns NOT NULL'
    if since is None:
        return f"which {database.name} does not have: NULLs would not conflict there; {fix}"
    version = getattr(dialect, "server_version_info", None)
    if version is None or version >= since:
        return None
    return (
        f"which PostgreSQL has from version {since[0]} on and this server is "
        f"{'.'.join(map(str, version))}; {fix}"
    )
