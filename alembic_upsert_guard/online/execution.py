"""How a statement runs while the table is written to.

What would stop writers while it waits in a lock's queue is tried under a short ``lock_timeout`` and tried again. What
runs CONCURRENTLY stops nobody, and waits for as long as it must.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..catalog.messages import message_of
from ..catalog.postgresql import sqlstate
from ..catalog.postgresql.sqlstates import DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE, QUERY_CANCELED
from ..catalog.reading import execute
from ..errors import OnlineError
from .interruption import execute_interruptibly
from .progress_watch import watched
from .reporter import Throttle, in_the_way
from .sessions import holders_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from .reporter import Reporter
    from .retries import Retries

__all__ = ["Execution"]

_SET_LOCAL = text("SELECT pg_catalog.set_config('lock_timeout', :value, true)")

_REPORT_AGAIN = 30.0
"""Seconds after which it is reported again what is waited for."""


class Execution:
    """Statements for one index, on a connection in AUTOCOMMIT."""

    def __init__(
        self, connection: Connection, subject: str, retries: Retries, reporter: Reporter
    ) -> None:
        """Refuse a lock_timeout that the server does not take now, and not after a build of hours.

        :param subject: the index, as messages name it.
        """
        self.connection = connection
        self.subject = subject
        self.retries = retries
        self.reporter = reporter
        self._pid = int(connection.scalar(text("SELECT pg_catalog.pg_backend_pid()")) or 0)
        self._throttle = Throttle(_REPORT_AGAIN)
        connection.execute(_SET_LOCAL, {"value": retries.lock_timeout})

    def execute_concurrently(self, statement: str, progress_subject: str) -> None:
        """Execute what stops nobody, however long it waits, and show how far it is.

        :raises sqlalchemy.exc.DBAPIError: the server refuses it.
        :raises KeyboardInterrupt: it was cancelled.
        """
        # lock_timeout would count the wait for old snapshots as well, and leave an INVALID index
        with _lock_timeout(self.connection, "0"):
            drawer = self.reporter.drawer(progress_subject)
            with watched(self.connection, self._pid, drawer, reveal=self.reporter.reveal):
                execute_interruptibly(self.connection, statement)

    def execute_with_lock_timeout(
        self, statements: Sequence[str], relations: Sequence[int]
    ) -> None:
        """Execute all of `statements` or none, under a short lock_timeout, as often as retries say.

        :param relations: oids of the tables whose locks are waited for.
        :raises OnlineError: no lock was to be had, or the server refused.
        """
        pauses = self.retries.pauses()
        while True:
            try:
                self.try_once(statements)
            except DBAPIError as error:  # noqa: PERF203 - a lock is not had quickly
                if error.connection_invalidated:
                    raise
                if sqlstate(error) not in (LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED):
                    raise OnlineError(
                        f"{self.subject}: {self.reason_of(error)}. What was built before stays, and the next run "
                        "resumes with it"
                    ) from error
                holders = holders_of(self.connection, relations, reveal=self.reporter.reveal)
                pause = next(pauses, None)
                if pause is None:
                    raise OnlineError(
                        f"{self.subject}: no lock was to be had in {self.retries.attempts} tries of "
                        f"{self.retries.lock_timeout}{in_the_way(holders)}. What was built before stays: run the "
                        "upgrade again when that session is done, and it resumes here"
                    ) from error
                self.report_waiting(
                    f"{self.subject}: no lock within {self.retries.lock_timeout}, trying again{in_the_way(holders)}"
                )
                time.sleep(pause)
            else:
                return

    def try_once(self, statements: Sequence[str]) -> None:
        """Execute all of `statements` or none, in a transaction under the short lock_timeout.

        :raises sqlalchemy.exc.DBAPIError: no lock was to be had, or the server refused; nothing was changed.
        """
        with self.transaction():
            for statement in statements:
                execute(self.connection, statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in a transaction of its own, under the short lock_timeout."""
        execute(self.connection, "BEGIN")
        try:
            self.connection.execute(_SET_LOCAL, {"value": self.retries.lock_timeout})
            yield
        except DBAPIError as error:
            if not error.connection_invalidated:
                execute(self.connection, "ROLLBACK")
            raise
        execute(self.connection, "COMMIT")

    def report_waiting(self, line: str) -> None:
        """Say what is waited for, now and then."""
        if self._throttle.is_due():
            self.reporter.say(line)

    def reason_of(self, error: DBAPIError) -> str:
        """Return why the server refused, with what its message does not say."""
        message = f"the database says: {message_of(error, reveal=self.reporter.reveal)}"
        if sqlstate(error) == QUERY_CANCELED and "statement timeout" in message:
            limit = self.connection.scalar(
                text("SELECT pg_catalog.current_setting('statement_timeout')")
            )
            return f"{message} (statement_timeout is {limit}: give the role that migrates a longer one)"
        return message


@contextmanager
def _lock_timeout(connection: Connection, value: str) -> Iterator[None]:
    """The session's lock_timeout, for the block."""
    before = connection.scalar(text("SELECT pg_catalog.current_setting('lock_timeout')"))
    change = text("SELECT pg_catalog.set_config('lock_timeout', :value, false)")
    connection.execute(change, {"value": value})
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.execute(change, {"value": before})
