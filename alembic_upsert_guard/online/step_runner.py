"""One step at a time, and what is left where it fails."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..catalog.postgresql import sqlstate
from ..catalog.postgresql.sqlstates import DEADLOCK_DETECTED, UNIQUE_VIOLATION
from ..catalog.reading import execute
from ..errors import OnlineError, UpsertGuardError
from ..sqltext import named, quoted
from .catalog import read_state
from .reporter import Throttle, in_the_way
from .sessions import sessions_of
from .statements import attachment_sql, creation_sql, statements_of
from .steps import Build, DropIndex, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..catalog import TableName
    from .arbiter import OnlineArbiter
    from .execution import Execution
    from .state import IndexState, TableState
    from .steps import Attach, AttachPartition, MakeParent, Step, Swap

__all__ = ["Deadlock", "RowsInTheWay", "StepRunner", "drop_index"]

_SIZE = text(
    "SELECT pg_catalog.pg_relation_size(CAST(CAST(:table AS pg_catalog.int8) AS pg_catalog.regclass))"
)
"""In bytes; NULL where the table is gone."""

_LOOK_AGAIN = 1.0
"""Seconds between two looks at what another session does."""

_REPORT_BUILDS_AGAIN = 10.0
"""Seconds after which it is reported again which partition is at hand: a table can have a thousand of them."""


class RowsInTheWay(UpsertGuardError):  # noqa: N818 - the caller reads the rows, and reports them in its own error
    """The build met rows that break the key."""

    def __init__(self, left_behind: str | None) -> None:
        super().__init__()
        self.left_behind = left_behind
        """The INVALID index that could not be dropped, or the partitioned one that lacks parts; None: nothing."""


class Deadlock(UpsertGuardError):  # noqa: N818 - control flow
    """The server chose the build as the one to stop; nothing is left of it."""


class StepRunner:
    """Runs the steps of one index."""

    def __init__(self, execution: Execution, wanted: OnlineArbiter) -> None:
        self.execution = execution
        self.wanted = wanted
        self._builds_left = 0
        self._connection = execution.connection
        self._dialect = execution.connection.dialect
        self._reporter = execution.reporter
        self._throttle = Throttle(_REPORT_BUILDS_AGAIN)

    def run(self, steps: Sequence[Step], tables: Sequence[TableState]) -> None:
        """Run the steps of a plan in order, up to the first that only waits: the next ones depend on the outcome.

        :param tables: those of the plan, whose locks may be waited for.
        :raises RowsInTheWay: rows break the key.
        :raises Deadlock: a build was stopped by one.
        :raises OnlineError: a lock was not to be had, or the server refused.
        """
        self._builds_left = sum(isinstance(step, Build) for step in steps)
        for step in steps:
            if isinstance(step, Wait):
                self._wait(step)
                return
            self._run(step, tables)

    def _run(
        self,
        step: DropIndex | Build | Attach | MakeParent | AttachPartition | Swap,
        tables: Sequence[TableState],
    ) -> None:
        match step:
            case DropIndex(table, index, reason):
                self._reporter.say(f"dropping {index}: {reason}")
                drop_index(self.execution, table, index)
            case Build(table, index):
                self._build(table, index, is_part=index != self.wanted.name and len(tables) > 1)
            case _:
                oids = [table.oid for table in tables]
                statements = statements_of(self._dialect, step, self.wanted)
                self.execution.execute_with_lock_timeout(statements, oids)

    # -- what stops nobody

    def _wait(self, step: Wait) -> None:
        sessions = sessions_of(self._connection, step.pids, reveal=self._reporter.reveal)
        self.execution.report_waiting(
            f"{step.index} may be being built{in_the_way(sessions)}: waiting"
        )
        time.sleep(_LOOK_AGAIN)

    def _build(self, table: TableName, index: str, *, is_part: bool) -> None:
        """Build an index; where that fails, leave none behind."""
        statement = creation_sql(self._dialect, table, index, self.wanted, concurrently=True)
        subject = f"{index} on {named(self._dialect, *table)}"
        if self._throttle.is_due():
            left = f", {self._builds_left} partitions left" if self._builds_left > 1 else ""
            self._reporter.say(f"building {subject}{left}")
        self._builds_left -= 1
        try:
            self.execution.execute_concurrently(statement, subject)
        except KeyboardInterrupt:
            self._clean_up_interrupted(table, index)
            raise
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            raise self._failure(error, self._clean_up(table, index), is_part=is_part) from error

    def _failure(
        self, error: DBAPIError, left_behind: str | None, *, is_part: bool
    ) -> UpsertGuardError:
        state = sqlstate(error)
        if state == DEADLOCK_DETECTED and left_behind is None:
            return Deadlock()
        if state == UNIQUE_VIOLATION:
            return RowsInTheWay(left_behind or (self.wanted.name if is_part else None))
        left = (
            "Nothing is left of it"
            if left_behind is None
            else f"The INVALID index {left_behind} is left, and the next run drops it"
        )
        execution = self.execution
        return OnlineError(
            f"{execution.subject} was not made: {execution.reason_of(error)}. {left}"
        )

    def _clean_up(self, table: TableName, index: str) -> str | None:
        """Drop what the build left; return its name where that fails."""
        try:
            left = self._index(table, index)
            if left is not None and not left.valid:
                drop_index(self.execution, table, index)
        except (DBAPIError, OnlineError):
            return index
        return None

    def _clean_up_interrupted(self, table: TableName, index: str) -> None:
        """Drop what an interrupted build left, where that takes a moment only; report what is there."""
        try:
            left = self._index(table, index)
            if left is not None and not left.valid:
                # CONCURRENTLY would wait for those whom the build has waited for
                self.execution.try_once(
                    [f"DROP INDEX {quoted(self._dialect, table.schema, index)}"]
                )
        except (DBAPIError, OnlineError):
            self._reporter.say(
                f"interrupted: the INVALID index {index} is left, and the next run drops it and builds it again"
            )
        else:
            outcome = "it was built" if left is not None and left.valid else "nothing is left of it"
            self._reporter.say(
                f"interrupted building {index}: {outcome}. The next run resumes here"
            )

    def _index(self, table: TableName, index: str) -> IndexState | None:
        tables = read_state(self._connection, table, None)
        if not tables:
            raise OnlineError(f"there is no table {named(self._dialect, *table)}")
        return tables[0].named(index)

    # -- what stops everybody, and so does not wait

    def make_on_empty_table(self, table: TableState) -> bool:
        """Make all that is wanted in one short transaction, where the table takes no space; return whether it is made.

        Rows would be kept from writers for as long as the build reads them, so it is looked again under the lock that
        keeps new ones out; its size is looked at and not its rows, which policies can hide and others not have
        committed. A lock that is not to be had at once is no failure: what stops nobody is done instead.
        """
        if not self._takes_no_space(table):
            return False
        dialect, wanted = self._dialect, self.wanted
        relation = quoted(dialect, *table.name)
        mode = "ACCESS EXCLUSIVE" if wanted.constraint else "SHARE"
        statements = [creation_sql(dialect, table.name, wanted.name, wanted)]
        if wanted.constraint:
            statements.append(attachment_sql(dialect, table.name, wanted.name, wanted.name, wanted))
        try:
            with self.execution.transaction():
                execute(self._connection, f"LOCK TABLE ONLY {relation} IN {mode} MODE")
                is_empty = self._takes_no_space(table)
                for statement in statements if is_empty else ():
                    execute(self._connection, statement)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return False
        return is_empty

    def _takes_no_space(self, table: TableState) -> bool:
        size: int | None = self._connection.scalar(_SIZE, {"table": table.oid})
        return size == 0


def drop_index(execution: Execution, table: TableName, index: str) -> None:
    """Drop an index without stopping writers; sessions that use it finish what they do first.

    :raises OnlineError: the server refused.
    """
    name = quoted(execution.connection.dialect, table.schema, index)
    try:
        execution.execute_concurrently(f"DROP INDEX CONCURRENTLY {name}", f"dropping {index}")
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise OnlineError(
            f"{execution.subject}: {index} could not be dropped: {execution.reason_of(error)}. Run the same again"
        ) from error
