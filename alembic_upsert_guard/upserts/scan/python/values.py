"""What an expression can mean."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from ...target import Unread
from .nodes import last_part
from .scope import Scope

if TYPE_CHECKING:
    from .module import Module
    from .scope import Argument, Entered, FunctionNode

__all__ = [
    "Class",
    "Expression",
    "External",
    "File",
    "Function",
    "Instance",
    "Meaning",
    "Opening",
    "OpeningKind",
    "Origin",
    "Super",
    "is_none",
]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that is no mere name: a literal, a call, an attribute of something that runs."""

    scope: Scope
    node: ast.expr | ast.AugAssign


@dataclass(frozen=True, slots=True)
class Class:
    """A class that a file which was read defines."""

    module: Module
    node: ast.ClassDef

    @property
    def scope(self) -> Scope:
        """What its body is evaluated in."""
        return Scope(self.module)

    @property
    def qualname(self) -> str:
        """As Python names it, outer classes in front."""
        outer = [n.name for n in self.module.around(self.node) if isinstance(n, ast.ClassDef)]
        return ".".join([*reversed(outer), self.node.name])

    @property
    def is_enumeration(self) -> bool:
        """Whether one of its bases is called an enumeration, as Python's own are."""
        return any(last_part(base).endswith(("Enum", "Flag")) for base in self.node.bases)


class Origin(Enum):
    """How an instance came to be known, and so how exactly its class is."""

    MADE = "made by a call of its class"
    RECEIVER = "self or cls of a method, which a subclass may have inherited"
    ANNOTATED = "stated by an annotation, which a subclass satisfies"


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of a class that a file which was read defines."""

    of: Class
    origin: Origin
    made: Argument | None = None
    """The call that made it; None: not known."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a file which was read defines."""

    scope: Scope
    """What its definition is in."""
    node: FunctionNode
    receiver: Instance | Class | None = None
    """What it is bound to; None: to nothing, and its first parameter is an argument as others are."""
    given: tuple[Argument, ...] = ()
    """The calls of ``functools.partial`` that it went through, the first one first."""


@dataclass(frozen=True, slots=True)
class Super:
    """``super()`` in a method of a class."""

    of: Class
    receiver: Instance | Class


@dataclass(frozen=True, slots=True)
class File:
    """A module that was read."""

    module: Module


@dataclass(frozen=True, slots=True)
class External:
    """Something imported that was not read."""

    dotted: str
    """Its full name, such as ``sqlalchemy.dialects.postgresql.insert``."""


class OpeningKind(Enum):
    """What an answer depends on that another part of the program decides."""

    PARAMETER = "the calls of a function"
    RECEIVER = "the classes that inherit a method"
    LOOP = "the rounds of a loop"
    CHOICE = "a condition that only a run knows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A name whose meaning depends on how a function was entered, and that is not known."""

    kind: OpeningKind
    module: Module
    node: Entered | ast.ClassDef
    """The function, the loop, the choice, or the class that the method is in."""
    name: str | None
    """The parameter, or the attribute of the receiver; None: the receiver itself."""


Meaning: TypeAlias = Expression | Class | Instance | Function | Super | External | Unread | File


def is_none(meaning: Meaning) -> bool:
    """Return whether it is None, and nothing else."""
    match meaning:
        case Expression(_, ast.Constant(value=None)):
            return True
    return False
