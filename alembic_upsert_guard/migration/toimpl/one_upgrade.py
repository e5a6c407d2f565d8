"""One upgrade at a time: what is done to a table outside a transaction, under a lock of its own."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from ...online import Reporter, UpgradeLock, drawer_for
from ..context import connection_of, log, reveals
from .autocommit import call_of, database_errors_reported, outside_a_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from ...catalog import TableName
    from .autocommit import OutsideOp

__all__ = ["one_upgrade_at_a_time"]


@contextmanager
def one_upgrade_at_a_time(
    context: MigrationContext, operation: OutsideOp, table: TableName
) -> Iterator[Callable[[Callable[[Connection, Reporter], None]], None]]:
    """Give what runs a function outside a transaction, each time; no other upgrade does that to the table meanwhile.

    Between two calls the connection is in the transaction of the migration, which the next one commits. After the block
    others have to wait for the end of that, and so find the version written.

    :raises CommandError: in the place of errors of the database, and of ours; or another upgrade was here first.
    """
    reporter = _reporter(context, reveal=reveals(context, operation))
    with database_errors_reported(context, operation, reveal=reporter.reveal):
        lock = UpgradeLock(connection_of(context), table, reporter)
        before = context.get_current_heads()

        def run(act: Callable[[Connection, Reporter], None]) -> None:
            with outside_a_transaction(context, operation) as connection:
                act(connection, reporter)

        def take(_: Connection, __: Reporter) -> None:
            lock.take()
            _refuse_other_version(context, operation, before)

        try:
            run(take)
            yield run
        except BaseException:
            with suppress(SQLAlchemyError):  # less is said by it than by what is raised
                lock.release(connection_of(context))
            raise
        connection = connection_of(context)
        if connection.in_transaction():
            # who waits for the lock then finds the version written
            lock.keep_until_commit(connection)
        lock.release(connection)


def _refuse_other_version(
    context: MigrationContext, operation: OutsideOp, before: tuple[str, ...]
) -> None:
    """Stop where another upgrade has moved the version: Alembic would not find the one that this step begins at."""
    now = context.get_current_heads()
    if now != before:
        raise CommandError(
            f"{call_of(operation)}: another upgrade has brought the database to {', '.join(now) or 'base'} meanwhile. "
            "Nothing was changed here: run the upgrade again"
        )


def _reporter(context: MigrationContext, *, reveal: bool) -> Reporter:
    quiet = bool(getattr(getattr(context.config, "cmd_opts", None), "quiet", False))
    say = partial(log.info, "%s")
    return Reporter(
        say, lambda subject: drawer_for(subject, say, sys.stderr, quiet=quiet), reveal=reveal
    )
