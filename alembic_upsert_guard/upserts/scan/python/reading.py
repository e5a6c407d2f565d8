"""One reading of an expression: what is taken for granted, and what the answer turned out to depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    import ast
    from collections.abc import Collection, Mapping

    from .module import Module
    from .scope import Entered, Frame, Scope
    from .values import Function, Instance, Meaning, Opening

__all__ = ["Answer", "Memory", "Reading"]

Asked: TypeAlias = "tuple[Module, Frame | None, ast.expr, bool] | tuple[Instance, str, bool]"
"""An expression and its scope, or an attribute of an instance; and whether functions are entered.

A scope is taken apart, for that is looked up faster by far.
"""
Call: TypeAlias = "tuple[Function, Scope, ast.AST]"
Leaning: TypeAlias = "tuple[Entered, Frame | None] | tuple[None, tuple[tuple[Entered, Frame], ...]]"
"""How something is taken to be entered; or all that is assumed."""

_Key = TypeVar("_Key")
_Found = TypeVar("_Found")

_STEPS = 5_000
"""Expressions that one reading may go through: the longest in 22 public packages took 400."""


class Answer(NamedTuple):  # made by the ten thousand: a frozen data class takes three times as long
    """What is asked, gone through."""

    meanings: list[Meaning]
    is_optional: bool
    """Whether it can be None as well, which is no part of the meanings."""


class Mark(NamedTuple):  # likewise
    """How far a reading was, before it was asked something."""

    own: int
    leaned: int
    opened: int


class Kept(NamedTuple, Generic[_Found]):
    """What one reading found, for others that assume the same of what it leans on."""

    found: _Found
    leanings: tuple[Leaning, ...]
    openings: tuple[Opening, ...]


class Memory(Generic[_Key, _Found]):
    """What readings found, whatever else they assume."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        self._kept: dict[_Key, list[Kept[_Found]]] = {}

    def recall(self, reading: Reading, asked: _Key) -> Kept[_Found] | None:
        """Return what a reading found that holds in this one, too, which then depends on the same.

        None: none did.
        """
        for kept in self._kept.get(asked, ()):
            if not kept.leanings or reading.assumes(kept.leanings):
                reading.take_over(kept)
                return kept
        return None

    def keep(self, reading: Reading, asked: _Key, found: _Found, mark: Mark) -> None:
        """Keep what a reading found since a mark, and nothing of it this reading's only."""
        self._kept.setdefault(asked, []).append(Kept(found, *reading.depends_since(mark)))


@dataclass(slots=True)
class Reading:
    """The state of one reading."""

    assumed: Mapping[Entered, Frame] = field(default_factory=dict)
    """How functions and loops are taken to be entered, where no frame says it: ask :meth:`assumption`."""
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
    _leaned: list[Leaning] = field(default_factory=list)
    """Everything assumed that was asked for, each time."""
    _opened: list[Opening] = field(default_factory=list)
    """Likewise, every opening."""

    def assumption(self, entered: Entered) -> Frame | None:
        """Return how a function or a loop is taken to be entered."""
        frame = self.assumed.get(entered)
        self._leaned.append((entered, frame))
        return frame

    def assumptions(self) -> Collection[Frame]:
        """Return how everything is taken to be entered of which anything is assumed."""
        self._leaned.append((None, tuple(self.assumed.items())))
        return self.assumed.values()

    def assumes(self, leanings: tuple[Leaning, ...]) -> bool:
        """Return whether another reading that leant on some assumptions would have found the same in this one."""
        for entered, frame in leanings:
            if entered is None:
                if tuple(self.assumed.items()) != frame:
                    return False
            elif self.assumed.get(entered) != frame:
                return False
        return True

    def open(self, opening: Opening) -> None:
        """Note that an answer depends on how something is entered."""
        self.openings[opening] = None
        self._opened.append(opening)

    def take_over(self, kept: Kept[Any]) -> None:
        """Depend on what an answer of this or another reading depends on."""
        self._leaned += kept.leanings
        for opening in kept.openings:
            self.open(opening)

    def mark(self) -> Mark:
        """Return how far the reading is."""
        return Mark(self.own, len(self._leaned), len(self._opened))

    def depends_since(self, mark: Mark) -> tuple[tuple[Leaning, ...], tuple[Opening, ...]]:
        """Return what an answer depends on, each once; what was asked for twice is forgotten."""
        return _each_once(self._leaned, mark.leaned), _each_once(self._opened, mark.opened)

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


def _each_once(asked: list[_Found], since: int) -> tuple[_Found, ...]:
    if len(asked) == since:
        return ()
    found = tuple(dict.fromkeys(asked[since:]))
    asked[since:] = found
    return found
