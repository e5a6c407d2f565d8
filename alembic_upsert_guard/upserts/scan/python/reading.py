"""One reading of an expression: what is taken for granted, and what the answer turned out to depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping

    from .scope import Entered, Frame, Scope
    from .values import Function, Meaning, Opening

__all__ = ["Reading"]

Asked: TypeAlias = "tuple[Scope, ast.expr, bool]"

_STEPS = 5_000
"""Expressions that one reading may go through: the longest in 22 public packages took 400."""


@dataclass(slots=True)
class Reading:
    """The state of one reading."""

    assumed: Mapping[Entered, Frame] = field(default_factory=dict)
    """How functions and loops are taken to be entered, where no frame says it."""
    openings: dict[Opening, None] = field(default_factory=dict)
    """In the order in which they were asked for."""
    enters: bool = True
    """Whether functions are entered; False: a call means itself."""
    known: dict[Asked, list[Meaning]] = field(default_factory=dict)
    active: dict[Asked, int] = field(default_factory=dict)
    """What is being followed at the moment, counted from 0: what leads there again is a circle."""
    held: dict[Asked, tuple[int, list[Meaning]]] = field(default_factory=dict)
    """What was met inside a circle, with the number of the expression that the circle begins at: so long as that one
    is being followed, it is not gone through again."""
    frames: dict[tuple[Function, Scope, ast.AST], Frame | None] = field(default_factory=dict)
    """Each call is entered once, so that what it leads to is the same each time."""
    optional: set[Asked] = field(default_factory=set)
    """Those that can be None as well, which is no part of what they are known to mean."""
    drops_none: bool = False
    """Whether None was left out since somebody last asked."""
    steps: int = 0
    circle: int | None = None
    """The first expression being followed that a circle below led back to; None: there was no circle."""

    def meet(self, beginning: int) -> None:
        """Note a circle, or what depends on one."""
        self.circle = beginning if self.circle is None else min(self.circle, beginning)

    def finish(self, asked: Asked, meanings: list[Meaning], before: int | None) -> None:
        """Keep what an expression means: for good, or until the circle that it is in was gone through.

        :param before: the circle that was noted when the expression was begun.
        """
        own = self.active.pop(asked)
        if self.circle is not None and self.circle < own:
            self.held[asked] = self.circle, meanings
        else:
            self.known[asked] = meanings
            if self.circle is not None:
                self.held = {k: each for k, each in self.held.items() if each[0] < own}
            self.circle = None
        if before is not None:
            self.meet(before)

    def is_spent(self) -> bool:
        """Count one step, and return whether it is one too many."""
        self.steps += 1
        return self.steps > _STEPS
