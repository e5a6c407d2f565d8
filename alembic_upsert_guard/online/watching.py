"""How far a long statement is and who holds it up, seen over a second connection while the first one is busy.

The second connection commits each statement: a snapshot that it kept would be one more that the build waits for.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool, StaticPool

from .sessions import blockers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

__all__ = ["Drawer", "Observation", "watched"]

log = logging.getLogger(__name__)

_EVERY = 0.5
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at the statement."""

    phase: str
    """As pg_stat_progress_create_index names it; empty: the server does not say."""
    done: int = 0
    total: int = 0
    """Of `unit`; 0: this phase counts nothing."""
    unit: str = "blocks"
    blockers: tuple[str, ...] = ()
    """The sessions that it waits for, in words."""


class Drawer(Protocol):
    """What shows observations to people."""

    def show(self, observation: Observation) -> None:
        """Show how far it is; called from another thread than :meth:`close`."""

    def close(self) -> None:
        """Show that it has ended, well or not."""


@contextmanager
def watched(
    connection: Connection, pid: int, drawer: Drawer | None, *, reveal: bool
) -> Iterator[None]:
    """Show `drawer` how the statements of session `pid` get on, as long as the block lasts.

    Where no second connection can be had the block runs all the same, unseen.
    """
    if drawer is None:
        yield
        return
    if not _can_have_a_second(connection):
        try:
            yield
        finally:
            drawer.close()
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
        thread.join(timeout=10)
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
    engine = connection.engine
    try:
        if connection.dialect.is_async:
            asyncio.run(_watch_async(AsyncEngine(engine), pid, drawer, over, reveal=reveal))
            return
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as second:
            while not over.wait(_EVERY):
                drawer.show(_observe(second, pid, reveal=reveal))
    except (SQLAlchemyError, OSError) as error:
        log.debug("nobody watches the build: %s", error)


async def _watch_async(
    engine: AsyncEngine, pid: int, drawer: Drawer, over: threading.Event, *, reveal: bool
) -> None:
    async with engine.connect() as second:
        await second.execution_options(isolation_level="AUTOCOMMIT")
        while not over.is_set():
            drawer.show(await second.run_sync(lambda sync: _observe(sync, pid, reveal=reveal)))
            await asyncio.sleep(_EVERY)


_PROGRESS = text("""
    SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total, lockers_done, lockers_total
    FROM pg_stat_progress_create_index WHERE pid = :pid
""")
"""https://www.postgresql.org/docs/current/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING"""


def _observe(connection: Connection, pid: int, *, reveal: bool) -> Observation:
    blockers = tuple(blockers_of(connection, pid, reveal=reveal))
    row = connection.execute(_PROGRESS, {"pid": pid}).one_or_none()
    if row is None:
        return Observation("", blockers=blockers)
    # a phase counts one of the three, and the others keep what an earlier one left
    waiting = row.phase.startswith("waiting")
    done, total, unit = (
        (row.lockers_done, row.lockers_total, "sessions")
        if waiting
        else (row.tuples_done, row.tuples_total, "rows")
        if "tuples" in row.phase
        else (row.blocks_done, row.blocks_total, "blocks")
    )
    return Observation(row.phase, done or 0, total or 0, unit, blockers)
