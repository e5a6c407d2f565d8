"""How far a long statement is and which sessions block it, seen over a second connection while the first is busy.

The second connection commits each statement: a snapshot that it kept would be one more that the build waits for.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, StaticPool

from ..catalog.messages import message_of
from ..sqltext import EQ
from .sessions import blockers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Row
    from sqlalchemy.ext.asyncio import AsyncEngine

    from .sessions import Session

__all__ = ["Drawer", "Observation", "watched"]

log = logging.getLogger(__name__)

_EVERY = 0.5
"""Seconds between two looks, and before the first one."""

_JOIN_TIMEOUT = 2.0
"""Seconds after which a look that does not come back is waited for no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look at the statement."""

    phase: str
    """As pg_stat_progress_create_index names it; empty: the server does not say."""
    done: int = 0
    total: int = 0
    """Of `unit`; 0: this phase counts nothing."""
    unit: str = "blocks"
    blockers: tuple[Session, ...] = ()
    """The sessions that it waits for."""


class Drawer(Protocol):
    """What shows observations."""

    def show(self, observation: Observation) -> None:
        """Show how far it is; called from another thread than the statement's."""

    def close(self) -> None:
        """Show nothing from now on; may be called twice, and where nothing was shown."""


@contextmanager
def watched(
    connection: Connection, pid: int, drawer: Drawer | None, *, reveal: bool
) -> Iterator[None]:
    """Show `drawer` the progress of the statements of session `pid`, as long as the block lasts.

    Where no second connection can be had, or it is lost, the block runs all the same, unseen.
    """
    if drawer is None or not _can_have_a_second(connection):
        yield
        return
    over = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(connection, pid, drawer, over), kwargs={"reveal": reveal}, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_JOIN_TIMEOUT)
        drawer.close()


def _can_have_a_second(connection: Connection) -> bool:
    pool = connection.engine.pool
    if connection.dialect.is_async:
        # a connection belongs to the event loop that made it: it may not go back to a pool
        return isinstance(pool, NullPool)
    return not isinstance(pool, StaticPool)  # it has one connection, and gives that to everybody


def _watch(
    connection: Connection, pid: int, drawer: Drawer, over: threading.Event, *, reveal: bool
) -> None:
    # most of a thousand partitions are done by the first look, and take no connection for it
    if over.wait(_EVERY):
        return
    engine = connection.engine
    try:
        if connection.dialect.is_async:
            # greenlet, which it imports, need not be there: SQLAlchemy 2.1 has it as an extra
            from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: PLC0415

            asyncio.run(_look_async(AsyncEngine(engine), pid, drawer, over, reveal=reveal))
            return
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as second:
            _look(second, pid, drawer, over, reveal=reveal)
    except Exception as error:  # noqa: BLE001 - whatever a driver or a terminal raises: a watcher stops nothing
        shown = message_of(error, reveal=reveal) if isinstance(error, DBAPIError) else error
        log.debug("nobody watches session %s: %s", pid, shown)
    finally:
        drawer.close()


def _look(
    connection: Connection, pid: int, drawer: Drawer, over: threading.Event, *, reveal: bool
) -> None:
    while not over.is_set():
        observation = _observe(connection, pid, reveal=reveal)
        if not over.is_set():
            drawer.show(observation)
        over.wait(_EVERY)


async def _look_async(
    engine: AsyncEngine, pid: int, drawer: Drawer, over: threading.Event, *, reveal: bool
) -> None:
    async with engine.connect() as second:
        await second.execution_options(isolation_level="AUTOCOMMIT")
        # the loop is this thread's own, and has nothing else to do
        await second.run_sync(_look, pid, drawer, over, reveal=reveal)


_PROGRESS = text(f"""
    SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total, lockers_done, lockers_total
    FROM pg_catalog.pg_stat_progress_create_index WHERE pid {EQ} :pid
""")
"""https://www.postgresql.org/docs/current/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING"""


def _observe(connection: Connection, pid: int, *, reveal: bool) -> Observation:
    blockers = tuple(blockers_of(connection, pid, reveal=reveal))
    row = connection.execute(_PROGRESS, {"pid": pid}).one_or_none()
    if row is None:
        return Observation(phase="", blockers=blockers)
    done, total, unit = _counted(row)
    return Observation(
        phase=row.phase, done=done or 0, total=total or 0, unit=unit, blockers=blockers
    )


def _counted(row: Row[Any]) -> tuple[int | None, int | None, str]:
    """Return what the phase counts; the other columns keep what an earlier one left, or are there too early."""
    if row.phase.startswith("waiting"):
        return row.lockers_done, row.lockers_total, "sessions"
    if "sorting" in row.phase:
        return 0, 0, "rows"  # rows are counted when they go into the tree
    if "tuples" in row.phase:
        return row.tuples_done, row.tuples_total, "rows"
    return row.blocks_done, row.blocks_total, "blocks"
