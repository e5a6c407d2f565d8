"""Conflict targets, and what a database offers for them, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias

from ..databases import POSTGRESQL, Database

__all__ = ["Candidate", "ConflictTarget", "Element", "Kind", "Nulls", "Traits"]

Nulls: TypeAlias = Literal["warn", "distinct", "not_distinct", "forbid"]
"""What NULL in a key column means, as a declaration states it; ``warn``: it states nothing."""


@dataclass(frozen=True, slots=True)
class Element:
    """One inference element: a column, or an expression.

    Exactly one of `column` and `expression` is set; neither is set for an expression whose text the
    catalog does not give (SQLite), and such an element equals no other.
    """

    column: str | None = None
    """The column's name as the database spells it, unquoted."""

    expression: str | None = None
    """The expression's SQL as it stands in an index: in parentheses unless it is a function call.

    In one spelling per comparison: the database's own where it was asked.
    """

    collation: str | None = None
    """The collation that the element names, as SQL; None: it names none, so the column's own is used."""

    opclass: str | None = None
    """The operator class that the element names, as SQL; None: the default one of the column's type."""

    actual_collation: str | None = field(default=None, compare=False)
    """The collation that an index element has, named or not; None: not known, or there is none."""

    may_name_collation: bool = field(default=False, compare=False)
    """Whether the SQL of a target's element may name `actual_collation`; text does not show it."""

    may_name_opclass: bool = field(default=False, compare=False)
    """Whether the SQL of a target's element may name the default operator class; text does not show it."""

    prefix: int | None = None
    """Characters (bytes of a binary column) of the value that an index element holds (MySQL); None: all of it."""

    @property
    def is_known(self) -> bool:
        """Whether the element can be compared at all."""
        return self.column is not None or self.expression is not None

    @property
    def label(self) -> str:
        """The element's label in messages, without its prefix."""
        return self.column or self.expression or "an expression"


@dataclass(frozen=True, slots=True)
class ConflictTarget:
    """``ON CONFLICT (elements) WHERE predicate``."""

    elements: tuple[Element, ...]
    """In declared order, which inference ignores."""

    predicate: str | None = None
    """The SQL of ``WHERE``; None: the target has none."""

    proven: bool = field(default=False, compare=False)
    """Whether the database was seen to take an index of exactly these elements and predicate for the target.

    PostgreSQL simplifies the SQL of a target before it compares (``flag = true`` is ``flag``), and an index's columns
    it does not: without this, equal SQL of an expression or a predicate proves nothing there.
    """

    @property
    def is_plain(self) -> bool:
        """Whether it is bare columns without a predicate: comparable without asking anybody."""
        return self.predicate is None and all(e.column is not None for e in self.elements)

    @property
    def labels(self) -> tuple[str, ...]:
        """The elements' labels in messages, in declared order."""
        return tuple(element.label for element in self.elements)


class Kind(Enum):
    """What a candidate is to the database. Inference treats all three alike."""

    CONSTRAINT = "unique constraint"
    INDEX = "index"
    PRIMARY_KEY = "primary key"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An index or constraint of one table, before inference. INCLUDE columns and sort order are left out.

    Indexes that are not unique are here too: the judge names them as near misses.
    """

    name: str | None
    """None: an unnamed constraint of a model, or of SQLite."""

    elements: tuple[Element, ...]
    """The key elements, in index order."""

    kind: Kind = Kind.INDEX

    unique: bool = True

    partial: bool = False
    """Whether it has a predicate."""

    predicate: str | None = None
    """The predicate's SQL; None: it has none, or (`partial`) the catalog does not give its text."""

    constant_predicate: bool = False
    """Whether the predicate names no column: the planner may fold it to true, and text does not show it."""

    nulls_not_distinct: bool = False

    valid: bool = True
    """pg_index.indisvalid. False: a concurrent build failed or is running, or a partition still lacks its part."""

    ready: bool = True
    """pg_index.indisready. False: not even kept up to date; True and not valid: it refuses duplicates already."""

    immediate: bool = True
    """False: DEFERRABLE. Inference takes it, and the executor then refuses (55000)."""

    initially_deferred: bool = False

    inferable: bool = True
    """False: SQLite never infers an index that holds the rowid under its column's name (upsert.c)."""

    include: tuple[str, ...] = ()
    """Columns carried but not part of the key."""

    expression_columns: frozenset[str] = field(default=frozenset(), compare=False)
    """The columns in an index that has expressions, those of its predicate included; only near misses are found by it.

    Empty: it has no expressions, or the catalog does not give them (SQLite, MySQL).
    """

    definition: str | None = None
    """The statement that makes it again, as the database prints it; None where it prints none."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The key elements' labels in messages, in index order."""
        return tuple(element.label for element in self.elements)

    @property
    def is_whole(self) -> bool:
        """Whether it compares the whole of each element, and no prefix."""
        return all(element.prefix is None for element in self.elements)

    @property
    def is_sound(self) -> bool:
        """Whether nothing but other elements keeps a target without a predicate from it."""
        is_unique = self.unique and self.valid and self.immediate
        return is_unique and self.inferable and self.is_whole and not self.partial

    @property
    def is_plain(self) -> bool:
        """Whether its key is bare columns, without a predicate: comparable without asking anybody."""
        return not self.partial and all(
            e.column is not None and e == Element(e.column) for e in self.elements
        )


@dataclass(frozen=True, slots=True)
class Traits:
    """What the rules depend on beside the candidates: the database, and the relation that is inserted into."""

    database: Database = POSTGRESQL
    """What is known of its kind."""

    version: tuple[int, ...] = ()
    """The server's; empty: not known, and the rules that every supported version shares apply."""

    relation: str = "table"
    """``table``, ``partitioned table``, ``view``, ``materialized view`` or ``foreign table``."""

    partition_columns: tuple[str, ...] = ()
    """The partition key, in its order; ``an expression`` stands for one. Empty: not partitioned."""

    partitioner: str | None = None
    """The extension that partitions the table, as people name it; None: the database itself does, or nothing."""

    auto_increment: frozenset[str] = frozenset()
    """The columns that the database numbers by itself (MySQL, MariaDB: AUTO_INCREMENT)."""

    not_null: frozenset[str] = frozenset()
    """The columns that cannot hold NULL; known from PostgreSQL 19 on, which proves predicates with them."""

    refusing_rules: tuple[str, ...] = ()
    """PostgreSQL: the rules for which it refuses every INSERT with ON CONFLICT into the relation (0A000), by name."""

    discarding_rules: tuple[str, ...] = ()
    """PostgreSQL: the rules that turn every INSERT into nothing, so that no plan is made, by name."""

    takes_insert: bool = True
    """False: a view that is not updatable, and has no trigger or rule in its place."""

    rowid: str | None = None
    """SQLite: the column that is the rowid, an INTEGER PRIMARY KEY; None: there is none."""
