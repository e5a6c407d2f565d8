"""The upserts of ``pg_stat_statements``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...catalog.statements import (
    EXTENSION,
    Obstacle,
    Statistics,
    UnreadableStatistics,
    read_statistics,
)
from ...errors import UpsertGuardError
from ...findings import counted
from ..scan.sql.executed import executed_upserts
from ..target import Unread
from ..upsert import Place
from .recorded import Occurrence, Recorded, add_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

__all__ = ["UnreadableStatisticsError", "upserts_of_statistics", "without_statistics"]

_NOWHERE = Place(path=None, line=None)


class UnreadableStatisticsError(UpsertGuardError):
    """The statistics of a server cannot be read; the message says what to run."""


def upserts_of_statistics(connection: Connection) -> Recorded:
    """Return the upserts that the database of this connection has run. Nothing is written to it.

    :raises UnreadableStatisticsError: there are no statistics, or none of an upsert while some are hidden.
    """
    statistics = read_statistics(connection)
    if isinstance(statistics, UnreadableStatistics):
        raise UnreadableStatisticsError(_way_out(statistics))
    occurrences = [
        Occurrence(upsert=upsert, calls=statement.calls, place=_NOWHERE)
        for statement in statistics.statements
        for upsert in executed_upserts(statement.sql)
    ]
    read = [each for each in occurrences if not isinstance(each.upsert.table, Unread)]
    if not read and statistics.hidden:
        hidden = counted(statistics.hidden, "statement")
        raise UnreadableStatisticsError(
            f"no upsert can be read from {EXTENSION}, and {hidden} of other roles are hidden from {statistics.role}; "
            f"run: {_grant(statistics.role)}"
        )
    return Recorded(
        upserts=add_up(read, is_normalized=True),
        unread=len(occurrences) - len(read),
        notes=tuple(_notes(statistics)),
    )


def without_statistics(database: str) -> str:
    """Return that a kind of database keeps none.

    :param database: SQLAlchemy's name of its dialect.
    """
    return f"{EXTENSION} is PostgreSQL's, and the database is {database}"


def _notes(statistics: Statistics) -> Iterator[str]:
    """What the statistics lack."""
    if statistics.hidden:
        hidden = counted(statistics.hidden, "statement")
        yield (
            f"{EXTENSION}: {hidden} of other roles, upserts or not, are hidden from {statistics.role}; run: "
            f"{_grant(statistics.role)}"
        )
    if statistics.lost:
        lost = counted(statistics.lost, "statement")
        yield f"{EXTENSION}: the server has lost the text of {lost}; run SELECT {EXTENSION}_reset() to count anew"
    if statistics.evicted:
        since = "" if statistics.since is None else f" since {statistics.since:%Y-%m-%d}"
        evicted = counted(statistics.evicted, "time")
        yield (
            f"{EXTENSION}: rare statements made room for others {evicted}{since}, and are not in it; raise "
            f"{EXTENSION}.max"
        )


def _grant(role: str) -> str:
    return f"GRANT pg_read_all_stats TO {role};"


def _way_out(unreadable: UnreadableStatistics) -> str:
    database, role, schema = unreadable.database, unreadable.role, unreadable.schema
    preload = f"ALTER SYSTEM SET shared_preload_libraries = '{EXTENSION}';"
    match unreadable.obstacle:
        case Obstacle.NOT_POSTGRESQL:
            return without_statistics(unreadable.dialect)
        case Obstacle.NOT_ON_SERVER:
            return (
                f"the server has no {EXTENSION}: install the contrib modules of its version, run: {preload} "
                f"Then restart it, and in the database {database} run: CREATE EXTENSION {EXTENSION};"
            )
        case Obstacle.NOT_CREATED:
            return (
                f"the database {database} has no extension {EXTENSION}; as a superuser, in this database, run: "
                f"CREATE EXTENSION {EXTENSION};"
            )
        case Obstacle.NOT_LOADED:
            return (
                f"the server counts no statements, for {EXTENSION} is not preloaded; as a superuser, with the "
                f"libraries that it preloads already in front, run: {preload} Then restart the server"
            )
        case Obstacle.NO_RIGHT:
            return (
                f"{role} may not read {EXTENSION}; run: GRANT USAGE ON SCHEMA {schema} TO {role}; "
                f"GRANT SELECT ON {schema}.{EXTENSION} TO {role}; {_grant(role)}"
            )
