"""One reading of an expression: what is taken for granted, and what the answer turned out to depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping

    from .module import Module
    from .scope import Entered, Frame, Scope
    from .values import Function, Instance, Meaning, Opening

__all__ = ["Answer", "Mark", "Reading", "Shared"]

Asked: TypeAlias = "tuple[Module, Frame | None, ast.expr, bool] | tuple[Instance, str, bool]"
"""An expression and its scope, or an attribute of an instance; and whether functions are entered.

A scope is taken apart, for that is looked up faster by far.
"""
Call: TypeAlias = "tuple[Function, Scope, ast.AST]"

_STEPS = 5_000
"""Expressions that one reading may go through: the longest in 22 public packages took 400."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is asked, gone through."""

    meanings: list[Meaning]
    is_optional: bool
    """Whether it can be None as well, which is no part of the meanings."""


@dataclass(slots=True)
class Shared:
    """What readings found, for all that assume the same; with each answer, the openings that it depends on."""

    meanings: dict[Asked, tuple[Answer, tuple[Opening, ...]]] = field(default_factory=dict)
    frames: dict[Call, tuple[Frame | None, tuple[Opening, ...]]] = field(default_factory=dict)


class Mark(NamedTuple):  # made by the ten thousand: a frozen data class takes three times as long
    """How far a reading was, before it was asked something."""

    own: int
    leanings: int
    opened: int


@dataclass(slots=True)
class Reading:
    """The state of one reading."""

    assumed: Mapping[Entered, Frame] = field(default_factory=dict)
    """How functions and loops are taken to be entered, where no frame says it: ask :meth:`assumption`."""
    shared: Shared = field(default_factory=Shared)
    outer: Reading | None = None
    """The one that began it."""
    openings: dict[Opening, None] = field(default_factory=dict)
    """In the order in which they were asked for."""
    enters: bool = True
    """Whether functions are entered; False: a call means itself."""
    known: dict[Asked, Answer] = field(default_factory=dict)
    """What is not shared, for a circle or a bound was met."""
    active: dict[Asked, int] = field(default_factory=dict)
    """What is being followed at the moment, counted from 0: what leads there again is a circle."""
    held: dict[Asked, tuple[int, Answer]] = field(default_factory=dict)
    """What was met inside a circle, with the number of the expression that the circle begins at: so long as that one
    is being followed, it is not gone through again."""
    frames: dict[Call, Frame | None] = field(default_factory=dict)
    """Each call is entered once, so that what it leads to is the same each time; those that are not shared."""
    drops_none: bool = False
    """Whether None was left out since somebody last asked."""
    steps: int = 0
    circle: int | None = None
    """The first expression being followed that a circle below led back to; None: there was no circle."""
    own: int = 0
    """How many answers were given that are this reading's only: a circle was met, or a bound."""
    leanings: int = 0
    """How many answers depend on what is assumed."""
    _asked: list[Opening] = field(default_factory=list)
    """Every opening that was asked for, each time."""

    def assumption(self, entered: Entered) -> Frame | None:
        """Return how a function or a loop is taken to be entered."""
        self.leanings += 1
        return self.assumed.get(entered)

    def open(self, opening: Opening) -> None:
        """Note that an answer depends on how something is entered."""
        self.leanings += 1
        self.openings[opening] = None
        self._asked.append(opening)

    def open_again(self, openings: tuple[Opening, ...]) -> None:
        """Take over an answer of this or another reading, with the openings that it depends on."""
        self.leanings += 1
        for opening in openings:
            self.open(opening)

    def mark(self) -> Mark:
        """Return how far the reading is."""
        return Mark(self.own, self.leanings, len(self._asked))

    def opened_since(self, mark: Mark) -> tuple[Opening, ...]:
        """Return what was opened, each once; what was asked for twice is forgotten."""
        if len(self._asked) == mark.opened:
            return ()
        opened = tuple(dict.fromkeys(self._asked[mark.opened :]))
        self._asked[mark.opened :] = opened
        return opened

    def meet(self, beginning: int) -> None:
        """Note a circle, or what depends on one."""
        self.own += 1
        self.circle = beginning if self.circle is None else min(self.circle, beginning)

    def meet_unfinished(self) -> None:
        """Note that an answer, and those that wait for it, rests on something that is still being looked up."""
        reading: Reading | None = self
        while reading is not None:
            reading.own += 1
            reading = reading.outer

    def recalled(self, asked: Asked) -> Answer | None:
        """Return an answer that is this reading's only; None: there is none."""
        if asked in self.known:
            self.own += 1
            return self.known[asked]
        if asked in self.held:
            beginning, answer = self.held[asked]
            self.meet(beginning)
            return answer
        return None

    def finish(self, asked: Asked, answer: Answer, before: int | None) -> None:
        """Keep what an expression means: for good, or until the circle that it is in was gone through.

        :param before: the circle that was noted when the expression was begun.
        """
        own = self.active.pop(asked)
        if self.circle is not None and self.circle < own:
            self.held[asked] = self.circle, answer
        else:
            self.known[asked] = answer
            if self.circle is not None:
                self.held = {k: each for k, each in self.held.items() if each[0] < own}
            self.circle = None
        if before is not None:
            self.meet(before)

    def is_spent(self) -> bool:
        """Count one step, and return whether it is one too many."""
        self.steps += 1
        return self.steps > _STEPS
