"""An advisory lock for a table, so that of two upgrades one builds and the other waits for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import text

from ..errors import OnlineError
from ..sqltext import EQ, named, quoted
from .reporter import Throttle, in_the_way
from .sessions import sessions_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..catalog import TableName
    from .reporter import Reporter

__all__ = ["UpgradeLock"]

_LOCK_CLASS = 0x75677561
"""The first half of our advisory locks, the ASCII of ``ugua``; the other half is the table's oid."""

_LOOK_AGAIN = 1.0
"""Seconds between two tries."""

_REPORT_AGAIN = 30.0
"""Seconds after which it is reported again who has the lock."""


class UpgradeLock:
    """The lock of one table.

    It is asked for and never waited for: a statement that waits holds a snapshot, and the build waits for those.
    """

    def __init__(self, connection: Connection, table: TableName, reporter: Reporter) -> None:
        self._connection = connection
        self._table = table
        self._reporter = reporter
        self._key: dict[str, int] = {}

    def take(self) -> None:
        """Have the lock, until :meth:`release` or the session's end.

        :raises OnlineError: there is no such table.
        """
        table = named(self._connection.dialect, *self._table)
        relation = quoted(self._connection.dialect, *self._table)
        oid = self._connection.scalar(_OID, {"relation": relation})
        if oid is None:
            raise OnlineError(f"there is no table {table}")
        self._key = {"key": _LOCK_CLASS << 32 | oid}
        throttle = Throttle(_REPORT_AGAIN)
        while not self._connection.scalar(_TRY, self._key):
            if throttle.is_due():
                pids = self._connection.scalars(_HOLDER, self._key).all()
                sessions = sessions_of(self._connection, pids, reveal=self._reporter.reveal)
                self._reporter.say(
                    f"another upgrade is at work on {table}{in_the_way(sessions)}: waiting"
                )
            time.sleep(_LOOK_AGAIN)

    def keep_until_commit(self, connection: Connection) -> None:
        """Have it to the end of the transaction that `connection`, the same session, is in."""
        connection.execute(_KEEP, self._key)

    def release(self, connection: Connection) -> None:
        """Give up what :meth:`take` took."""
        if self._key and not connection.invalidated:
            connection.execute(_RELEASE, self._key)


_OID = text("SELECT CAST(CAST(pg_catalog.to_regclass(:relation) AS pg_catalog.oid) AS bigint)")
_TRY = text("SELECT pg_catalog.pg_try_advisory_lock(CAST(:key AS bigint))")
_KEEP = text("SELECT pg_catalog.pg_advisory_xact_lock(CAST(:key AS bigint))")
_RELEASE = text("SELECT pg_catalog.pg_advisory_unlock(CAST(:key AS bigint))")
_HOLDER = text(f"""
    SELECT l.pid FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_database d ON d.oid {EQ} l.database AND d.datname {EQ} pg_catalog.current_database()
    WHERE l.locktype {EQ} 'advisory' AND l.granted AND l.objsubid {EQ} 1
      AND CAST(l.classid AS bigint) OPERATOR(pg_catalog.<<) 32 OPERATOR(pg_catalog.|) CAST(l.objid AS bigint)
          {EQ} CAST(:key AS bigint) -- operators with a schema are of one precedence, from left to right
""")
"""https://www.postgresql.org/docs/current/view-pg-locks.html: a bigint key is in classid and objid"""
