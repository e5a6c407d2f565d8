"""How the concurrent directives run: outside a transaction, one upgrade at a time, and into a script."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..catalog.messages import message_of
from ..errors import OnlineError
from ..online import (
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
from ..sqltext import named
from .operations import ValidateUpsertKeyOp
from .redaction import redacted, reveals
from .toimpl import LOGGER, refused_rows, table_of, target_of, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from ..catalog import TableName
    from ..online import Script
    from .online_operations import (
        ConcurrentOp,
        CreateConcurrentlyOp,
        DropConcurrentlyOp,
        OnlineOps,
    )

__all__ = ["all_of", "create_concurrently", "drop_concurrently"]

log = logging.getLogger(LOGGER)


@redacted
def create_concurrently(operations: Operations, operation: CreateConcurrentlyOp) -> None:
    """Make a unique constraint or index, or write down what does."""
    context = operations.get_context()
    wanted = _wanted(context, operation)
    if context.as_sql:
        _write(context, script_creation(context.dialect, wanted, _patience(operation)))
        return

    def make(connection: Connection, patience: Retries, teller: Reporter) -> None:
        try:
            create(connection, wanted, patience, teller)
        except RowsInTheWay as error:
            raise _violation(context, connection, operation, wanted, error) from None

    _run(context, operation, wanted.table, make)


@redacted
def drop_concurrently(operations: Operations, operation: DropConcurrentlyOp) -> None:
    """Drop a unique constraint or index, or write down what does."""
    context = operations.get_context()
    _refuse_other_databases(context, operation)
    table = table_of(context, operation.table_name, operation.schema)
    name, constraint = operation.name, operation.constraint
    if context.as_sql:
        patience = _patience(operation)
        _write(context, script_drop(context.dialect, table, name, patience, constraint=constraint))
        return

    def unmake(connection: Connection, patience: Retries, teller: Reporter) -> None:
        drop(connection, table, name, patience, teller, constraint=constraint)

    _run(context, operation, table, unmake)


def all_of(operations: Operations, online: OnlineOps) -> None:
    """Run what autogenerate found for one key, where its operations are invoked and not written."""
    for operation in online.ops:
        operations.invoke(operation)


def _run(
    context: MigrationContext,
    operation: ConcurrentOp,
    table: TableName,
    act: Callable[[Connection, Retries, Reporter], None],
) -> None:
    teller = _teller(context, reveal=reveals(context, operation))
    patience = _patience(operation)
    try:
        with _outside_a_transaction(context, operation) as connection:
            one = UpgradeLock(connection, table, teller)
            before = context.get_current_heads()
            try:
                one.take()
                _refuse_other_version(context, operation, before)
                act(connection, patience, teller)
            except BaseException:
                one.release(connection)
                raise
        after = _connection(context)
        if after.in_transaction():
            # who waits for the lock then finds the version written
            one.keep_until_commit(after)
        one.release(after)
    except OnlineError as error:
        raise CommandError(str(error)) from error
    except SQLAlchemyError as error:
        told = f"op.{operation.directive}({operation.name!r}, {operation.table_name!r})"
        # the error that says so may be hidden behind one of cleaning up
        if _connection(context).invalidated:
            raise CommandError(
                f"{told}: the connection to the database was lost. Run the upgrade again: it looks at what is there, "
                "and goes on with it"
            ) from error
        if isinstance(error, DBAPIError):
            message = message_of(error, reveal=teller.reveal)
            raise CommandError(f"{told} failed. The database says: {message}") from error
        raise


@contextmanager
def _outside_a_transaction(
    context: MigrationContext, operation: ConcurrentOp
) -> Iterator[Connection]:
    begun_elsewhere = (
        _connection(context).in_transaction() and context._transaction is None  # noqa: SLF001
    )
    if begun_elsewhere:
        raise CommandError(
            f"op.{operation.directive}({operation.name!r}, {operation.table_name!r}) runs outside a transaction, and "
            "the connection is in one that env.py began. Let Alembic begin it: with context.begin_transaction(): "
            "around context.run_migrations(), and no engine.begin() or connection.begin() around that"
        )
    failure: BaseException | None = None
    try:
        with context.autocommit_block():
            try:
                yield _connection(context)
            except BaseException as error:
                failure = error
                raise
    except Exception as error:
        # on a connection that was lost, leaving the block fails once more, and says less
        if failure is not None and error is not failure:
            raise failure from error
        raise


def _refuse_other_version(
    context: MigrationContext, operation: ConcurrentOp, before: tuple[str, ...]
) -> None:
    """Stop where another upgrade has moved the version: Alembic would not find the one that this step begins at."""
    now = context.get_current_heads()
    if now != before:
        raise CommandError(
            f"op.{operation.directive}({operation.name!r}, {operation.table_name!r}): another upgrade has brought the "
            f"database to {', '.join(now) or 'base'} meanwhile. Nothing was changed here: run the upgrade again"
        )


def _violation(
    context: MigrationContext,
    connection: Connection,
    operation: CreateConcurrentlyOp,
    wanted: OnlineArbiter,
    met: RowsInTheWay,
) -> Exception:
    """The rows that the build met, read and told; they may be gone again by now."""
    check = ValidateUpsertKeyOp(
        operation.table_name,
        operation.elements,
        schema=operation.schema,
        where=operation.where,
        nulls="not_distinct" if operation.nulls_not_distinct else "distinct",
        reveal=operation.reveal,
    )
    left_behind = None
    if met.left_behind is not None:
        left_behind = named(context.dialect, wanted.table.schema, met.left_behind)
    refused = refused_rows(context, connection, check, left_behind=left_behind)
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
    if context.dialect.name != "postgresql":
        plain = operation.directive.removesuffix("_concurrently")
        raise CommandError(
            f"op.{operation.directive}({operation.name!r}) is for PostgreSQL, and this is {context.dialect.name}: "
            f"write op.{plain.replace('unique_index', 'index').replace('drop_unique', 'drop')}"
        )


def _patience(operation: ConcurrentOp) -> Retries:
    patience = Retries()
    if operation.lock_timeout is not None:
        patience = replace(patience, lock_timeout=operation.lock_timeout)
    if operation.attempts is not None:
        patience = replace(patience, attempts=operation.attempts)
    return patience


def _teller(context: MigrationContext, *, reveal: bool) -> Reporter:
    options = getattr(context.config, "cmd_opts", None)
    quiet = bool(getattr(options, "quiet", False))

    def say(line: str) -> None:
        log.info("%s", line)

    return Reporter(
        say,
        lambda subject: drawer_for(subject, say, sys.stderr, quiet=quiet),
        reveal=reveal,
    )


def _write(context: MigrationContext, script: Script) -> None:
    with context.autocommit_block():
        for statement in script.outside:
            write(context, statement)
    for statement in script.inside:
        write(context, statement)


def _connection(context: MigrationContext) -> Connection:
    connection = context.connection
    assert connection is not None  # noqa: S101 - there is none with --sql alone
    return connection
