"""Taking the steps, one look at the catalog before them and one after.

Nothing here waits in a lock's queue for long: what would stop writers while it waits is tried under a short
``lock_timeout`` and tried again. What runs CONCURRENTLY stops nobody, and waits for as long as it must.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..catalog.messages import message_of
from ..catalog.postgresql import constraint_in_the_way, sqlstate
from ..catalog.reading import execute
from ..errors import OnlineError
from ..sqltext import EQ, named, quoted
from .interruption import execute_interruptibly
from .plan import (
    Attach,
    AttachPartition,
    Build,
    DropIndex,
    MakeParent,
    Refusal,
    Swap,
    Wait,
    is_from_nothing,
    plan,
)
from .progress_watch import watched
from .sessions import holders_of, sessions_of
from .state import find, shape_of, table_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect

    from ..catalog import TableName
    from .arbiter import OnlineArbiter
    from .plan import FoundTable, Step
    from .progress_watch import Drawer
    from .retries import Retries
    from .sessions import Session

__all__ = ["Reporter", "RowsInTheWay", "UpgradeLock", "create", "drop"]

_LOCK_NOT_AVAILABLE = "55P03"
_DEADLOCK = "40P01"
_UNIQUE_VIOLATION = "23505"
_QUERY_CANCELED = "57014"

_SET_LOCAL = text("SELECT pg_catalog.set_config('lock_timeout', :value, true)")

_SIZE = text(
    "SELECT pg_catalog.pg_relation_size(CAST(CAST(:table AS pg_catalog.int8) AS pg_catalog.regclass))"
)
"""In bytes; NULL where the table is gone."""

_LOCK_CLASS = 0x75677561
"""The first half of our advisory locks, the ASCII of ``ugua``; the other half is the table's oid."""

_LOOK_AGAIN = 1.0
"""Seconds between two looks at what another session does."""

_SAY_AGAIN = 30.0
"""Seconds after which it is said again what is waited for."""

_SAY_BUILDS_AGAIN = 10.0
"""Seconds after which it is said again which partition is at hand."""

_DEADLOCKS = 3
"""Builds that are begun again after a deadlock, in which PostgreSQL may choose the build as the one to stop."""


class RowsInTheWay(Exception):  # noqa: N818 - the caller reads the rows, and tells of them in its own error
    """The build met rows that break the key."""

    def __init__(self, left_behind: str | None) -> None:
        super().__init__()
        self.left_behind = left_behind
        """The INVALID index that could not be dropped, or the partitioned one that lacks parts; None: nothing."""


class Reporter:
    """What is said of a run, and to whom."""

    def __init__(
        self,
        say: Callable[[str], None],
        drawer: Callable[[str], Drawer | None],
        *,
        reveal: bool = True,
    ) -> None:
        self.say = say
        self.drawer = drawer
        """Returns what shows how far something is; None: nothing does."""
        self.reveal = reveal
        """Whether other sessions' statements are shown, which hold values."""


def create(
    connection: Connection, wanted: OnlineArbiter, patience: Retries, teller: Reporter
) -> None:
    """Make `wanted`, or what of it is not there yet. Afterwards it is valid, and attached where it is a constraint.

    The connection is in AUTOCOMMIT.

    :raises RowsInTheWay: rows break the key.
    :raises OnlineError: something is in the way, a lock was not to be had, or the server refused; what is there now
     is in the message, and the next run goes on with it.
    :raises sqlalchemy.exc.DBAPIError: the connection was lost; the next run goes on with what is there.
    """
    told = f"{wanted.name} on {named(connection.dialect, *wanted.table)}"
    shape = shape_of(connection, wanted)
    run = _Run(connection, told, patience, teller)
    deadlocks = 0
    tries_at_once = True
    while True:
        found = _find(connection, wanted.table, shape)
        _refuse_namesakes(connection, wanted, found[0])
        try:
            steps = plan(wanted, found)
        except Refusal as refusal:
            raise OnlineError(f"{told} was not made, nothing was changed: {refusal}") from None
        if not steps:
            return
        if tries_at_once and is_from_nothing(wanted, found):
            tries_at_once = False
            if run.make_on_empty_table(wanted, found[0]):
                continue
        run.builds_left = sum(isinstance(step, Build) for step in steps)
        try:
            for step in steps:
                if isinstance(step, Wait):
                    run.wait(step)
                    break
                run.take(step, wanted, found)
        except _Deadlock:
            deadlocks += 1
            if deadlocks == _DEADLOCKS:
                raise OnlineError(
                    f"{told} was not made: the build was stopped by a deadlock {deadlocks} times. Run the upgrade again"
                ) from None


def drop(
    connection: Connection,
    table: TableName,
    name: str,
    patience: Retries,
    teller: Reporter,
    *,
    constraint: bool,
) -> None:
    """Drop a unique index or constraint. Afterwards it is not there, which it may have been before.

    The connection is in AUTOCOMMIT.

    :raises OnlineError: the name is something else's, a lock was not to be had, or the server refused.
    """
    dialect = connection.dialect
    told = f"{name} on {named(dialect, *table)}"
    found = _find(connection, table, None)
    index = found[0].named(name)
    if index is None:
        elsewhere = table_elsewhere(connection, found[0], name)
        if elsewhere is not None:
            raise OnlineError(f"{told} was not dropped: that is the name of {elsewhere}")
        teller.say(f"{told} is gone already")
        return
    if index.constraint != constraint:
        there, other = (
            ("a constraint", "op.drop_unique_constraint_concurrently")
            if index.constraint
            else ("an index and no constraint", "op.drop_unique_index_concurrently")
        )
        raise OnlineError(f"{told} was not dropped: it is {there}; {other} drops it")
    run = _Run(connection, told, patience, teller)
    schema = found[0].name.schema
    relation = quoted(dialect, *found[0].name)
    if constraint:
        statement = f"ALTER TABLE {relation} DROP CONSTRAINT {quoted(dialect, name)}"
        run.shortly([statement], _oids(found))
    elif found[0].relation == "partitioned table":
        # DROP INDEX CONCURRENTLY is not for partitioned ones (0A000); no row is read or written
        run.shortly([f"DROP INDEX {quoted(dialect, schema, name)}"], _oids(found))
    else:
        run.drop_index(found[0].name, name)


def _find(connection: Connection, table: TableName, shape: str | None) -> tuple[FoundTable, ...]:
    found = find(connection, table, shape)
    if not found:
        raise OnlineError(f"there is no table {named(connection.dialect, *table)}")
    return found


def _refuse_namesakes(connection: Connection, wanted: OnlineArbiter, table: FoundTable) -> None:
    other = None
    if wanted.constraint:
        other = constraint_in_the_way(connection, table.name, wanted.name)
    if other is not None:
        # met at the end otherwise, when the index is built
        raise OnlineError(
            f"{wanted.name} on {named(connection.dialect, *wanted.table)} was not made, nothing was changed: that is "
            f"the name of another constraint of the table, {other}. Give one of the two another name"
        )
    if table.named(wanted.name) is not None:
        return
    elsewhere = table_elsewhere(connection, table, wanted.name)
    if elsewhere is not None:
        raise OnlineError(
            f"{wanted.name} on {named(connection.dialect, *wanted.table)} was not made, nothing was changed: "
            f"that is the name of {elsewhere}"
        )


def _oids(found: Sequence[FoundTable]) -> list[int]:
    return [table.oid for table in found]


class _Deadlock(Exception):  # noqa: N818 - control flow
    """The server chose the build as the one to stop."""


class _Run:
    """The steps of one directive, on its connection."""

    def __init__(
        self, connection: Connection, told: str, patience: Retries, teller: Reporter
    ) -> None:
        self.connection = connection
        self.dialect: Dialect = connection.dialect
        self.told = told
        self.patience = patience
        self.teller = teller
        self.pid = int(connection.scalar(text("SELECT pg_catalog.pg_backend_pid()")) or 0)
        self.builds_left = 0
        self._said = 0.0
        self._said_builds = 0.0
        # a value that the server does not take is refused now, and not after a build of hours
        connection.execute(_SET_LOCAL, {"value": patience.lock_timeout})

    def take(self, step: Step, wanted: OnlineArbiter, found: Sequence[FoundTable]) -> None:
        """Take one step."""
        quote = self._quoted
        match step:
            case DropIndex(table, index, because):
                self.teller.say(f"dropping {index}: {because}")
                self.drop_index(table, index)
            case Build(table, index):
                self.build(table, index, wanted, found)
            case MakeParent(table, index) if wanted.constraint:
                constraint = f"ADD CONSTRAINT {quote(index)} {wanted.as_constraint(self.dialect)}"
                self.shortly([f"ALTER TABLE ONLY {quote(*table)} {constraint}"], _oids(found))
            case MakeParent(table, index):
                clauses = wanted.clauses(self.dialect)
                self.shortly(
                    [f"CREATE UNIQUE INDEX {quote(index)} ON ONLY {quote(*table)} {clauses}"],
                    _oids(found),
                )
            case Attach(table, index):
                self.shortly([self._attach(table, index, index, wanted)], _oids(found))
            case AttachPartition():
                above = f"ALTER INDEX {quote(step.parent.schema, step.parent_index)}"
                own = quote(step.table.schema, step.index)
                self.shortly([f"{above} ATTACH PARTITION {own}"], _oids(found))
            case Swap():
                self.shortly(self._swap(step, wanted), _oids(found))

    def _attach(self, table: TableName, name: str, index: str, wanted: OnlineArbiter) -> str:
        quote = self._quoted
        return (
            f"ALTER TABLE {quote(*table)} ADD CONSTRAINT {quote(name)} UNIQUE USING INDEX {quote(index)}"
            f"{wanted.timing()}"
        )

    def _swap(self, step: Swap, wanted: OnlineArbiter) -> list[str]:
        quote = self._quoted
        schema = step.table.schema
        old = (
            f"ALTER TABLE {quote(*step.table)} DROP CONSTRAINT {quote(step.index)}"
            if step.old_constraint
            else f"ALTER INDEX {quote(schema, step.index)} RENAME TO {quote(step.going)}"
        )
        new = (
            self._attach(step.table, step.index, step.new, wanted)  # renames the index as well
            if wanted.constraint
            else f"ALTER INDEX {quote(schema, step.new)} RENAME TO {quote(step.index)}"
        )
        return [old, new]

    # -- what stops nobody

    def build(
        self,
        table: TableName,
        index: str,
        wanted: OnlineArbiter,
        found: Sequence[FoundTable],
    ) -> None:
        """Build an index; where that fails, leave none behind."""
        statement = (
            f"CREATE UNIQUE INDEX CONCURRENTLY {self._quoted(index)} ON {self._quoted(*table)} "
            f"{wanted.clauses(self.dialect)}"
        )
        self._say_what_is_built(index, table)
        try:
            self._at_leisure(statement, f"{index} on {named(self.dialect, *table)}")
        except KeyboardInterrupt:
            self._clean_up_shortly(table, index)
            raise
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            left_behind = self._clean_up(table, index)
            state = sqlstate(error)
            if state == _DEADLOCK and left_behind is None:
                raise _Deadlock from error
            if state == _UNIQUE_VIOLATION:
                partial = index != wanted.name and len(found) > 1
                raise RowsInTheWay(left_behind or (wanted.name if partial else None)) from error
            raise OnlineError(
                f"{self.told} was not made: {self._why(error)}. "
                + (
                    "Nothing is left of it"
                    if left_behind is None
                    else f"The INVALID index {left_behind} is left, and the next run drops it"
                )
            ) from error

    def _clean_up(self, table: TableName, index: str) -> str | None:
        """Drop what the build left; return its name where that fails."""
        try:
            there = _find(self.connection, table, None)[0].named(index)
            if there is not None and not there.valid:
                self.drop_index(table, index)
        except (DBAPIError, OnlineError):
            return index
        return None

    def _clean_up_shortly(self, table: TableName, index: str) -> None:
        """Drop what an interrupted build left, where that takes a moment only; say what is there."""
        try:
            there = _find(self.connection, table, None)[0].named(index)
            if there is not None and not there.valid:
                # CONCURRENTLY would wait for those whom the build has waited for
                self._once([f"DROP INDEX {self._quoted(table.schema, index)}"])
        except (DBAPIError, OnlineError):
            self.teller.say(
                f"interrupted: the INVALID index {index} is left, and the next run drops it and builds it again"
            )
        else:
            left = "it was built" if there is not None and there.valid else "nothing is left of it"
            self.teller.say(f"interrupted building {index}: {left}. The next run resumes here")

    def drop_index(self, table: TableName, index: str) -> None:
        """Drop an index; those who use it end what they are at first."""
        name = self._quoted(table.schema, index)
        try:
            self._at_leisure(f"DROP INDEX CONCURRENTLY {name}", f"dropping {index}")
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            raise OnlineError(
                f"{self.told}: {index} could not be dropped: {self._why(error)}. Run the same again"
            ) from error

    def _at_leisure(self, statement: str, subject: str) -> None:
        # lock_timeout would count the wait for old snapshots as well, and leave an INVALID index
        with _lock_timeout(self.connection, "0"):
            drawer = self.teller.drawer(subject)
            with watched(self.connection, self.pid, drawer, reveal=self.teller.reveal):
                execute_interruptibly(self.connection, statement)

    # -- what stops everybody, and so does not wait

    def make_on_empty_table(self, wanted: OnlineArbiter, table: FoundTable) -> bool:
        """Make all of `wanted` in one short transaction, where the table takes no space; return whether it is made.

        Rows would be kept from writers for as long as the build reads them, so it is looked again under the lock that
        keeps new ones out; its size is looked at and not its rows, which policies can hide and others not have
        committed. A lock that is not to be had at once is no failure: what stops nobody is done instead.
        """
        if not self._takes_no_space(table):
            return False
        relation, index = self._quoted(*table.name), self._quoted(wanted.name)
        mode = "ACCESS EXCLUSIVE" if wanted.constraint else "SHARE"
        attach = [self._attach(table.name, wanted.name, wanted.name, wanted)]
        execute(self.connection, "BEGIN")
        try:
            self.connection.execute(_SET_LOCAL, {"value": self.patience.lock_timeout})
            execute(self.connection, f"LOCK TABLE ONLY {relation} IN {mode} MODE")
            made = self._takes_no_space(table)
            if made:
                clauses = wanted.clauses(self.dialect)
                execute(self.connection, f"CREATE UNIQUE INDEX {index} ON {relation} {clauses}")
                for statement in attach if wanted.constraint else ():
                    execute(self.connection, statement)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            execute(self.connection, "ROLLBACK")
            return False
        execute(self.connection, "COMMIT")
        return made

    def _takes_no_space(self, table: FoundTable) -> bool:
        size: int | None = self.connection.scalar(_SIZE, {"table": table.oid})
        return size == 0

    def shortly(self, statements: Sequence[str], relations: Sequence[int]) -> None:
        """Execute all of `statements` or none, under a short lock_timeout, as often as patience says."""
        pauses = self.patience.pauses()
        while True:
            try:
                self._once(statements)
            except DBAPIError as error:  # noqa: PERF203 - a lock is not had quickly
                if error.connection_invalidated:
                    raise
                if sqlstate(error) not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
                    raise OnlineError(
                        f"{self.told}: {self._why(error)}. What was built before stays, and the next run goes on with "
                        "it"
                    ) from error
                holders = holders_of(self.connection, relations, reveal=self.teller.reveal)
                pause = next(pauses, None)
                if pause is None:
                    raise OnlineError(
                        f"{self.told}: no lock was to be had in {self.patience.attempts} tries of "
                        f"{self.patience.lock_timeout}{_in_the_way(holders)}. What was built before stays: run the "
                        "upgrade again when that session is done, and it goes on here"
                    ) from error
                self._say_now_and_then(
                    f"{self.told}: no lock within {self.patience.lock_timeout}, trying again{_in_the_way(holders)}"
                )
                time.sleep(pause)
            else:
                return

    def _once(self, statements: Sequence[str]) -> None:
        execute(self.connection, "BEGIN")
        try:
            self.connection.execute(_SET_LOCAL, {"value": self.patience.lock_timeout})
            for statement in statements:
                execute(self.connection, statement)
        except DBAPIError as error:
            if not error.connection_invalidated:
                execute(self.connection, "ROLLBACK")
            raise
        execute(self.connection, "COMMIT")

    # -- waiting and telling

    def wait(self, step: Wait) -> None:
        """Wait a moment for another session, and say so."""
        sessions = sessions_of(self.connection, step.pids, reveal=self.teller.reveal)
        self._say_now_and_then(f"{step.index} may be being built{_in_the_way(sessions)}: waiting")
        time.sleep(_LOOK_AGAIN)

    def _say_what_is_built(self, index: str, table: TableName) -> None:
        # a table can have a thousand partitions
        now = time.monotonic()
        if not self._said_builds or now - self._said_builds >= _SAY_BUILDS_AGAIN:
            self._said_builds = now
            left = f", {self.builds_left} partitions left" if self.builds_left > 1 else ""
            self.teller.say(f"building {index} on {named(self.dialect, *table)}{left}")
        self.builds_left -= 1

    def _say_now_and_then(self, line: str) -> None:
        now = time.monotonic()
        if now - self._said >= _SAY_AGAIN or not self._said:
            self._said = now
            self.teller.say(line)

    def _why(self, error: DBAPIError) -> str:
        words = f"the database says: {message_of(error, reveal=self.teller.reveal)}"
        if sqlstate(error) == _QUERY_CANCELED and "statement timeout" in words:
            limit = self.connection.scalar(
                text("SELECT pg_catalog.current_setting('statement_timeout')")
            )
            return (
                f"{words} (statement_timeout is {limit}: give the role that migrates a longer one)"
            )
        return words

    def _quoted(self, *names: str | None) -> str:
        return quoted(self.dialect, *names)


def _in_the_way(sessions: Sequence[Session]) -> str:
    return f"; in the way: {'; '.join(map(str, sessions))}" if sessions else ""


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


class UpgradeLock:
    """An advisory lock, so that of two upgrades one builds and the other finds it done.

    It is asked for and never waited for: a statement that waits holds a snapshot, and the build waits for those.
    """

    def __init__(self, connection: Connection, table: TableName, teller: Reporter) -> None:
        self._connection = connection
        self._table = table
        self._teller = teller
        self._key: dict[str, int] = {}

    def take(self) -> None:
        """Have the lock, until :meth:`release` or the session's end.

        :raises OnlineError: there is no such table.
        """
        told = named(self._connection.dialect, *self._table)
        relation = quoted(self._connection.dialect, *self._table)
        oid = self._connection.scalar(_OID, {"relation": relation})
        if oid is None:
            raise OnlineError(f"there is no table {told}")
        self._key = {"key": _LOCK_CLASS << 32 | oid}
        said = 0.0
        while not self._connection.scalar(_TRY, self._key):
            if not said or time.monotonic() - said >= _SAY_AGAIN:
                said = time.monotonic()
                pids = self._connection.scalars(_HOLDER, self._key).all()
                sessions = sessions_of(self._connection, pids, reveal=self._teller.reveal)
                self._teller.say(
                    f"another upgrade is at work on {told}{_in_the_way(sessions)}: waiting"
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
"""https://www.postgresql.org/docs/current/view-pg-locks.html: a bigint key stands in classid and objid"""
