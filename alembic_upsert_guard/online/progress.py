"""What a person sees of a build: a bar on a terminal, a line now and then in a log, nothing when quiet."""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from .watching import Drawer, Observation

__all__ = ["drawer_for"]

_EVERY = 10.0
"""Seconds between two lines in a log; a change of phase is no reason for one, a new blocker is."""


def drawer_for(
    subject: str, say: Callable[[str], None], stream: TextIO, *, quiet: bool
) -> Drawer | None:
    """Return what shows the build of `subject`; None: nothing does.

    :param say: takes a line for the log.
    :param stream: where a bar would be drawn: on a terminal, with ``rich`` installed (extra ``progress``), it is.
    """
    if quiet:
        return None
    if stream.isatty() and importlib.util.find_spec("rich") is not None:
        return _Bar(subject, say, stream)
    return _Lines(subject, say)


class _Lines:
    def __init__(self, subject: str, say: Callable[[str], None]) -> None:
        self._subject = subject
        self._say = say
        self._next = time.monotonic() + _EVERY
        self._blockers: tuple[str, ...] = ()

    def show(self, observation: Observation) -> None:
        held_up = observation.blockers and _first(observation) != _first_of(self._blockers)
        now = time.monotonic()
        if not held_up and now < self._next:
            return
        self._next = now + _EVERY
        self._blockers = observation.blockers
        self._say(f"{self._subject}: {_told(observation)}")

    def close(self) -> None:
        pass


class _Bar:
    def __init__(self, subject: str, say: Callable[[str], None], stream: TextIO) -> None:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        self._say = say
        self._blockers: tuple[str, ...] = ()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[counted]}", markup=False),
            TimeElapsedColumn(),
            console=Console(file=stream),
            transient=True,
        )
        self._subject = subject
        self._task = self._progress.add_task(subject, total=None, counted="")
        self._progress.start()

    def show(self, observation: Observation) -> None:
        if observation.blockers and _first(observation) != _first_of(self._blockers):
            self._say(f"{self._subject}: {_waits(observation)}")
        self._blockers = observation.blockers
        self._progress.update(
            self._task,
            description=f"{self._subject}: {observation.phase or 'working'}",
            completed=observation.done,
            total=observation.total or None,
            counted=_counted(observation),
        )

    def close(self) -> None:
        self._progress.stop()


def _told(observation: Observation) -> str:
    said = [observation.phase or "working"]
    if observation.total:
        said.append(_counted(observation))
    if observation.blockers:
        said.append(_waits(observation))
    return ", ".join(said)


def _counted(observation: Observation) -> str:
    if not observation.total:
        return ""
    percent = 100 * observation.done // observation.total
    return f"{observation.done:,} of {observation.total:,} {observation.unit} ({percent} %)"


def _waits(observation: Observation) -> str:
    return f"waits for {'; '.join(observation.blockers)}"


def _first(observation: Observation) -> str:
    return _first_of(observation.blockers)


def _first_of(blockers: tuple[str, ...]) -> str:
    # the age of its transaction changes at every look, the pid in front does not
    return blockers[0].split(",")[0] if blockers else ""
