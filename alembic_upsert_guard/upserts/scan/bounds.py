"""How long one file may take to read: whatever is in it, the rest of the tree is scanned."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from ...errors import UpsertGuardError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SECONDS", "OutOfTimeError", "check_time", "time_limit"]

SECONDS = 30.0
"""Processor time that one file may take, so that a busy machine gives the same answer.

The reading is linear: a statement of 6 MB, with 1,500,000 rows, took 11 seconds.
"""

_END: ContextVar[tuple[float, float] | None] = ContextVar("_END", default=None)
"""When the time is over, by the clock and by the processor."""


class OutOfTimeError(UpsertGuardError):
    """The file at hand has had its time."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let :func:`check_time` raise once `seconds` have passed; limits do not nest."""
    token = _END.set((perf_counter() + seconds, process_time() + seconds))
    try:
        yield
    finally:
        _END.reset(token)


def check_time() -> None:
    """Return while the file at hand has time left, or where no limit was set.

    Called in every loop that a hostile file could make long. It is asked and not interrupted, for neither signals nor
    exceptions from another thread work on every system and in every thread.

    :raises OutOfTimeError: its time has run out.
    """
    end = _END.get()
    # the clock is asked first: a tenth of the price, and one thread's processor time cannot be over before
    if end is not None and perf_counter() > end[0] and process_time() > end[1]:
        raise OutOfTimeError
