"""Creating and dropping: the catalog is read, the steps that are left are run, and the catalog is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..catalog.contract import RelationKind
from ..catalog.postgresql import constraint_in_the_way
from ..errors import OnlineError
from ..sqltext import named, quoted
from .catalog import describe_namesake, read_state, shape_of
from .execution import Execution
from .plan import is_from_nothing, plan
from .step_runner import Deadlock, StepRunner, drop_index
from .steps import Refusal

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..catalog import TableName
    from .arbiter import OnlineArbiter
    from .reporter import Reporter
    from .retries import Retries
    from .state import IndexState, TableState

__all__ = ["create", "drop"]

_DEADLOCKS = 3
"""Builds that are begun again after a deadlock, in which PostgreSQL may choose the build as the one to stop."""


def create(
    connection: Connection, wanted: OnlineArbiter, retries: Retries, reporter: Reporter
) -> None:
    """Make `wanted`, or what of it is not there yet. Afterwards it is valid, and attached where it is a constraint.

    The connection is in AUTOCOMMIT.

    :raises RowsInTheWay: rows break the key.
    :raises OnlineError: something is in the way, a lock was not to be had, or the server refused; what is there now
     is in the message, and the next run resumes with it.
    :raises sqlalchemy.exc.DBAPIError: the connection was lost; the next run resumes with what is there.
    """
    subject = f"{wanted.name} on {named(connection.dialect, *wanted.table)}"
    shape = shape_of(connection, wanted)
    runner = StepRunner(Execution(connection, subject, retries, reporter), wanted)
    deadlocks = 0
    may_be_empty = True
    while True:
        tables = _read_state(connection, wanted.table, shape)
        _refuse_namesakes(connection, wanted, tables[0])
        try:
            steps = plan(wanted, tables)
        except Refusal as refusal:
            raise OnlineError(f"{subject} was not made, nothing was changed: {refusal}") from None
        if not steps:
            return
        if may_be_empty and is_from_nothing(wanted, tables):
            may_be_empty = False
            if runner.make_on_empty_table(tables[0]):
                continue
        try:
            runner.run(steps, tables)
        except Deadlock:
            deadlocks += 1
            if deadlocks == _DEADLOCKS:
                raise OnlineError(
                    f"{subject} was not made: the build was stopped by a deadlock {deadlocks} times. Run the upgrade "
                    "again"
                ) from None


def drop(
    connection: Connection,
    table: TableName,
    name: str,
    retries: Retries,
    reporter: Reporter,
    *,
    constraint: bool,
) -> None:
    """Drop a unique index or constraint. Afterwards it is not there, which it may have been before.

    The connection is in AUTOCOMMIT.

    :raises OnlineError: the name is something else's, a lock was not to be had, or the server refused.
    """
    dialect = connection.dialect
    subject = f"{name} on {named(dialect, *table)}"
    tables = _read_state(connection, table, None)
    index = tables[0].named(name)
    if index is None:
        namesake = describe_namesake(connection, tables[0], name)
        if namesake is not None:
            raise OnlineError(f"{subject} was not dropped: that is the name of {namesake}")
        reporter.say(f"{subject} is gone already")
        return
    _refuse_other_kind(index, subject, constraint=constraint)
    execution = Execution(connection, subject, retries, reporter)
    oids = [each.oid for each in tables]
    relation = quoted(dialect, *tables[0].name)
    if constraint:
        statement = f"ALTER TABLE {relation} DROP CONSTRAINT {quoted(dialect, name)}"
        execution.execute_with_lock_timeout([statement], oids)
    elif tables[0].relation is RelationKind.PARTITIONED_TABLE:
        # DROP INDEX CONCURRENTLY is not for partitioned ones (0A000); no row is read or written
        statement = f"DROP INDEX {quoted(dialect, tables[0].name.schema, name)}"
        execution.execute_with_lock_timeout([statement], oids)
    else:
        drop_index(execution, tables[0].name, name)


def _refuse_other_kind(index: IndexState, subject: str, *, constraint: bool) -> None:
    if index.constraint == constraint:
        return
    kind, directive = (
        ("a constraint", "op.drop_unique_constraint_concurrently")
        if index.constraint
        else ("an index and no constraint", "op.drop_unique_index_concurrently")
    )
    raise OnlineError(f"{subject} was not dropped: it is {kind}; {directive} drops it")


def _read_state(
    connection: Connection, table: TableName, shape: str | None
) -> tuple[TableState, ...]:
    tables = read_state(connection, table, shape)
    if not tables:
        raise OnlineError(f"there is no table {named(connection.dialect, *table)}")
    return tables


def _refuse_namesakes(connection: Connection, wanted: OnlineArbiter, table: TableState) -> None:
    subject = f"{wanted.name} on {named(connection.dialect, *wanted.table)}"
    other = None
    if wanted.constraint:
        other = constraint_in_the_way(connection, table.name, wanted.name)
    if other is not None:
        # met at the end otherwise, when the index is built
        raise OnlineError(
            f"{subject} was not made, nothing was changed: that is the name of another constraint of the table, "
            f"{other}. Give one of the two another name"
        )
    if table.named(wanted.name) is not None:
        return
    namesake = describe_namesake(connection, table, wanted.name)
    if namesake is not None:
        raise OnlineError(
            f"{subject} was not made, nothing was changed: that is the name of {namesake}"
        )
