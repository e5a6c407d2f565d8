"""PostgreSQL's deduplication in batches: transactions that lock the rows of some groups, and nobody else's.

The rows of all groups are read once and listed for the session. A batch locks its rows (``FOR UPDATE``), ranks these
versions of them again, and does with them what the one transaction does with all: a row that begins to refer to one of
them asks for its lock (``FOR KEY SHARE``) and waits, so what is counted stays so.
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..catalog.messages import message_of
from ..catalog.postgresql import sqlstate
from ..catalog.postgresql.sqlstates import (
    DEADLOCK_DETECTED,
    LOCK_NOT_AVAILABLE,
    SERIALIZATION_FAILURE,
)
from ..catalog.reading import (
    all_or_nothing,
    commits_each_statement,
    detail_of,
    execute,
    first_sentence,
)
from ..errors import DeduplicationError
from ..findings import counted
from ..online import Observation, Retries, execute_interruptibly
from ..sqltext import EQ, quoted, string_literal
from .deduplicate_postgresql import (
    OUR_STATE,
    RESULT,
    ROUNDS,
    batch_block,
    parsed,
    plan_block,
    planned,
)
from .replication import LagGuard, UnreadableLagError
from .surplus import Deduplicated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from ..online import Drawer, Reporter
    from .batches import Batches
    from .surplus import Surplus

__all__ = ["deduplicate_in_batches_on_postgresql"]

_AGAIN = frozenset({LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED, SERIALIZATION_FAILURE})
"""No lock, a deadlock, a row that another transaction moved to another partition: the batch is tried again."""

_SET_LOCAL = text("SELECT pg_catalog.set_config('lock_timeout', :value, true)")
_TABLES = ("list", "locked", "surplus")


def deduplicate_in_batches_on_postgresql(
    connection: Connection, surplus: Surplus, batches: Batches, reporter: Reporter
) -> Deduplicated:
    """Leave one row of each key, in transactions of `batches.size` surplus rows.

    Duplicates that arrive meanwhile are found by reading again, five times at most; then it is reported that
    they still arrive.

    :raises DeduplicationError: what it is about is undone, and the message says what stays done.
    :raises sqlalchemy.exc.DBAPIError: the connection was lost; what is done stays so.
    """
    run = _BatchRun(connection, surplus, batches, reporter)
    drawer = reporter.drawer(run.subject)
    try:
        with run.failures_reported():
            run.work(drawer)
    finally:
        if drawer is not None:
            drawer.close()
    return run.done()


class _BatchRun:
    def __init__(
        self, connection: Connection, surplus: Surplus, batches: Batches, reporter: Reporter
    ) -> None:
        self.subject = surplus.key.label(connection.dialect)
        self._connection = connection
        self._surplus = surplus
        self._batches = batches
        self._reporter = reporter
        self._retries = Retries()
        self._lag = LagGuard(connection, self.subject, batches.max_lag, reporter)
        self._relation = ""
        self._rows = 0
        self._undone = ""
        self._repointed: Counter[str] = Counter()

    def done(self) -> Deduplicated:
        return Deduplicated(self._rows, tuple(sorted(self._repointed.items())))

    def work(self, drawer: Drawer | None) -> None:
        self._lag.wait()  # what cannot be kept is refused before anything is read
        self._relation = self._with_schema()
        for _ in range(ROUNDS):
            rows, number_of_batches = self._plan()
            if not rows:
                break
            total = self._rows + rows
            for number in range(1, number_of_batches + 1):
                if drawer is not None:
                    drawer.show(
                        Observation(
                            phase="deduplicating", done=self._rows, total=total, unit="rows"
                        )
                    )
                self._lag.wait()
                self._run_batch(number)
                self._lag.mark()
                time.sleep(self._batches.pause)
        else:
            self._reporter.say(
                f"{self.subject}: duplicate rows still arrive, all rows were read {ROUNDS} times; what makes the key "
                "unique may meet some"
            )
        for name in _TABLES:
            execute(self._connection, f"DROP TABLE pg_temp.upsert_guard_{name}")

    def _with_schema(self) -> str:
        self._undone = ", nothing was changed"
        dialect = self._connection.dialect
        name = string_literal(dialect, quoted(dialect, *self._surplus.key.table))
        query = (
            "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c "
            f"JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace "
            f"WHERE c.oid {EQ} CAST({name} AS pg_catalog.regclass)"
        )
        return str(execute(self._connection, query).scalar_one())

    def _plan(self) -> tuple[int, int]:
        self._undone = "" if self._rows else ", nothing was changed"
        block = plan_block(
            self._connection.dialect, self._surplus, self._batches.size, self._relation
        )
        with self._transaction():
            execute_interruptibly(self._connection, block)
            return planned(self._result())

    def _run_batch(self, number: int) -> None:
        self._undone = ", this batch was undone"
        dialect = self._connection.dialect
        block = batch_block(dialect, self._surplus, self._batches.size, number, self._relation)
        pauses = self._retries.pauses()
        while True:
            try:
                with self._transaction():
                    self._connection.execute(_SET_LOCAL, {"value": self._retries.lock_timeout})
                    execute(self._connection, block)
                    rows, repointed = parsed(self._result())
            except DBAPIError as error:  # noqa: PERF203 - a lock is not had quickly
                pause = next(pauses, None)
                if error.connection_invalidated or sqlstate(error) not in _AGAIN or pause is None:
                    raise
                time.sleep(pause)
            else:
                self._rows += rows
                self._repointed.update(dict(repointed))
                return

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with all_or_nothing(self._connection):
            if commits_each_statement(self._connection):
                # what is committed while a lock is waited for has to be seen
                execute(self._connection, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            yield

    def _result(self) -> str:
        query = f"SELECT pg_catalog.current_setting('{RESULT}')"
        return str(execute(self._connection, query).scalar())

    @contextmanager
    def failures_reported(self) -> Iterator[None]:
        """Raise what goes wrong as ours, with what stays done."""
        try:
            yield
        except UnreadableLagError as error:
            raise DeduplicationError(f"{self.subject}: {error}{self._stays_done()}") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            if sqlstate(error) == OUR_STATE:
                message = f"{first_sentence(error)}{self._stays_done()}"
                raise DeduplicationError(message, detail_of(error)) from error
            raise DeduplicationError(
                f"{self.subject} could not be deduplicated{self._undone}{self._stays_done()}. The database says: "
                f"{message_of(error, reveal=self._reporter.reveal)}"
            ) from error

    def _stays_done(self) -> str:
        if not self._rows:
            return ""
        rows = counted(self._rows, "surplus row")
        return f"; {rows} of the batches before it stay done, and the upgrade resumes there when it is run again"
