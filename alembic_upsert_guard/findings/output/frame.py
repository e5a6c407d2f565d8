"""A line of source with the upsert in it underlined."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Span", "framed", "span_of"]

_MARKS = (
    "on_conflict_do_update",
    "on_conflict_do_nothing",
    "on_duplicate_key_update",
    "onconflictdoupdate",
    "onconflictdonothing",
    "onduplicatekeyupdate",
    "on conflict",
    "on duplicate key",
    "on_conflict",
    "onconflict",
    "upsert",
)
"""What an upsert is known by on its line, in lower case; what says more comes first."""

_LONGEST = 120
"""Columns of a line that are shown where the terminal's width is not known."""
_CUT = "..."
"""In the place of what is not shown."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line."""

    start: int
    """Counted from 0."""
    end: int


def span_of(line: str) -> Span:
    """Return where the upsert is on its line; the whole of it, without its indentation, where that is not seen."""
    lower = line.lower()
    for mark in _MARKS:
        start = lower.find(mark)
        if start >= 0:
            return Span(start, start + len(mark))
    start = len(line) - len(line.lstrip())
    return Span(start, max(len(line.rstrip()), start + 1))


def framed(line: str, number: int, width: int | None) -> list[str]:
    """Return the line under its number, and the span underlined; a long one is cut to what is around the span.

    :param line: without control characters.
    :param number: of the line, counted from 1.
    :param width: columns of the terminal; None: not known.
    """
    span = span_of(line)
    margin = " " * len(str(number))
    room = max((width or _LONGEST) - len(margin) - 3, 40)
    indentation = min(len(line) - len(line.lstrip()), span.start)
    is_long = len(line) > indentation + room
    first = max(indentation, span.end + len(_CUT) - room) if is_long else 0
    shown = line[first : first + room].rstrip()
    if first > indentation:
        shown = f"{_CUT}{shown[len(_CUT) :]}"
    if first + room < len(line.rstrip()):
        shown = f"{shown[: room - len(_CUT)]}{_CUT}"
    marks = "^" * (min(span.end, first + room) - span.start)
    return [
        f"{margin} |",
        f"{number} | {shown}",
        f"{margin} | {' ' * (span.start - first)}{marks}",
    ]
