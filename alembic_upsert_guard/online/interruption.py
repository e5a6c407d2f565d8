"""Ctrl-C while a long statement runs.

Python raises KeyboardInterrupt in the main thread, between two of its own instructions. psycopg2 waits for the server
in C until the statement ends, which can be hours; and SQLAlchemy drops a connection in whose statement psycopg 3 raised
it, with which nothing could be cleaned up. So the statement runs in a thread of its own, and the main thread waits.
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..catalog.reading import execute

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

__all__ = ["execute_interruptibly"]

_EVERY = 0.2
"""Seconds between two looks: on Windows a wait without end is not interrupted."""


def execute_interruptibly(connection: Connection, statement: str) -> None:
    """Execute a statement; on Ctrl-C the server is asked to cancel it, and has done so, or finished it, afterwards.

    Elsewhere than in the main thread, where no signal arrives, and on asynchronous drivers it is executed as always.

    :raises KeyboardInterrupt: the connection is as it was before.
    """
    cancel = getattr(connection.connection.dbapi_connection, "cancel", None)
    in_main = threading.current_thread() is threading.main_thread()
    if cancel is None or connection.dialect.is_async or not in_main:
        execute(connection, statement)
        return
    failures: list[BaseException] = []
    thread = threading.Thread(
        target=copy_context().run, args=(_execute, connection, statement, failures), daemon=True
    )
    thread.start()
    try:
        _wait_for(thread)
    except KeyboardInterrupt:
        cancel()
        _wait_for(thread)
        raise
    for failure in failures:
        raise failure


def _execute(connection: Connection, statement: str, failures: list[Any]) -> None:
    try:
        execute(connection, statement)
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        failures.append(error)


def _wait_for(thread: threading.Thread) -> None:
    while thread.is_alive():
        thread.join(_EVERY)
