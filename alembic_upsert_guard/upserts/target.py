"""The table and the conflict target of an upsert, as its source spells them; or that they are unread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..findings.causes import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..inference import Element
    from .declared import DeclaredTable, DeclaredTables

__all__ = [
    "AnyArbiter",
    "Cause",
    "ConflictTargetCall",
    "Constraint",
    "ConstraintObject",
    "Elements",
    "Lookup",
    "NamedTable",
    "PrimaryKey",
    "Target",
    "TextInPart",
    "Unread",
]


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that the source does not say, or that is not understood; never a guess."""

    reason: str
    """In words, present tense, without a full stop."""
    cause: Cause = Cause.COMPUTED
    """What the way out depends on."""


@dataclass(frozen=True, slots=True)
class TextInPart(Unread):
    """A text of which the source writes a part, as ``tenant_{number}``."""

    begins: str = ""
    ends: str = ""

    @classmethod
    def of(cls, parts: Sequence[str | Unread]) -> Unread | None:
        """Return what is unread of a text that is put together, and how it begins and ends; None: nothing is."""
        at = [number for number, part in enumerate(parts) if isinstance(part, Unread)]
        if not at:
            return None
        first, last = parts[at[0]], parts[at[-1]]
        assert isinstance(first, Unread)  # noqa: S101 - for mypy
        begins = "".join(map(str, parts[: at[0]])) + (
            first.begins if isinstance(first, cls) else ""
        )
        ends = (last.ends if isinstance(last, cls) else "") + "".join(map(str, parts[at[-1] + 1 :]))
        return cls(first.reason, first.cause, begins, ends) if begins or ends else first


@dataclass(frozen=True, slots=True)
class NamedTable:
    """The table that is inserted into."""

    name: str
    schema: str | Unread | None = None
    """None: the source names none. Unread: it may name one, and only a run knows which."""
    declared: DeclaredTable | None = None
    """The declared table itself, where a mapped class, or the only table of that name, led there; None: only the name
    is known."""

    def may_be_in(self, schema: str | None) -> bool:
        """Return whether the table may be that of its name in a schema.

        :param schema: None: one that is stated nowhere, as a tenant's is.
        """
        if not isinstance(self.schema, Unread):
            return schema == self.schema
        if schema is None or not isinstance(self.schema, TextInPart):
            return True
        begins, ends = self.schema.begins, self.schema.ends
        is_long_enough = len(schema) >= len(begins) + len(ends)
        return is_long_enough and schema.startswith(begins) and schema.endswith(ends)

    def among(self, models: DeclaredTables) -> tuple[DeclaredTable, ...]:
        """Return the declared tables that it may be: at most one, where its schema is known."""
        if self.declared is not None:
            return (self.declared,)
        if isinstance(self.schema, Unread):
            named = models.tables_named(self.name)
            return tuple(table for table in named if self.may_be_in(table.schema))
        found = models.table(self.schema, self.name)
        return () if found is None else (found,)

    def only(self, models: DeclaredTables) -> DeclaredTable | None:
        """Return the declared table that it is; None: there is none, or there are several."""
        found = self.among(models)
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Elements:
    """``ON CONFLICT (elements) WHERE predicate``."""

    elements: tuple[Element, ...]
    predicate: str | Unread | None = None
    """In the SQL parser's normal form; None: there is none."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """``ON CONFLICT ON CONSTRAINT name``."""

    name: str


@dataclass(frozen=True, slots=True)
class ConstraintObject:
    """A constraint of SQLAlchemy's as ``constraint=``: taken by its name, or by its columns where it has none."""

    elements: tuple[Element, ...]
    """In the constraint's order."""
    name: str | None = None
    """As the source states it; None: it states none, and the metadata's naming convention may give one."""


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """The table's primary key, whatever its columns are: what Supabase takes where no target is named."""

    columns: tuple[str, ...] = ()
    """Their names, in key order, where the models or a database say them; empty: not known."""


@dataclass(frozen=True, slots=True)
class AnyArbiter:
    """No target: a bare ``ON CONFLICT DO NOTHING``, or ``ON DUPLICATE KEY UPDATE``."""


@dataclass(frozen=True, slots=True)
class ConflictTargetCall:
    """``conflict_target(table, *elements, where=...)``."""

    elements: tuple[Element, ...] = ()
    """Empty: the only key that the table declares."""
    predicate: str | Unread | None = None
    """In the SQL parser's normal form; None: not named, which is the key without one where several fit."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A condition of the statement's own that rows are looked up by; what is not there is inserted.

    It infers no arbiter, so it runs without anything unique (no 42P10). But neither MERGE nor a SELECT before an INSERT
    sees the row that another session has not committed yet, and both insert it (manual, MERGE, Notes).
    """

    elements: tuple[Element, ...]
    """What is compared for equality, in the order of the condition."""
    statement: str
    """What looks rows up, as messages name it: ``MERGE``."""
    predicate: str | Unread | None = None
    """What else the condition asks of the row, in the SQL parser's normal form; None: nothing."""
    infers_modelled: bool = False
    """Whether ON CONFLICT is sent where the models are unique on exactly these elements."""


Target: TypeAlias = (
    Elements | Constraint | ConstraintObject | PrimaryKey | AnyArbiter | ConflictTargetCall | Lookup
)
