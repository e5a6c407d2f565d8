"""The drivers of PostgreSQL where they are used without SQLAlchemy. Each is listened to only where it is asked for."""

from __future__ import annotations

import sys
from functools import cache, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...errors import UpsertGuardError
from .instruments import Instrument, Patch, began, ended
from .recorder import Sent
from .statement import may_upsert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from .recorder import Begun, Recorder

__all__ = ["DRIVERS", "UnknownDriverError", "driver_instrument"]

DRIVERS = ("asyncpg", "psycopg", "psycopg2")
"""The drivers that can be listened to."""

_MARK = "_upsert_guard_records"


class UnknownDriverError(UpsertGuardError, ValueError):
    """A driver that cannot be listened to, or that is not installed; the message says which can."""

    def __init__(self, driver: str, reason: str) -> None:
        super().__init__(
            f"upserts of the driver {driver} cannot be recorded: {reason}; there are {', '.join(DRIVERS)}"
        )


def driver_instrument(driver: str) -> Instrument:
    """Return the instrument of a driver, always the same.

    :raises UnknownDriverError: there is none, or the driver is not installed.
    """
    if driver not in DRIVERS:
        raise UnknownDriverError(driver, "there is no instrument for it")
    try:
        return _instrument(driver)
    except ModuleNotFoundError as error:
        raise UnknownDriverError(driver, f"{error.name} is not installed") from error


@cache
def _instrument(driver: str) -> Instrument:
    instrument = Instrument()
    instrument.patches = tuple(_PATCHES[driver](_Listener(instrument, driver)))
    return instrument


class _Listener:
    """What the functions that are put in place of a driver's have in common."""

    def __init__(self, instrument: Instrument, driver: str) -> None:
        self._instrument = instrument
        self._driver = driver

    @property
    def listens(self) -> bool:
        """Whether anybody records."""
        return bool(self._instrument.recorders)

    def began(self, query: Any, cursor: Any, frame: FrameType) -> list[tuple[Recorder, Begun]]:
        """Return the upserts of a query; none of one that SQLAlchemy sends, which is recorded there."""
        recorders = self._instrument.recorders
        if not recorders or frame.f_globals.get("__name__", "").startswith("sqlalchemy."):
            return []
        text = _text(query, cursor)
        if text is None or not may_upsert(text):
            return []
        from ...sqltext import reference_dialect  # noqa: PLC0415 - few programs use a driver by itself

        return began(recorders, Sent(text, None, None, reference_dialect(), self._driver), frame)

    def sync(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method of a cursor whose first argument is the query, with its upserts recorded."""

        @wraps(run)
        def recorded(cursor: Any, query: Any, *args: Any, **kw: Any) -> Any:
            begun = self.began(query, cursor, sys._getframe(1))  # noqa: SLF001 - the caller's
            if not begun:
                return run(cursor, query, *args, **kw)
            try:
                result = run(cursor, query, *args, **kw)
            except Exception as error:
                ended(begun, error)
                raise
            ended(begun, pending=_is_in_pipeline(cursor))
            return result

        return recorded

    def awaited(
        self,
        run: Callable[..., Any],
        query_of: Callable[..., Any] = lambda _, query, *__: query,
        *,
        only_errors: bool = False,
    ) -> Callable[..., Any]:
        """Return the same of a method that is awaited; the place is where it is called, not where it is awaited.

        :param query_of: gives the query from the method's arguments.
        :param only_errors: whether it sends a statement without running it.
        """

        @wraps(run)
        def recorded(owner: Any, *args: Any, **kw: Any) -> Any:
            query = kw.get("query") if "query" in kw else query_of(owner, *args)
            begun = self.began(query, owner, sys._getframe(1))  # noqa: SLF001 - the caller's
            result = run(owner, *args, **kw)
            return _awaited(result, begun, owner, only_errors=only_errors) if begun else result

        return recorded


async def _awaited(
    result: Any, begun: Sequence[tuple[Recorder, Begun]], owner: Any, *, only_errors: bool
) -> Any:
    try:
        value = await result
    except Exception as error:
        ended(begun, error)
        raise
    if not only_errors:
        ended(begun, pending=_is_in_pipeline(owner))
    return value


def _text(query: Any, cursor: Any) -> str | None:
    if isinstance(query, bytes | bytearray):
        return bytes(query).decode(errors="replace")
    if hasattr(query, "as_string"):  # psycopg's and psycopg2's sql.Composable
        return str(query.as_string(cursor))
    return query if isinstance(query, str) else None


def _is_in_pipeline(cursor: Any) -> bool:
    """Whether psycopg sends what this cursor sends without waiting for the answer."""
    return getattr(getattr(cursor, "connection", None), "_pipeline", None) is not None


def _psycopg(listener: _Listener) -> Iterator[Patch]:
    psycopg = import_module("psycopg")
    for name in ("execute", "executemany"):
        yield Patch(psycopg.Cursor, name, listener.sync)
        yield Patch(psycopg.AsyncCursor, name, listener.awaited)


def _asyncpg(listener: _Listener) -> Iterator[Patch]:
    asyncpg = import_module("asyncpg")
    prepared = import_module("asyncpg.prepared_stmt").PreparedStatement
    for name in ("execute", "executemany", "fetch", "fetchval", "fetchrow", "fetchmany"):
        if name in vars(asyncpg.Connection):
            yield Patch(asyncpg.Connection, name, listener.awaited)
        if name in vars(prepared):
            yield Patch(
                prepared, name, lambda run: listener.awaited(run, lambda each, *_: each.get_query())
            )
    yield Patch(asyncpg.Connection, "prepare", lambda run: listener.awaited(run, only_errors=True))


def _psycopg2(listener: _Listener) -> Iterator[Patch]:
    """Its cursors and connections are C: those of a subclass are handed out instead."""
    psycopg2 = import_module("psycopg2")
    extensions = import_module("psycopg2.extensions")

    @cache
    def recording_cursor(kind: Any) -> type:
        methods = {name: listener.sync(getattr(kind, name)) for name in ("execute", "executemany")}
        return type(kind.__name__, (kind,), {**methods, "__module__": kind.__module__, _MARK: True})

    @cache
    def recording_connection(kind: Any) -> type:
        def cursor(connection: Any, *args: Any, **kw: Any) -> Any:
            made = kind.cursor(connection, *args, **kw)
            # one with a name declares what it runs as a cursor, which no upsert can be; closing it would ask the server
            if made.name is not None or hasattr(made, _MARK):
                return made
            kind_of_cursor: Any = type(made)
            wanted = recording_cursor(kind_of_cursor)
            made.close()
            if len(args) > 1:
                return kind.cursor(connection, args[0], wanted, *args[2:], **kw)
            return kind.cursor(connection, *args, **{**kw, "cursor_factory": wanted})

        return type(kind.__name__, (kind,), {"cursor": cursor, "__module__": kind.__module__})

    def around(connect: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(connect)
        def _connect(*args: Any, connection_factory: Any = None, **kw: Any) -> Any:
            kind: Any = connection_factory or extensions.connection
            is_class = isinstance(kind, type)
            if listener.listens and is_class:
                kind = recording_connection(kind)
            return connect(*args, connection_factory=kind, **kw)

        return _connect

    # the function that psycopg2.connect() calls, so that one that was imported by name is listened to as well
    yield Patch(psycopg2, "_connect", around)


_PATCHES: dict[str, Callable[[_Listener], Iterator[Patch]]] = {
    "asyncpg": _asyncpg,
    "psycopg": _psycopg,
    "psycopg2": _psycopg2,
}
