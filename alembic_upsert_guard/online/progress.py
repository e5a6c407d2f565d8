"""The progress of a build: a bar on a terminal, a line now and then in a log, nothing when quiet."""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING, TextIO

from .sessions import format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.table import Table

    from .progress_watch import Drawer, Observation

__all__ = ["drawer_for"]

_EVERY = 10.0
"""Seconds between two lines in a log; a change of phase is no reason for one, a session in the way is."""

_BAR_WIDTH = 16
"""Columns: beside the longest phase and a count it leaves the line within 80."""


def drawer_for(
    subject: str,
    say: Callable[[str], None],
    stream: TextIO,
    *,
    quiet: bool,
    clock: Callable[[], float] = time.monotonic,
) -> Drawer | None:
    """Return what shows the build of `subject`; None: nothing does.

    :param say: takes a line for the log.
    :param stream: where a bar would be drawn: on a terminal, with ``rich`` installed (extra ``progress``), it is.
    :param clock: seconds since whenever.
    """
    if quiet:
        return None
    console = _console(stream)
    if console is None:
        return _Lines(subject, say, clock)
    return _Bar(subject, say, console, clock)


def _console(stream: TextIO) -> Console | None:
    """Return the terminal that `stream` is; None: it is none, or no bar can be drawn on it."""
    if not stream.isatty() or importlib.util.find_spec("rich") is None:
        return None
    from rich.console import Console  # noqa: PLC0415 - an extra

    console = Console(file=stream)
    return console if console.is_interactive and not console.is_dumb_terminal else None


class _InTheWay:
    """Knows which sessions have been reported."""

    def __init__(self) -> None:
        self._last_look: int | None = None
        self._reported: int | None = None

    def is_news(self, observation: Observation) -> bool:
        """Return whether somebody new is in the way, and was so at the last look: short transactions come and go."""
        pid = observation.blockers[0].pid if observation.blockers else None
        stays = pid is not None and pid == self._last_look
        self._last_look = pid
        if not stays or pid == self._reported:
            return False
        self._reported = pid
        return True


class _Lines:
    def __init__(
        self, subject: str, say: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self._subject = subject
        self._say = say
        self._clock = clock
        self._next = clock() + _EVERY
        self._in_the_way = _InTheWay()

    def show(self, observation: Observation) -> None:
        now = self._clock()
        if self._in_the_way.is_news(observation) or now >= self._next:
            self._next = now + _EVERY
            self._say(f"{self._subject}: {_described(observation)}")

    def close(self) -> None:
        pass


class _Bar:
    def __init__(
        self,
        subject: str,
        say: Callable[[str], None],
        console: Console,
        clock: Callable[[], float],
    ) -> None:
        from rich.live import Live  # noqa: PLC0415 - an extra

        self._subject = subject
        self._say = say
        self._clock = clock
        self._began = clock()
        self._in_the_way = _InTheWay()
        self._live = Live(console=console, transient=True)

    def show(self, observation: Observation) -> None:
        if self._in_the_way.is_news(observation):
            # a logging handler knows nothing of the bar, and would write on in its line
            self._live.stop()
            self._say(f"{self._subject}: {_waits(observation)}")
        self._live.update(self._drawn(observation))
        self._live.start()

    def _drawn(self, observation: Observation) -> Table:
        from rich.progress_bar import ProgressBar  # noqa: PLC0415 - an extra
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(observation.phase or self._subject, no_wrap=True, overflow="ellipsis"),
            # without a total it shows that something is done, and not how much
            ProgressBar(observation.total or None, observation.done, width=_BAR_WIDTH),
            Text(_counted_briefly(observation), no_wrap=True),
            Text(format_seconds(self._clock() - self._began), no_wrap=True),
        )
        return line

    def close(self) -> None:
        self._live.stop()


def _described(observation: Observation) -> str:
    parts = [observation.phase, _counted(observation), _waits(observation)]
    return ", ".join(filter(None, parts)) or "working"


def _counted(observation: Observation) -> str:
    if not observation.total:
        return ""
    counted = f"{observation.done:,} of {observation.total:,} {observation.unit}"
    return f"{counted} ({_percent(observation)})"


def _counted_briefly(observation: Observation) -> str:
    if not observation.total:
        return ""
    if observation.unit == "sessions":
        return f"{observation.done:,} of {observation.total:,}"
    return _percent(observation)


def _percent(observation: Observation) -> str:
    return f"{100 * observation.done // observation.total} %"


def _waits(observation: Observation) -> str:
    blockers = "; ".join(map(str, observation.blockers))
    return f"waits for {blockers}" if blockers else ""
