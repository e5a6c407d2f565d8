"""Deduplications in batches whose session is ended, between batches and inside of them, and which are then resumed.

Each case has a database of its own, and each run a session: what a kill leaves is what was committed.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from alembic_upsert_guard.errors import DeduplicationError

from .postgresql import set_up
from .promises import BrokenPromiseError, Made, Promises, in_batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, Connection, Engine

    from alembic_upsert_guard.rows import Deduplicated

    from .cases import Case
    from .promises import Tally

__all__ = ["MOMENTS", "Batching", "Kill", "Killable"]

BETWEEN, BEGUN, MEANWHILE, NOT_COMMITTED = MOMENTS = (
    "between batches",
    "in a batch, before its rows are locked",
    "while a batch runs",
    "in a batch, before its commit",
)


@dataclass(frozen=True)
class Kill:
    """When the session ends."""

    batch: int
    """From 1; 0 is the reading of all rows."""

    moment: str
    """One of `MOMENTS`."""

    milliseconds: int
    """After which a batch that runs is met, or its end."""


@dataclass(frozen=True)
class Batching:
    """How a case is deduplicated in batches."""

    size: int
    kills: tuple[Kill, ...]
    """One for each run but the last."""


class Killable:
    """A server whose databases are made for one case each, as copies of what every case finds."""

    def __init__(self, url: URL) -> None:
        self._server = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._template = f"{url.database}_found"
        self._database = f"{url.database}_killed"
        # nothing here outlives the server: a database is made and dropped without waiting for a disk
        self._run("ALTER SYSTEM SET fsync = off")
        self._run("SELECT pg_reload_conf()")
        self._run(f"CREATE DATABASE {self._template}")
        found = self._engine(self._template)
        set_up(found)
        found.dispose()

    def close(self) -> None:
        """Drop what it has made."""
        self._run(f"DROP DATABASE {self._template} WITH (FORCE)")
        self._server.dispose()

    def hold(self, case: Case, tally: Tally, batching: Batching) -> None:
        """Hold a case that can be deduplicated against the oracle, after each kill and at the end.

        :raises BrokenPromiseError: the first promise that is broken.
        """
        self._run(f"CREATE DATABASE {self._database} TEMPLATE {self._template}")
        engine = self._engine(self._database)
        try:
            # a transaction, as elsewhere
            reading = engine.execution_options(isolation_level="READ COMMITTED")
            with reading.connect() as connection:
                _KilledPromises(_Committed(connection, case, engine), tally, batching).hold()
        finally:
            engine.dispose()
            self._run(f"DROP DATABASE {self._database} WITH (FORCE)")

    def _engine(self, database: str) -> Engine:
        url = self._server.url.set(database=database)
        return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def _run(self, statement: str) -> None:
        with self._server.connect() as connection:
            connection.exec_driver_sql(statement)


class _Committed(Made):
    """The case's tables, committed."""

    def __init__(self, connection: Connection, case: Case, engine: Engine) -> None:
        super().__init__(connection, case)
        self._engine = engine
        for statement in (*case.statements, "RESET ROLE"):
            self.run(statement)
        connection.commit()

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A session of who deduplicates; what reads the tables is another."""
        with self._engine.connect() as connection:
            if self.case.role is not None:
                connection.exec_driver_sql(f"SET ROLE {self.case.role}")
            yield connection

    def end(self, pid: int) -> None:
        """End a session, and return when it is gone."""
        with self._engine.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
            there = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"
            while other.exec_driver_sql(there).scalar_one():
                pass


class _Executioner:
    """Ends a session when a moment has come."""

    def __init__(self, made: _Committed, connection: Connection, kill: Kill) -> None:
        self._made = made
        self._kill = kill
        self._pid = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        self._begun = 0
        self._thread: threading.Thread | None = None
        event.listen(connection, "before_cursor_execute", self._before)

    def close(self) -> None:
        """Return when it does nothing any more."""
        if self._thread is not None:
            self._thread.join()

    def _before(self, _: Connection, __: object, statement: str, *___: object) -> None:
        at, moment = self._kill.batch, self._kill.moment
        if statement.lstrip().startswith("DO "):
            if self._begun == at and moment == BEGUN:
                self._made.end(self._pid)
            if self._begun == at and moment == MEANWHILE:
                self._thread = threading.Thread(target=self._end_soon)
                self._thread.start()
            self._begun += 1
        elif self._begun == at + 1 and (moment, statement) in (
            (NOT_COMMITTED, "COMMIT"),
            (BETWEEN, "BEGIN"),
        ):
            self._made.end(self._pid)

    def _end_soon(self) -> None:
        time.sleep(self._kill.milliseconds / 1000)
        self._made.end(self._pid)


class _KilledPromises(Promises):
    def __init__(self, made: _Committed, tally: Tally, batching: Batching) -> None:
        super().__init__(made, made.case, tally, batching.size)
        self._committed = made
        self._batching = batching

    def hold(self) -> bool:
        before = self.made.state()
        expected = self._expected(before)
        gone = 0
        for kill in self._batching.kills:
            done = self._run(kill)
            self.tally.kills[f"killed {kill.moment}" if done is None else "ended before it"] += 1
            gone = self._hold_partly_done(before, expected)
            if done is not None:
                break
        done = self._run(None)
        self.tally.kills["resumed"] += 1
        self.tally.kills["of these, after some batches"] += 0 < gone < len(expected.archived)
        left = len(expected.archived) - gone
        self._holds("who resumes says what was left", done is not None and done.rows == left, done)
        self._hold_after(before, expected)
        if self.case.archive is not None:
            self._hold_restored(expected)
        return True

    def _run(self, kill: Kill | None) -> Deduplicated | None:
        """What was done; None: the session has ended before."""
        self.connection.rollback()  # what was read holds nothing up
        with self._committed.session() as connection:
            executioner = None if kill is None else _Executioner(self._committed, connection, kill)
            try:
                return in_batches(self._batching.size, connection, self.case.surplus())
            except DeduplicationError as error:
                raise BrokenPromiseError("what was stopped can be resumed", str(error)) from error
            except DBAPIError as error:
                if kill is None or not error.connection_invalidated:
                    raise BrokenPromiseError("what was stopped can be resumed", error) from error
            finally:
                if executioner is not None:
                    executioner.close()
        return None
