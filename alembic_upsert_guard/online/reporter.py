"""What is reported of a run, and to whom."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .progress_watch import Drawer
    from .sessions import Session

__all__ = ["Reporter", "Throttle", "in_the_way"]


class Reporter:
    """Takes the lines of a log, and has what shows the progress of a statement."""

    def __init__(
        self,
        say: Callable[[str], None],
        drawer: Callable[[str], Drawer | None],
        *,
        reveal: bool = True,
    ) -> None:
        self.say = say
        self.drawer = drawer
        """Returns what shows how far something is; None: nothing does."""
        self.reveal = reveal
        """Whether other sessions' statements are shown, which hold values."""


class Throttle:
    """Lets a line through at most once in a number of seconds, the first one at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: float | None = None

    def is_due(self) -> bool:
        """Return whether a line may be said now, which then counts as said."""
        now = time.monotonic()
        if self._last is not None and now - self._last < self._seconds:
            return False
        self._last = now
        return True


def in_the_way(sessions: Sequence[Session]) -> str:
    """Return the end of a line that names the sessions which are waited for; empty: none are known."""
    return f"; in the way: {'; '.join(map(str, sessions))}" if sessions else ""
