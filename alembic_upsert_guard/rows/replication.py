"""How far standbys and other receivers of the server's log are behind."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from ..errors import UpsertGuardError
from ..online import Throttle
from ..sqltext import EQ

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..online import Reporter

__all__ = ["LagGuard", "Mark", "Receiver", "UnreadableLagError", "lag_of"]

_LOOK_AGAIN = 1.0
"""Seconds between two looks."""

_REPORT_AGAIN = 30.0
"""Seconds after which it is reported again who is waited for."""


class UnreadableLagError(UpsertGuardError):
    """The role may not see how far a standby is behind; the message is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One line of pg_stat_replication."""

    name: str
    lag: float | None
    """Seconds, as the server measured them last; None: it is up to date, or has reported nothing."""
    position: int | None
    """Where in the log it is, in bytes; None: it has reported nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the log ended at some time."""

    position: int
    """Bytes."""
    time: float
    """Seconds since whenever."""


def lag_of(receiver: Receiver, mark: Mark | None, now: float) -> float:
    """Return the seconds that a receiver is behind at least.

    The server measures when an answer comes. One that replays nothing keeps its last lag, so a mark of our own counts
    as well: a receiver that has not reached it is behind by its age.
    https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW
    """
    measured = receiver.lag or 0.0
    if mark is None or _has_reached(receiver, mark):
        return measured
    return max(measured, now - mark.time)


def _has_reached(receiver: Receiver, mark: Mark) -> bool:
    return receiver.position is not None and receiver.position >= mark.position


class LagGuard:
    """Waits for receivers that are too far behind."""

    def __init__(
        self, connection: Connection, subject: str, max_lag: float | None, reporter: Reporter
    ) -> None:
        self._connection = connection
        self._subject = subject
        self._max_lag = max_lag
        self._reporter = reporter
        self._mark: Mark | None = None

    def wait(self) -> None:
        """Return when none is further behind than it may be; where nobody asked for that, at once.

        :raises UnreadableLagError: the role may not see it.
        """
        if self._max_lag is None:
            return
        throttle = Throttle(_REPORT_AGAIN)
        while True:
            now = time.monotonic()
            receivers = _receivers(self._connection)
            mark = self._mark
            if mark is not None and all(_has_reached(receiver, mark) for receiver in receivers):
                self._mark = None
            lags = [(lag_of(receiver, self._mark, now), receiver.name) for receiver in receivers]
            lag, name = max(lags, default=(0.0, ""))
            if lag <= self._max_lag:
                return
            if throttle.is_due():
                self._reporter.say(
                    f"{self._subject}: waits for {name}, which is {lag:.1f} s behind (max_lag={self._max_lag:g})"
                )
            time.sleep(min(_LOOK_AGAIN, self._max_lag))

    def mark(self) -> None:
        """Note where the log ends now, unless what was noted before is still not reached."""
        if self._max_lag is not None and self._mark is None:
            position = self._connection.scalar(_END)
            self._mark = Mark(int(position or 0), time.monotonic())


def _receivers(connection: Connection) -> list[Receiver]:
    rows = connection.execute(_RECEIVERS).all()
    if any(row.state is None for row in rows):
        raise UnreadableLagError(
            "max_lag cannot be kept: this role may not see how far the standbys are behind; GRANT pg_monitor to it"
        )
    return [
        Receiver(
            name=f"{row.application_name or 'a standby'} ({row.address or 'this machine'})",
            lag=None if row.lag is None else float(row.lag),
            position=None if row.position is None else int(row.position),
        )
        for row in rows
    ]


_POSITION = "pg_catalog.pg_wal_lsn_diff({}, CAST('0/0' AS pg_catalog.pg_lsn))"
_END = text(f"SELECT {_POSITION.format('pg_catalog.pg_current_wal_flush_lsn()')}")
# a base backup receives no log; a receiver that does not replay has no replay_lag
_RECEIVERS = text(f"""
    SELECT application_name, CAST(client_addr AS pg_catalog.text) AS address, state,
           extract(epoch FROM coalesce(replay_lag, flush_lag, write_lag)) AS lag,
           {_POSITION.format("coalesce(replay_lsn, flush_lsn, write_lsn)")} AS position
    FROM pg_catalog.pg_stat_replication
    WHERE state IS NULL OR state {EQ} 'streaming' OR state {EQ} 'catchup'
    ORDER BY pid
""")
