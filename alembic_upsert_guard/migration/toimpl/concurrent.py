"""How the concurrent directives run: outside a transaction, one upgrade at a time, and into a script."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from alembic.operations.ops import OpContainer
from alembic.util import CommandError

from ...databases import database_for
from ...online import (
    OnlineArbiter,
    Reporter,
    Retries,
    RowsInTheWay,
    UpgradeLock,
    create,
    drawer_for,
    drop,
    script_creation,
    script_drop,
)
from ...sqltext import named
from ..context import connection_of, log, reveals, table_of, target_of
from ..operations import ValidateUpsertKeyOp
from .autocommit import call_of, database_errors_reported, outside_a_transaction
from .keys import refused_rows
from .redaction import redacted
from .script import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from ...catalog import TableName
    from ...online import Script
    from ..operations import ConcurrentOp, CreateConcurrentlyOp, DropConcurrentlyOp

__all__ = ["create_concurrently", "drop_concurrently", "run_ops"]


@redacted
def create_concurrently(operations: Operations, operation: CreateConcurrentlyOp) -> None:
    """Create a unique constraint or index, or write what does into the script."""
    context = operations.get_context()
    wanted = _wanted(context, operation)
    if context.as_sql:
        _write(context, script_creation(context.dialect, wanted, _retries(operation)))
        return

    def build(connection: Connection, retries: Retries, reporter: Reporter) -> None:
        try:
            create(connection, wanted, retries, reporter)
        except RowsInTheWay as error:
            raise _violation(context, operation, wanted, error) from None

    _run(context, operation, wanted.table, build)


@redacted
def drop_concurrently(operations: Operations, operation: DropConcurrentlyOp) -> None:
    """Drop a unique constraint or index, or write what does into the script."""
    context = operations.get_context()
    _refuse_other_databases(context, operation)
    table = table_of(context, operation.table_name, operation.schema)
    name, constraint = operation.name, operation.constraint
    if context.as_sql:
        retries = _retries(operation)
        _write(context, script_drop(context.dialect, table, name, retries, constraint=constraint))
        return

    def remove(connection: Connection, retries: Retries, reporter: Reporter) -> None:
        drop(connection, table, name, retries, reporter, constraint=constraint)

    _run(context, operation, table, remove)


def run_ops(operations: Operations, container: OpContainer) -> None:
    """Run what has a revision of its own, where operations are invoked and not written."""
    for operation in container.ops:
        if isinstance(operation, OpContainer):
            run_ops(operations, operation)
        else:
            operations.invoke(operation)


def _run(
    context: MigrationContext,
    operation: ConcurrentOp,
    table: TableName,
    act: Callable[[Connection, Retries, Reporter], None],
) -> None:
    reporter = _reporter(context, reveal=reveals(context, operation))
    with database_errors_reported(context, operation, reveal=reporter.reveal):
        with outside_a_transaction(context, operation) as connection:
            lock = UpgradeLock(connection, table, reporter)
            before = context.get_current_heads()
            try:
                lock.take()
                _refuse_other_version(context, operation, before)
                act(connection, _retries(operation), reporter)
            except BaseException:
                lock.release(connection)
                raise
        after = connection_of(context)
        if after.in_transaction():
            # who waits for the lock then finds the version written
            lock.keep_until_commit(after)
        lock.release(after)


def _refuse_other_version(
    context: MigrationContext, operation: ConcurrentOp, before: tuple[str, ...]
) -> None:
    """Stop where another upgrade has moved the version: Alembic would not find the one that this step begins at."""
    now = context.get_current_heads()
    if now != before:
        raise CommandError(
            f"{call_of(operation)}: another upgrade has brought the database to {', '.join(now) or 'base'} meanwhile. "
            "Nothing was changed here: run the upgrade again"
        )


def _violation(
    context: MigrationContext,
    operation: CreateConcurrentlyOp,
    wanted: OnlineArbiter,
    error: RowsInTheWay,
) -> Exception:
    """The rows that the build met, read and reported; they may be gone again by now."""
    check = ValidateUpsertKeyOp(
        operation.table_name,
        operation.elements,
        schema=operation.schema,
        where=operation.where,
        nulls="not_distinct" if operation.nulls_not_distinct else "distinct",
        reveal=operation.reveal,
    )
    left_behind = None
    if error.left_behind is not None:
        left_behind = named(context.dialect, wanted.table.schema, error.left_behind)
    refused = refused_rows(context, check, left_behind=left_behind)
    return refused or CommandError(
        f"{wanted.name} on {named(context.dialect, *wanted.table)} was not made: the build met rows that share a key, "
        "and they are gone by now. Run the upgrade again"
    )


def _wanted(context: MigrationContext, operation: CreateConcurrentlyOp) -> OnlineArbiter:
    _refuse_other_databases(context, operation)
    return OnlineArbiter(
        table=table_of(context, operation.table_name, operation.schema),
        name=operation.name,
        target=target_of(operation.elements, operation.where, context.dialect),
        constraint=operation.constraint,
        include=operation.include,
        nulls_not_distinct=operation.nulls_not_distinct,
        deferrable=operation.deferrable,
        initially_deferred=(operation.initially or "").upper() == "DEFERRED",
        replace=operation.replace,
    )


def _refuse_other_databases(context: MigrationContext, operation: ConcurrentOp) -> None:
    if not database_for(context.dialect).builds_concurrently:
        plain = operation.directive.removesuffix("_concurrently")
        other = database_for(context.dialect).name
        raise CommandError(
            f"op.{operation.directive}({operation.name!r}) is for PostgreSQL, and this is {other}: "
            f"write op.{plain.replace('unique_index', 'index').replace('drop_unique', 'drop')}"
        )


def _retries(operation: ConcurrentOp) -> Retries:
    stated: dict[str, Any] = {
        "lock_timeout": operation.lock_timeout,
        "attempts": operation.attempts,
    }
    return replace(
        Retries(), **{name: value for name, value in stated.items() if value is not None}
    )


def _reporter(context: MigrationContext, *, reveal: bool) -> Reporter:
    quiet = bool(getattr(getattr(context.config, "cmd_opts", None), "quiet", False))
    say = partial(log.info, "%s")
    return Reporter(
        say, lambda subject: drawer_for(subject, say, sys.stderr, quiet=quiet), reveal=reveal
    )


def _write(context: MigrationContext, script: Script) -> None:
    with context.autocommit_block():
        for statement in script.outside:
            write(context, statement)
    for statement in script.inside:
        write(context, statement)
