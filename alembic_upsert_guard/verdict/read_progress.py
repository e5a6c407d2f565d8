"""How far the reading of the rows is, for who watches it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..catalog.tables import estimated_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

__all__ = ["ReadRows", "TimedReads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRows:
    """How far the reading of the rows is, a read a key."""

    done: int
    total: int
    table: str
    """That is read now, or was read last."""
    per_second: int | None
    """Rows of the last read, by the database's own estimate; None: not known."""


class TimedReads:
    """Says how far it is, where somebody listens."""

    def __init__(
        self, connection: Connection, total: int, progress: Callable[[ReadRows], None] | None
    ) -> None:
        """Nothing is read yet."""
        self._connection = connection
        self._progress = progress
        self._last = ReadRows(done=0, total=total, table="", per_second=None)

    @contextmanager
    def reading(self, table: Table) -> Iterator[None]:
        """A read of the table's rows."""
        if self._progress is None:
            yield
            return
        rows = estimated_rows(self._connection, table.name, table.schema)
        self._last = replace(self._last, table=table.fullname)
        self._progress(self._last)
        began = time.monotonic()
        yield
        seconds = max(time.monotonic() - began, 0.001)
        rate = None if rows is None else round(rows / seconds)
        self._last = replace(self._last, done=self._last.done + 1, per_second=rate)
        self._progress(self._last)
