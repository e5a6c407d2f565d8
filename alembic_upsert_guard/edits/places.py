"""Where the declarations of a table are written, as plain values; :mod:`.origins` finds them in loaded modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .arguments import Arguments
    from .names import ModuleNames

__all__ = ["ClassPlace", "Inherited", "NoPlace", "Place", "TablePlace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """``__table_args__`` that a class takes from a mixin or base."""

    value: Arguments
    name: str | None
    """The base, as the names of the class's module spell it; None: by no name that they have."""
    is_method: bool
    """Whether it is a ``declared_attr``, which has to be asked by the class that takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPlace:
    """The mapped class that a table comes from."""

    path: str
    """The real path of the file."""
    names: ModuleNames
    """Of the module."""
    qualname: str
    arguments: Arguments
    """The class's own ``__table_args__``; NONE: it has none of its own."""
    inherited: Inherited | None = None
    """None: it takes none."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Name of the attribute, and of the column that it maps."""
    of_mixins: frozenset[str] = frozenset()
    """Names that the class has from classes that are not mapped."""

    @property
    def label(self) -> str:
        """The place in words."""
        return f"class {self.qualname}"

    @property
    def subject(self) -> str:
        """How Python code names the table."""
        return self.qualname


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlace:
    """A table that is made by ``Table(...)`` in one of these modules."""

    schema: str | None
    table: str
    modules: tuple[tuple[str, ModuleNames], ...]
    """The real path of each, and its names."""
    holders: frozenset[str] = frozenset()
    """The paths of those that hold this very table in a variable."""

    @property
    def label(self) -> str:
        """The place in words."""
        return f'Table("{self.table}", ...)'

    @property
    def subject(self) -> str:
        """How Python code names the table."""
        name = self.table if self.schema is None else f"{self.schema}.{self.table}"
        return f'metadata.tables["{name}"]'


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlace:
    """Nothing that could be written into is known."""

    label: str
    """The place in words."""
    subject: str
    """How Python code names the table."""
    reason: str
    """Present tense, without a full stop."""


Place: TypeAlias = ClassPlace | TablePlace | NoPlace
