"""Where an expression is evaluated: in which file, and within which calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ..needles import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...target import Unread
    from .module import Module
    from .values import Class, Instance

__all__ = [
    "Argument",
    "Comprehension",
    "Entered",
    "Frame",
    "FunctionNode",
    "FunctionStatement",
    "LoopNode",
    "Scope",
]

FunctionStatement: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
FunctionNode: TypeAlias = FunctionStatement | ast.Lambda
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
LoopNode: TypeAlias = ast.For | ast.AsyncFor | Comprehension
Entered: TypeAlias = FunctionNode | LoopNode | ast.ClassDef | ast.IfExp


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of an expression are looked up in."""

    module: Module
    frame: Frame | None = None
    """The innermost function that was entered; None: none is known."""

    def frame_of(self, entered: Entered) -> Frame | None:
        """Return the frame of a function or loop that the expression is in; None: how it was entered is not known."""
        frame = self.frame
        while frame is not None and frame.entered is not entered:
            frame = frame.closure
        return frame

    def around(self, node: ast.AST) -> Scope:
        """Return the scope for a node of the same file, without the frames of what it is not in."""
        frame = self.frame
        if frame is None:
            return self
        outer: list[ast.AST] = []
        for around in self.module.around(node):
            if around is frame.entered:
                return self
            outer.append(around)
        while frame is not None and frame.entered not in outer:
            frame = frame.closure
        return self if frame is self.frame else Scope(self.module, frame)


@dataclass(frozen=True, slots=True)
class Argument:
    """What a parameter is given: an expression where the call is, or where the function is defined."""

    scope: Scope
    node: ast.expr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """A function that was entered, a loop in one round, a class that others inherit from, or a choice that was made.

    Frames are equal that give the same: which call entered a function changes nothing of what is in it.
    """

    entered: Entered
    receiver: Instance | Class | None = None
    """What ``self`` or ``cls`` is; None: it is an argument as others are, or there is none."""
    closure: Frame | None = None
    """Of the function around it, where one was entered."""
    arguments: Mapping[str, Argument | Unread] | None = None
    """By parameter, those that a default serves included. None: not known."""
    choice: bool | None = None
    """What the condition is; None: it is no choice."""
    _key: tuple[object, ...] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)
    """Frames are in frames, and are looked up by the thousand: each is hashed once."""

    def __post_init__(self) -> None:
        """Make what frames are compared by."""
        named = self.arguments
        given = None if named is None else tuple((n, _given(named[n])) for n in sorted(named))
        key = (self.entered, self.receiver, self.closure, given, self.choice)
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "_hash", hash(key))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self is other or (self._hash == other._hash and self._key == other._key)

    def __hash__(self) -> int:
        return self._hash


def _given(argument: Argument | Unread) -> object:
    """An argument, as far as it makes a difference: one word or number is as another that is the same, wherever it is.

    Longer texts are not, for they may be statements that are shown where they are.
    """
    match argument:
        case Argument(node=ast.Constant(value=None | bool() | int() as value)):
            return type(value), value
        case Argument(node=ast.Constant(value=str(value))):
            if value.isidentifier() and not any(word in value.lower() for word in WORDS):
                return str, value
    return argument
