"""One upsert, whichever source found it; and around it, what the models or a database say of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..findings import Location
from ..findings.calls import Call, Form
from .target import (
    ConflictTargetCall,
    Constraint,
    ConstraintObject,
    Elements,
    Lookup,
    PrimaryKey,
    Unread,
)

if TYPE_CHECKING:
    from ..findings import Finding
    from .target import NamedTable, Target

__all__ = [
    "SCHEMA_OF_RUN_TIME",
    "Form",
    "JudgedUpsert",
    "NameClash",
    "Place",
    "Resolution",
    "RoutineContext",
    "RoutineHead",
    "Source",
    "Upsert",
    "call_site_member",
]

SCHEMA_OF_RUN_TIME = "?"
"""What is shown for a schema that only a run knows: no name at all would be the default schema."""


class Source(str, Enum):
    """What found an upsert. The values are those of the command's JSON."""

    CODE = "code"
    FUNCTIONS = "functions"
    OBSERVED = "observed"
    """Recorded while a program ran."""
    STATEMENTS = "statements"
    """Kept by a server: in its statistics of what ran, or in its log of what failed."""

    def __str__(self) -> str:
        return self.value


class Resolution(str, Enum):
    """What can be said of an upsert. The values are those of the command's JSON."""

    DECLARED = "declared"
    """An upsert key of the models has this target."""
    MODELLED = "modelled"
    """No upsert key has, but a primary key, unique constraint or unique index of the models serves it."""
    UNDECLARED = "undeclared"
    """Nothing in the models serves it."""
    UNRESOLVED = "unresolved"
    """Table or target cannot be read, or text does not prove that they are those of the models."""
    READ = "read"
    """Table and target are read, and there are no models to hold them against."""

    SERVED = "served"
    """A database was asked, or the schema that a migration met, and has an arbiter for it."""
    UNSERVED = "unserved"
    """A database was asked, or the schema that a migration met, and refuses it."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an upsert was found."""

    path: str | None
    """A file's, as it was asked for; a function's is ``schema.function(argument types)``; None: it is in none."""
    line: int | None
    """Of ``on_conflict_do_update``, ``upsert`` or ``ON CONFLICT``, counted from 1; in a function, of its body."""
    extent: tuple[int, int] | None = None
    """First and last line of the call or the string that holds it, where a comment counts for it; None: nowhere."""
    helper: Place | None = None
    """Where the upsert is written, if that is a function which the call at this place leads to; None: it is here."""

    @property
    def written(self) -> Place:
        """Where the upsert itself is written."""
        return self.helper or self


class NameClash(Enum):
    """What a name in the conflict target is to a routine that has a variable of that name."""

    VALUE = "the variable's value"
    """No column's, as in ``NEW.email`` or ``$1``."""
    COLUMN = "the column"
    """Where the table has one; else the variable."""
    AMBIGUOUS = "refused with 42702"
    """Where the table has such a column."""
    EITHER = "one of the two"
    """Which one depends on the call, or on where in the body the variable is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutineContext:
    """What the routine around an upsert makes of it: the planner is asked about its own statement."""

    statement: str
    """The upsert with NULL for values, and without what is around it; empty: it cannot be read."""
    search_path: str | None
    """Under which names are looked up; None: the session's."""
    clashes: tuple[tuple[str, NameClash], ...] = ()
    """Names in the conflict target that are a variable's or a parameter's, too."""
    unplannable: str | None = None
    """Why no plan shows what a call will meet, in words; None: the planner can be asked."""
    may_make_table: bool = False
    """Whether a routine makes a table of that name, which need not be there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutineHead:
    """A function or procedure, by the name and the arguments that tell it from others of that name; or a rule."""

    name: str
    """Without a schema of ``public``."""
    arguments: tuple[str, ...] | None
    """Each as it is written, in lower case and without its default; None: none are written."""
    is_drop: bool = False

    def replaces(self, other: RoutineHead) -> bool:
        """Return whether there is no `other` any more once this statement has run.

        What is dropped is named by the types of its arguments only: the number of them has to do.
        """
        if self.name != other.name or self.arguments is None or other.arguments is None:
            return self.name == other.name
        if self.is_drop:
            return len(self.arguments) == len(other.arguments)
        return self.arguments == other.arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """One upsert, as its source spells it."""

    source: Source
    place: Place
    table: NamedTable | Unread
    target: Target | Unread

    binds: bool = False
    """Whether values are bound in the conflict target, in an element or in the predicate."""
    form: Form = Form.OTHER
    """What it is written in."""
    model: str | None = None
    """The mapped class or ``Table`` that is inserted into, as Python spells it there; None: it is named otherwise."""
    fields: tuple[tuple[str, str], ...] = ()
    """Columns, each with its field's name in a model of Django's, as far as they are read; of others none."""
    routine: RoutineContext | None = None
    """None: it is no routine's, and table and target are all that a database is asked about."""
    definition: RoutineHead | None = None
    """The routine that the code around it defines, for a database to run; None: it runs where it is written."""
    calls: int | None = None
    """How often it ran, or failed; None: its source does not count."""

    @property
    def call(self) -> Call:
        """The upsert as its source writes it, for a hint to write it again."""
        return Call(self.form, self.full_name, self.model, self.fields)

    @property
    def full_name(self) -> str:
        """The table with its schema as messages name it: ``app.users``; ``?`` for what is unread."""
        name = SCHEMA_OF_RUN_TIME if self.table_name is None else self.table_name
        return name if self.schema is None else f"{self.schema}.{name}"

    @property
    def location(self) -> Location | None:
        """Its place, as a finding has it; None: it has none."""
        path, line = self.place.path, self.place.line
        if path is None or line is None:
            return None
        return Location(path, line, is_file=self.source is not Source.FUNCTIONS)

    @property
    def helper(self) -> Location | None:
        """Where the function that its place calls writes it, as a finding has it; None: at its place."""
        at = self.place.helper
        if at is None or at.path is None or at.line is None:
            return None
        return Location(at.path, at.line)

    @property
    def schema(self) -> str | None:
        """The table's schema; None: none is named, or the table is unread. :data:`SCHEMA_OF_RUN_TIME`: see there."""
        if isinstance(self.table, Unread):
            return None
        schema, declared = self.table.schema, self.table.declared
        if isinstance(schema, Unread):
            return SCHEMA_OF_RUN_TIME if declared is None else declared.schema
        return schema

    @property
    def unread_schema(self) -> Unread | None:
        """Why the schema of a table whose name is read is not known; None: it is, or the name is unread."""
        schema = None if isinstance(self.table, Unread) else self.table.schema
        return schema if isinstance(schema, Unread) else None

    @property
    def table_name(self) -> str | None:
        """The table's name without its schema; None: it is unread."""
        return None if isinstance(self.table, Unread) else self.table.name

    @property
    def unread(self) -> list[Unread]:
        """What of table, schema, target and predicate is not known; empty: all is."""
        predicate = self.target.predicate if isinstance(self.target, Elements) else None
        parts = (self.table, self.unread_schema, self.target, predicate)
        return [part for part in parts if isinstance(part, Unread)]

    @property
    def elements(self) -> tuple[str, ...]:
        """The target's elements by label, in its order; empty: it has none, or is unread."""
        match self.target:
            case (
                Elements(elements)
                | ConflictTargetCall(elements)
                | ConstraintObject(elements)
                | Lookup(elements)
            ):
                return tuple(element.label for element in elements)
            case PrimaryKey(columns):
                return columns
        return ()

    @property
    def where(self) -> str | None:
        """The target's predicate in PostgreSQL's spelling; None: there is none, or it is unread."""
        if isinstance(self.target, Elements | ConflictTargetCall | Lookup):
            predicate = self.target.predicate
            return predicate if isinstance(predicate, str) else None
        return None

    @property
    def constraint(self) -> str | None:
        """The name in ``ON CONFLICT ON CONSTRAINT``; None: the target names none."""
        return self.target.name if isinstance(self.target, Constraint | ConstraintObject) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedUpsert:
    """One upsert, and what is said of it."""

    upsert: Upsert
    """With the table and the target that the models or the database mean by what the source spells."""
    resolution: Resolution
    arbiters: tuple[str, ...] = ()
    """The indexes that serve it, by name; empty: it has no target, is not served, or the database names none."""
    findings: tuple[Finding, ...] = ()
    """The one that gives the reason of the resolution first; a comment may suppress any of them."""


def call_site_member(judged: JudgedUpsert) -> dict[str, Any]:
    """Return an upsert as the command's JSON has it."""
    upsert = judged.upsert
    recorded: dict[str, Any] = {}
    if upsert.source in (Source.OBSERVED, Source.STATEMENTS):
        recorded["arbiters"] = list(judged.arbiters)
    if upsert.helper is not None:
        recorded["helper"] = {"path": upsert.helper.shown_path, "line": upsert.helper.line}
    if upsert.calls is not None:
        recorded["calls"] = upsert.calls
    return {
        "source": str(upsert.source),
        "path": upsert.place.path if upsert.location is None else upsert.location.shown_path,
        "line": upsert.place.line,
        "schema": upsert.schema,
        "table": upsert.table_name,
        "elements": list(upsert.elements),
        "where": upsert.where,
        "constraint": upsert.constraint,
        "resolution": str(judged.resolution),
        **recorded,
    }
