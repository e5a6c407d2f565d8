"""The two ways in which a play ends early."""

from __future__ import annotations


class CannotPlayError(Exception):
    """There is no database that the project may be played on."""


class NotAsToldError(Exception):
    """A step went otherwise than the scene tells."""

    def __init__(self, step: str, *, expected: str, came: str) -> None:
        super().__init__(step)
        self.step = step
        self.expected = expected
        self.came = came
