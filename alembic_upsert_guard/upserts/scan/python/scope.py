"""Where an expression is evaluated: in which file, and within which calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Scope"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of an expression are looked up in."""

    module: Module
