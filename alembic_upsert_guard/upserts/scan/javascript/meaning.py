"""What an expression of a file can mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...target import Unread
from .nodes import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from .module import Module

__all__ = [
    "UNDEFINED",
    "Expression",
    "External",
    "Frame",
    "Meaning",
    "Namespace",
    "Properties",
]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression of a file, within the calls that led to it."""

    module: Module
    node: Node
    frame: Frame | None = None
    """What the parameters of the functions around it are; None: nothing is known of them."""

    def at(self, node: Node) -> Expression:
        """Return another expression of the same file, within the same calls."""
        return Expression(self.module, node, self.frame)

    @property
    def source(self) -> str:
        """What is written there, shortened for a message."""
        said = " ".join(text_of(self.node).split())
        return said if len(said) <= _SHOWN else f"{said[: _SHOWN - 3]}..."


_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a function that is read with its arguments."""

    function: Node
    module: Module
    arguments: tuple[Expression, ...] | None
    """None: some are spread, and which is which is not known."""
    outer: Frame | None = None

    def of(self, module: Module, function: Node) -> Frame | None:
        """Return the frame of a function, this one or one outside of it; None: there is none."""
        frame: Frame | None = self
        while frame is not None and (frame.function != function or frame.module is not module):
            frame = frame.outer
        return frame


@dataclass(frozen=True, slots=True)
class External:
    """A name of a package that is not followed into its files, or of the language itself."""

    package: str
    """Empty: the language's."""
    name: str
    """With dots; ``*``: the package itself."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A file that is imported as a whole."""

    module: Module


UNDEFINED = External("", "undefined")
"""What is not given."""

Meaning: TypeAlias = Expression | External | Namespace | Unread


@dataclass(slots=True)
class Properties:
    """What an object states. A property that a later spread may override is not in it."""

    named: dict[str, Expression]
    unread: Unread | None = None
    """Why it may have others; None: it has none."""

    def get(self, name: str) -> Expression | Unread | None:
        """Return a property; None: the object has none of that name."""
        return self.named.get(name, self.unread)
