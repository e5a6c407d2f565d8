"""Declared keys held against what the database offers: one read for all of them, every fact in one spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..catalog import KeyQuestion, TableName, catalog_for
from ..databases import database_for
from ..declaration import arbiter_as_candidate, declarations_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from ..catalog import Inferred, NormalizedSql, Offered
    from ..declaration import Arbiter, Declaration
    from ..inference import Candidate, ConflictTarget, Folded, MissingRight, Traits

__all__ = ["InspectedKey", "inspect_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedKey:
    """One declared key of a table that the database has."""

    table: Table
    declaration: Declaration
    arbiter: Arbiter
    """What the model has for the key."""

    declared: ConflictTarget
    """The conflict target as :func:`.conflict_target` has it in upserts: what the database is asked about."""
    target: ConflictTarget
    """The conflict target in the database's spelling: what is compared."""
    wanted: Candidate
    """The model's arbiter."""

    offered: tuple[Candidate, ...]
    """Everything that the database has on the table, usable or not."""
    traits: Traits

    compared: bool
    """Whether text in `target`, `wanted` and `offered` can be compared; False: the database could not be asked."""

    nullable: bool
    """Whether the key can hold NULL, in the model or in the database."""

    nullable_columns: tuple[str, ...]
    """The key's columns that may hold NULL in the database and in its predicate, in declared order, as far as an index
    holds them."""

    home: str | None = None
    """The schema that the table is in, whether or not the model names it; None: it is in none, or not known."""

    inferred: Inferred | None = None
    """What the database itself said of `declared` on this table; None: it was not asked, as about plain columns."""

    lacking: MissingRight | None = None
    """What the role has to be granted before the database can be asked of the key's SQL; None: nothing is known to."""

    folded: Folded | None = None
    """SQL of the key for which the database refuses it even on the key's own arbiter; None: it does not."""

    @property
    def unread(self) -> str | None:
        """The database's message for why it cannot read the key's SQL; None: it can, or was not asked."""
        return self.inferred.doubt if self.inferred is not None and self.inferred.unread else None

    @property
    def named(self) -> tuple[str, ...] | None:
        """The arbiters that the database named, none where it refused; None: it was not asked, or could not be."""
        if self.inferred is None or self.inferred.doubt is not None:
            return None
        return self.inferred.arbiters


def inspect_keys(
    connection: Connection, tables: Iterable[Table]
) -> dict[Table, list[InspectedKey]]:
    """Return the declared keys of each of `tables` that declares one and that the database has.

    :raises KeyError: for a dialect without a catalog; ask :func:`.catalog.catalog_for` first.
    """
    keyed = {
        TableName(table.schema, table.name): table for table in tables if declarations_of(table)
    }
    catalog = catalog_for(connection.dialect)
    if catalog is None:
        raise KeyError(database_for(connection.dialect).name)
    offered = catalog.read(connection, tuple(keyed)) if keyed else {}
    dialect = connection.dialect
    existing = [
        (
            table,
            declaration,
            KeyQuestion(
                table=name,
                arbiter=arbiter_as_candidate(declaration.arbiter(table), dialect),
                target=declaration.target_in(dialect),
                offered=offered[name],
            ),
        )
        for name, table in keyed.items()
        if name in offered
        for declaration in declarations_of(table)
    ]
    answers = catalog.settle(connection, [question for _, _, question in existing])
    keys: dict[Table, list[InspectedKey]] = {}
    for (table, declaration, question), spelling in zip(existing, answers, strict=True):
        keys.setdefault(table, []).append(_inspected(table, declaration, question, spelling))
    return keys


def _inspected(
    table: Table, declaration: Declaration, question: KeyQuestion, spelling: NormalizedSql
) -> InspectedKey:
    offered: Offered = question.offered
    columns = {element.column for element in declaration.target.elements}
    return InspectedKey(
        table=table,
        declaration=declaration,
        arbiter=declaration.arbiter(table),
        declared=question.target,
        target=spelling.target,
        wanted=spelling.arbiter,
        offered=spelling.candidates,
        traits=offered.traits,
        compared=spelling.compared,
        nullable=declaration.is_nullable(table) or not offered.nullable.isdisjoint(columns),
        nullable_columns=tuple(
            element.column
            for element in declaration.target.elements
            if element.column is not None
            and element.column in offered.nullable - declaration.never_null(table)
        ),
        home=offered.home,
        inferred=spelling.inferred,
        lacking=spelling.lacking,
        folded=spelling.folded,
    )
