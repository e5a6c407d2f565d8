"""What a reader of one library says of a call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from ...target import Elements, Unread
from ...upsert import Source, Upsert

if TYPE_CHECKING:
    from ...target import NamedTable, Target
    from ...upsert import Form, Place
    from .meaning import Expression
    from .nodes import MethodCall

__all__ = ["LibraryReader", "Site"]

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One upsert, wherever it is."""

    form: Form
    table: NamedTable | Unread
    target: Target | Unread
    binds: bool = False

    def upsert(self, place: Place) -> Upsert:
        """Return the upsert at a place; why something is unread names the library."""
        target = self._with_library(self.target, "conflict target")
        if isinstance(target, Elements) and isinstance(target.predicate, Unread):
            predicate = self._with_library(target.predicate, "predicate")
            target = Elements(target.elements, predicate)
        return Upsert(
            source=Source.CODE,
            place=place,
            table=self._with_library(self.table, "table"),
            target=target,
            binds=self.binds,
            form=self.form,
        )

    def _with_library(self, part: _Part, called: str) -> _Part:
        if not isinstance(part, Unread):
            return part
        reason = f"the {called} of {self.form.value}'s upsert is not read: {part.reason}"
        return replace(part, reason=reason)


class LibraryReader(Protocol):
    """The reader of one library."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the methods that it has to look at."""

    def read(self, of: Expression, call: MethodCall) -> Site | None:
        """Return the upsert that a call makes; None: it is another call, or another library's."""
