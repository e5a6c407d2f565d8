"""Who is in the way: sessions in words, asked of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection, Row

__all__ = ["blockers_of", "holders_of", "told_sessions"]

_QUERY_LIMIT = 80
"""Characters of a session's statement in a message."""

_SESSION = f"""a.pid, a.state, a.usename AS role_name, a.application_name,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start)) AS age,
       left(regexp_replace(a.query, '\\s+', ' ', 'g'), {_QUERY_LIMIT + 1}) AS query"""

_BLOCKERS = text(f"""
    SELECT {_SESSION} FROM pg_stat_activity a WHERE a.pid = ANY(pg_blocking_pids(:pid)) ORDER BY a.pid
""")

_HOLDERS = text(f"""
    SELECT {_SESSION} FROM pg_stat_activity a
    WHERE a.pid <> pg_backend_pid() AND a.pid IN (
        SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
        WHERE l.locktype = 'relation' AND l.granted AND CAST(l.relation AS bigint) = ANY(:relations))
    ORDER BY a.xact_start NULLS LAST, a.pid
""")

_SESSIONS = text(
    f"SELECT {_SESSION} FROM pg_stat_activity a WHERE a.pid = ANY(:pids) ORDER BY a.pid"
)


def blockers_of(connection: Connection, pid: int, *, reveal: bool) -> list[str]:
    """Return the sessions that `pid` waits for at this moment."""
    return _told(connection.execute(_BLOCKERS, {"pid": pid}).all(), reveal=reveal)


def holders_of(connection: Connection, relations: Sequence[int], *, reveal: bool) -> list[str]:
    """Return the sessions that hold any lock on one of `relations` (oids), the oldest transaction first."""
    return _told(connection.execute(_HOLDERS, {"relations": list(relations)}).all(), reveal=reveal)


def told_sessions(connection: Connection, pids: Iterable[int], *, reveal: bool) -> list[str]:
    """Return the sessions of these pids, as far as they are still there."""
    return _told(connection.execute(_SESSIONS, {"pids": list(pids)}).all(), reveal=reveal)


def _told(rows: Sequence[Row[Any]], *, reveal: bool) -> list[str]:
    return [_session(row, reveal=reveal) for row in rows]


def _session(row: Row[Any], *, reveal: bool) -> str:
    who = ", ".join(filter(None, (row.role_name, row.application_name)))
    what = [f"pid {row.pid}"]
    if who:
        what.append(f"({who})")
    if row.state is not None:  # another role's is not told
        what.append(f"{row.state} for {_age(float(row.age or 0))}")
    query = str(row.query or "").strip()
    if reveal and query:
        cut = query if len(query) <= _QUERY_LIMIT else f"{query[:_QUERY_LIMIT]}..."
        what.append(f"last statement: {cut}")
    return ", ".join((" ".join(what[:2]) if who else what[0], *what[2 if who else 1 :]))


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
