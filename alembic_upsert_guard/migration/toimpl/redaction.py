"""Errors of the directives where values are held back: neither their text nor a cause has a value of a row."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar

from alembic.operations.ops import MigrateOperation
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from ...catalog.messages import message_of
from ...errors import UpsertGuardError
from ..context import reveals
from ..options import refuse_wrong_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.operations import Operations

__all__ = ["redacted"]

_Op = TypeVar("_Op", bound=MigrateOperation)


def redacted(run: Callable[[Operations, _Op], None]) -> Callable[[Operations, _Op], None]:
    """Return `run`, whose errors carry no value of a row where values are held back.

    SQLAlchemy's and the driver's errors hold the server's details, which have the key of a row in them: they are no
    cause and no context of what is raised, so that no traceback prints them.
    """

    @wraps(run)
    def without_values(operations: Operations, operation: _Op) -> None:
        refuse_wrong_options(operations.get_context())
        try:
            run(operations, operation)
        except Exception as error:
            if reveals(operations.get_context(), operation):
                raise
            failure = _redacted(error, operation)
        else:
            return
        # not in the except clause: what is raised there has the error as its context
        raise failure

    return without_values


def _redacted(error: Exception, operation: MigrateOperation) -> Exception:
    if isinstance(error, DBAPIError):
        directive = getattr(operation, "directive", "")
        table = getattr(operation, "table_name", "")
        message = message_of(error, reveal=False)
        return CommandError(f"op.{directive}({str(table)!r}) failed. The database says: {message}")
    if not isinstance(error, CommandError | UpsertGuardError) and not _comes_from_the_database(
        error
    ):
        return error
    # the message is ours; the frames below hold what it was raised from
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _comes_from_the_database(error: BaseException) -> bool:
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, DBAPIError):
            return True
        link = link.__cause__ or link.__context__
    return False
