"""How a statement is executed, undone, and answered by an error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import DBAPIError

__all__ = [
    "all_or_nothing",
    "commits_each_statement",
    "detail_of",
    "driver_error",
    "execute",
    "first_sentence",
    "rolled_back",
]


def execute(connection: Connection, sql: str) -> Any:
    """Execute SQL as it is: neither its colons nor its per cent signs mean anything to SQLAlchemy or the driver."""
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def driver_error(error: DBAPIError) -> BaseException | None:
    """Return the driver's own error: SQLAlchemy puts asyncpg's behind one of its own."""
    # 2.0 puts the class of asyncpg's errors before their message, and 2.1 does not
    if error.orig is not None and getattr(error.orig.__cause__, "sqlstate", None) is not None:
        return error.orig.__cause__
    return error.orig


def first_sentence(error: DBAPIError) -> str:
    """Return the first line of the database's message, without the details and hints below it."""
    return str(driver_error(error)).strip().splitlines()[0]


def detail_of(error: DBAPIError) -> str | None:
    """Return PostgreSQL's detail, which is below its message and may hold values of rows; None: there is none."""
    said = driver_error(error)
    diagnostics = getattr(said, "diag", None)
    detail = getattr(said, "detail", None) or getattr(diagnostics, "message_detail", None)
    return None if detail is None else str(detail)


_INSIDE = "upsert_guard_inside"
"""Marks a connection in AUTOCOMMIT on which a block of ours is open: SQLAlchemy knows of no transaction there."""


@contextmanager
def rolled_back(connection: Connection) -> Iterator[None]:
    """Leave the database, its settings and the caller's transaction as they were: what the block does is undone.

    Blocks may be nested. In AUTOCOMMIT the outermost one is a transaction of its own, the others are savepoints in it.
    """
    if commits_each_statement(connection):
        begin, undo = "BEGIN", "ROLLBACK"
        is_inside = connection.info.get(_INSIDE, False)
        if is_inside:
            begin, undo = "SAVEPOINT upsert_guard_block", "ROLLBACK TO SAVEPOINT upsert_guard_block"
        execute(connection, begin)
        connection.info[_INSIDE] = True
        try:
            yield
        finally:
            connection.info[_INSIDE] = is_inside
            execute(connection, undo)
        return
    outside = not connection.in_transaction()
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        if outside:
            connection.rollback()


@contextmanager
def all_or_nothing(connection: Connection) -> Iterator[None]:
    """Do the whole block or nothing of it; what is done belongs to the caller's transaction, where there is one."""
    begin, undo, keep = (
        "SAVEPOINT upsert_guard",
        "ROLLBACK TO SAVEPOINT upsert_guard",
        "RELEASE SAVEPOINT upsert_guard",
    )
    if commits_each_statement(connection):
        begin, undo, keep = "BEGIN", "ROLLBACK", "COMMIT"
    # SQL and not begin_nested(): Python's sqlite3 begins a transaction at a savepoint, but not before one
    execute(connection, begin)
    try:
        yield
    except BaseException:
        if (
            not connection.invalidated
        ):  # a session that is gone has undone it, and its error is the reason
            execute(connection, undo)
        raise
    execute(connection, keep)


def commits_each_statement(connection: Connection) -> bool:
    """Return whether the connection is in AUTOCOMMIT, where SQLAlchemy begins nothing, as in ``autocommit_block()``."""
    of_engine = getattr(connection.dialect, "_on_connect_isolation_level", None)
    level = connection.get_execution_options().get("isolation_level", of_engine)
    return bool(level == "AUTOCOMMIT")
