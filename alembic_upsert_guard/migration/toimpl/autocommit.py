"""A directive that runs outside a transaction: leaving the one that Alembic began, and what its errors say."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ...catalog.messages import message_of
from ...catalog.reading import commits_each_statement
from ...errors import OnlineError
from ..context import connection_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from ..operations import ConcurrentOp, DeduplicateUpsertKeyOp

    OutsideOp: TypeAlias = ConcurrentOp | DeduplicateUpsertKeyOp
    """What runs outside a transaction."""

__all__ = ["call_of", "database_errors_reported", "outside_a_transaction"]


@contextmanager
def database_errors_reported(
    context: MigrationContext, operation: OutsideOp, *, reveal: bool
) -> Iterator[None]:
    """Raise errors of the database, and ours, as those of the directive.

    :param reveal: whether the server's message may hold values of rows.
    :raises CommandError: in their place.
    """
    try:
        yield
    except OnlineError as error:
        raise CommandError(str(error)) from error
    except SQLAlchemyError as error:
        # the error that says so may be hidden behind one of cleaning up
        if connection_of(context).invalidated:
            raise CommandError(
                f"{call_of(operation)}: the connection to the database was lost. Run the upgrade again: it looks at "
                "what is there, and resumes"
            ) from error
        if isinstance(error, DBAPIError):
            message = message_of(error, reveal=reveal)
            raise CommandError(
                f"{call_of(operation)} failed. The database says: {message}"
            ) from error
        raise


@contextmanager
def outside_a_transaction(context: MigrationContext, operation: OutsideOp) -> Iterator[Connection]:
    """Give the connection, out of the transaction that Alembic began; it is afterwards as it was.

    :raises CommandError: env.py began the transaction, and Alembic cannot leave it.
    """
    is_begun = connection_of(context).in_transaction()
    if is_begun and context._transaction is None:  # noqa: SLF001 - then Alembic did not begin it
        if commits_each_statement(connection_of(context)):
            yield connection_of(context)  # in an autocommit_block() of the revision's own
            return
        raise CommandError(
            f"{call_of(operation)} runs outside a transaction, and the connection is in one that env.py began. Let "
            "Alembic begin it: with context.begin_transaction(): around context.run_migrations(), and no "
            "engine.begin() or connection.begin() around that. A statement of its own begins one too, until "
            "connection.commit()"
        )
    failure: BaseException | None = None
    try:
        with context.autocommit_block():
            try:
                yield connection_of(context)
            except BaseException as error:
                failure = error
                raise
    except Exception as error:
        # on a connection that was lost, leaving the block fails once more, and says less
        if failure is not None and error is not failure:
            raise failure from error
        raise


def call_of(operation: OutsideOp) -> str:
    """Return the directive as errors name it."""
    # the deduplication is of a key, and has no name
    name = getattr(operation, "name", None)
    arguments = [operation.table_name] if name is None else [name, operation.table_name]
    return f"op.{operation.directive}({', '.join(map(repr, arguments))})"
