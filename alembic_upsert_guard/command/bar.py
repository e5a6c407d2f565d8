"""How far a command is: a bar on a terminal, nothing in a log or when quiet."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

__all__ = ["Bar", "bar_for"]


class Bar:
    """A bar that is drawn."""

    def __init__(self, drawn: Progress, label: str) -> None:
        """Nothing is done yet, and how much there is to do is not known."""
        self._drawn = drawn
        self._task = drawn.add_task(label, total=None)

    def advance(self, done: int, total: int) -> None:
        """Draw that `done` of `total` are done."""
        self._drawn.update(self._task, completed=done, total=total)

    def describe(self, label: str) -> None:
        """Draw what is being done."""
        self._drawn.update(self._task, description=label)


@contextmanager
def bar_for(label: str, stream: TextIO, *, quiet: bool) -> Iterator[Bar | None]:
    """A bar where `stream` is a terminal and rich is installed (extra ``progress``); else, or when `quiet`, None."""
    if quiet or not stream.isatty():
        yield None
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.markup import escape  # noqa: PLC0415
        from rich.progress import Progress  # noqa: PLC0415
    except ModuleNotFoundError:
        yield None
        return
    with Progress(console=Console(file=stream), transient=True) as drawn:
        yield Bar(drawn, escape(label))
