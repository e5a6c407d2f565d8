"""PostgreSQL: what the statistics of statements hold that may upsert, by the extension ``pg_stat_statements``.

Manual: https://www.postgresql.org/docs/current/pgstatstatements.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..databases import database_for
from ..sqltext import EQ, named, quoted
from .postgresql import sqlstate
from .reading import rolled_back

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Row

__all__ = [
    "EXTENSION",
    "Obstacle",
    "RecordedStatement",
    "Statistics",
    "UnreadableStatistics",
    "read_statistics",
]

EXTENSION = "pg_stat_statements"


class Obstacle(Enum):
    """Why there are no statistics to read."""

    NOT_POSTGRESQL = "another kind of database"
    NOT_ON_SERVER = "the server's files have no such extension"
    NOT_CREATED = "the extension is not created in this database"
    NOT_LOADED = "the library is not preloaded"
    NO_RIGHT = "the view may not be read"


_REFUSALS = {"55000": Obstacle.NOT_LOADED, "42501": Obstacle.NO_RIGHT}
"""By SQLSTATE: object_not_in_prerequisite_state, insufficient_privilege."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableStatistics:
    """That there are none to read, and what the way out depends on."""

    obstacle: Obstacle
    dialect: str
    database: str = ""
    role: str = ""
    """Who was to read them, in quotes where SQL needs them; as are the names below."""
    schema: str = ""
    """Of the extension; empty: it is not created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStatement:
    """One statement, of which the server has replaced the literals by ``$n``, as a rule."""

    sql: str
    calls: int
    """How often it was executed, by all roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What one database has executed, as far as the server still knows."""

    database: str
    role: str
    """Who reads them, in quotes where SQL needs them."""
    statements: tuple[RecordedStatement, ...] = ()
    """Those with the word CONFLICT; a text that several roles or queries share is one."""
    hidden: int = 0
    """Entries of other roles, of whatever statements, that `role` may not read."""
    lost: int = 0
    """Entries of which the server has lost the text."""
    evicted: int | None = None
    """How often entries made room for others since `since`; None: not known, the extension is older than 1.9."""
    since: datetime | None = None
    """When the counting began; None: not known, as above."""


def read_statistics(connection: Connection) -> Statistics | UnreadableStatistics:
    """Return what the database of this connection has executed, or why that cannot be read. Nothing is written.

    :raises sqlalchemy.exc.DBAPIError: whatever else the database answers.
    """
    dialect = connection.dialect
    database = database_for(dialect)
    if not database.has_statement_statistics:
        return UnreadableStatistics(obstacle=Obstacle.NOT_POSTGRESQL, dialect=database.name)
    view = connection.execute(_VIEW).one()
    obstacle = Obstacle.NOT_CREATED if view.is_available else Obstacle.NOT_ON_SERVER
    if view.schema_name is not None:
        try:
            with rolled_back(connection):
                return _read(connection, view)
        except DBAPIError as error:
            refused = _REFUSALS.get(sqlstate(error) or "")
            if refused is None:
                raise
            obstacle = refused
    return UnreadableStatistics(
        obstacle=obstacle,
        dialect=database_for(dialect).name,
        database=named(dialect, view.database),
        role=named(dialect, view.role),
        schema=named(dialect, view.schema_name),
    )


_VIEW = text(f"""
    SELECT pg_catalog.current_database() AS database, CURRENT_USER AS role,
           (SELECT n.nspname FROM pg_catalog.pg_extension e
            JOIN pg_catalog.pg_namespace n ON n.oid {EQ} e.extnamespace
            WHERE e.extname {EQ} '{EXTENSION}') AS schema_name,
           -- version 1.9, which PostgreSQL 14 brings, and older databases update to
           EXISTS (SELECT FROM pg_catalog.pg_extension e
                   JOIN pg_catalog.pg_class c ON c.relnamespace {EQ} e.extnamespace
                   WHERE e.extname {EQ} '{EXTENSION}' AND c.relname {EQ} '{EXTENSION}_info') AS has_info,
           EXISTS (SELECT FROM pg_catalog.pg_available_extensions a
                   WHERE a.name {EQ} '{EXTENSION}') AS is_available
""")


def _read(connection: Connection, view: Row[Any]) -> Statistics:
    relation = quoted(connection.dialect, view.schema_name, EXTENSION)
    rows = connection.execute(text(_STATEMENTS.format(relation=relation))).all()
    evicted = since = None
    if view.has_info:
        info = quoted(connection.dialect, view.schema_name, f"{EXTENSION}_info")
        evicted, since = connection.execute(
            text(f"SELECT i.dealloc, i.stats_reset FROM {info} i")
        ).one()
    return Statistics(
        database=view.database,
        role=named(connection.dialect, view.role),
        statements=tuple(
            RecordedStatement(sql=row.sql, calls=int(row.calls))
            for row in rows
            if not row.is_hidden and row.sql is not None
        ),
        hidden=sum(row.entries for row in rows if row.is_hidden),
        lost=sum(row.entries for row in rows if not row.is_hidden and row.sql is None),
        evicted=evicted,
        since=since,
    )


# an entry of another role has no queryid, and one that was never executed is not shown (pg_stat_statements.c)
_STATEMENTS = f"""
    SELECT s.queryid IS NULL AS is_hidden,
           CASE WHEN s.queryid IS NOT NULL THEN s.query END AS sql,
           pg_catalog.count(*) AS entries,
           pg_catalog.sum(s.calls) AS calls
    FROM {{relation}} s
    WHERE s.dbid {EQ} (SELECT d.oid FROM pg_catalog.pg_database d
                       WHERE d.datname {EQ} pg_catalog.current_database())
      AND (s.queryid IS NULL OR s.query IS NULL OR s.query OPERATOR(pg_catalog.~~*) '%conflict%')
    GROUP BY 1, 2
    ORDER BY 2
"""
