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
    active: set[Asked] = field(default_factory=set)
    """What is being followed at the moment: what leads there again is a circle."""
    frames: dict[tuple[Function, Scope, ast.expr], Frame | None] = field(default_factory=dict)
    """Each call is entered once, so that what it leads to is the same each time."""
    steps: int = 0
    circular: bool = False
    """Whether a circle was met since the outermost expression was begun: nothing below it is known for good."""

    def is_spent(self) -> bool:
        """Count one step, and return whether it is one too many."""
        self.steps += 1
        return self.steps > _STEPS
