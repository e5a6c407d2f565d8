"""Words of every report: numbers with their nouns, and the last line. A test run that is recorded imports no others."""

from __future__ import annotations

__all__ = ["counted", "last_line"]


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return the number with its noun: ``1 entry``, ``1,085 rows``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def last_line(subject: str, outcome: str, *, suppressed: int = 0) -> str:
    """Return what was looked at, what came of it, and how much the project suppresses."""
    rest = f", {suppressed:,} suppressed" if suppressed else ""
    return f"{subject}: {outcome}{rest}."
