"""What the names of a loaded module mean, as far as declarations are written with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ModuleNames"]


@dataclass(frozen=True, slots=True)
class ModuleNames:
    """The globals of a module that matter, after it was imported."""

    objects: Mapping[str, str]
    """Names such as ``text``, ``sa.text`` or ``g.UpsertKey``, each with what it is: ``text``, ``UpsertKey`` ..."""
    strings: Mapping[str, str]
    """Globals that are strings."""
    all: frozenset[str]
    """Every global."""

    def spelled(self, meaning: str) -> list[str]:
        """Return the names of an object, bare ones first."""
        found = [name for name, each in self.objects.items() if each == meaning]
        return sorted(found, key=lambda name: (name.count("."), len(name), name))
