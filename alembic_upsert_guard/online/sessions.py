"""Other sessions that are waited for, as the server lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from ..sqltext import EQ, MINUS, NE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection

__all__ = ["Session", "blockers_of", "format_seconds", "holders_of", "sessions_of"]

_QUERY_LIMIT = 80
"""Characters of a session's statement in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Another session, as pg_stat_activity has it. Its ``str()`` is what messages show."""

    pid: int
    """0: a transaction that is prepared, which belongs to no session any more."""
    role: str | None = None
    application: str | None = None
    state: str | None = None
    """As the server names it; None: this role may not see it."""
    in_transaction: bool = False
    seconds: float = 0.0
    """Since its transaction began; outside of one, since its state is what it is."""
    query: str | None = None
    """Its statement, or the last one, on one line and cut short; None: not shown."""
    prepared: str | None = None
    """The name under which the transaction is prepared; `role` is its owner and `seconds` are since then."""

    def __str__(self) -> str:
        if self.prepared is not None:
            name = "'{}'".format(self.prepared.replace("'", "''"))
            return (
                f"the prepared transaction {name} of {self.role}, prepared {format_seconds(self.seconds)} ago "
                f"(COMMIT PREPARED {name} or ROLLBACK PREPARED {name} ends it)"
            )
        if not self.pid:
            return "a prepared transaction (listed in pg_prepared_xacts)"
        names = ", ".join(filter(None, (self.role, self.application)))
        parts = [f"pid {self.pid} ({names})" if names else f"pid {self.pid}"]
        if self.state is not None:
            lasts = format_seconds(self.seconds)
            parts.append(
                f"{self.state}, transaction open for {lasts}"
                if self.in_transaction
                else f"{self.state} for {lasts}"
            )
        if self.query:
            parts.append(f"{'' if self.state == 'active' else 'last '}statement: {self.query}")
        return ", ".join(parts)


def blockers_of(connection: Connection, pid: int, *, reveal: bool) -> list[Session]:
    """Return the sessions that `pid` waits for at this moment.

    :param reveal: whether their statements are shown, which hold values.
    """
    pids = f"""
        SELECT b.pid, CASE WHEN b.pid {EQ} 0 THEN ({_PREPARED_IN_THE_WAY}) END
        FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(:pid)) AS b (pid)
    """
    return _read(connection, pids, {"pid": pid}, reveal=reveal)


def holders_of(connection: Connection, relations: Sequence[int], *, reveal: bool) -> list[Session]:
    """Return the sessions that hold any lock on one of `relations` (oids), the oldest transaction first."""
    pids = f"""
        SELECT l.pid, CASE WHEN l.pid IS NULL THEN ({_PREPARED.format(held="l")} LIMIT 1) END
        FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_database d
             ON d.oid {EQ} l.database AND d.datname {EQ} pg_catalog.current_database()
        WHERE l.locktype {EQ} 'relation' AND l.granted AND CAST(l.relation AS bigint) {EQ} ANY(:relations)
          AND (l.pid IS NULL OR l.pid {NE} pg_catalog.pg_backend_pid())
    """
    return _read(connection, pids, {"relations": list(relations)}, reveal=reveal)


def sessions_of(connection: Connection, pids: Iterable[int], *, reveal: bool) -> list[Session]:
    """Return the sessions of these pids, as far as they are still there."""
    statement = "SELECT pg_catalog.unnest(CAST(:pids AS int[])), CAST(NULL AS pg_catalog.xid)"
    return _read(connection, statement, {"pids": list(pids)}, reveal=reveal)


_PREPARED = f"""
    SELECT x.transaction FROM pg_catalog.pg_prepared_xacts x JOIN pg_catalog.pg_locks own
        ON own.transactionid {EQ} x.transaction AND own.pid IS NULL
    WHERE own.virtualtransaction {EQ} {{held}}.virtualtransaction
"""
"""A prepared transaction holds the lock on its own number, under the virtual number of all that it holds."""

_PREPARED_IN_THE_WAY = f"""
    SELECT prepared.transaction FROM pg_catalog.pg_locks wanted JOIN pg_catalog.pg_locks held
        ON held.pid IS NULL AND held.granted AND (
            held.transactionid {EQ} wanted.transactionid
            OR held.relation {EQ} wanted.relation
               AND held.database {EQ} wanted.database)
    CROSS JOIN LATERAL ({_PREPARED.format(held="held")}) AS prepared
    WHERE wanted.pid {EQ} :pid AND NOT wanted.granted
    LIMIT 1
"""
"""One of those that the session waits for."""


def _read(
    connection: Connection, pids: str, parameters: Mapping[str, Any], *, reveal: bool
) -> list[Session]:
    # not asked for where it is not shown: SQLAlchemy logs the rows that it fetches
    short = (
        f"pg_catalog.left(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g'), {_QUERY_LIMIT + 1})"
    )
    query = short if reveal else "CAST(NULL AS pg_catalog.text)"
    # pg_blocking_pids has 0 for a prepared transaction, and pg_locks NULL
    statement = f"""
        SELECT DISTINCT coalesce(p.pid, 0) AS pid, coalesce(x.owner, a.usename) AS usename, a.application_name,
               a.state, a.xact_start, x.gid,
               extract(epoch FROM pg_catalog.clock_timestamp() {MINUS}
                                  coalesce(x.prepared, a.xact_start, a.state_change)) AS seconds,
               {query} AS query
        FROM ({pids}) AS p (pid, transaction) LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid {EQ} p.pid
        LEFT JOIN pg_catalog.pg_prepared_xacts x ON x.transaction {EQ} p.transaction
        WHERE a.pid IS NOT NULL OR coalesce(p.pid, 0) {EQ} 0
        ORDER BY a.xact_start, pid
    """
    return [
        Session(
            pid=row.pid,
            role=row.usename,
            application=row.application_name,
            state=row.state,
            in_transaction=row.xact_start is not None,
            seconds=float(row.seconds or 0),
            # another role's statement comes without a state, and says that it is not for us
            query=_cut(row.query) if reveal and row.state is not None else None,
            prepared=row.gid,
        )
        for row in connection.execute(text(statement), parameters)
    ]


def _cut(query: str) -> str:
    query = query.strip()
    return query if len(query) <= _QUERY_LIMIT else f"{query[:_QUERY_LIMIT]}..."


def format_seconds(seconds: float) -> str:
    """Return a duration in its two largest units, such as ``2 h 5 min``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
