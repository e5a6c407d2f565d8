"""Declared keys held against what the database offers: one read for all of them, every fact in one spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .catalog import TableName, catalog_for
from .declaration import arbiter_as_candidate, declarations_of
from .inference import ConflictTarget

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from .catalog import Catalog, Offered
    from .declaration import Arbiter, Declaration
    from .inference import Candidate, Traits

__all__ = ["InspectedKey", "inspect_keys"]


@dataclass(frozen=True, slots=True)
class InspectedKey:
    """One declared key of a table that the database has."""

    table: Table
    declaration: Declaration
    arbiter: Arbiter
    """What the model has for the key."""

    declared: ConflictTarget
    """The conflict target as the model spells it: what the database is asked about."""
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
    """The schema that the table is in, whether or not the model names it; None: it is in none, or not told."""


def inspect_keys(
    connection: Connection, tables: Iterable[Table]
) -> dict[Table, list[InspectedKey]]:
    """Return the declared keys of each of `tables` that declares one and that the database has.

    :raises KeyError: for a dialect without a catalog; ask :func:`.catalog.catalog_for` first.
    """
    keyed = {
        TableName(table.schema, table.name): table for table in tables if declarations_of(table)
    }
    catalog = catalog_for(connection.dialect.name)
    if catalog is None:
        raise KeyError(connection.dialect.name)
    offered = catalog.read(connection, tuple(keyed)) if keyed else {}
    return {
        table: [
            _inspect(connection, catalog, name, table, declaration, offered[name])
            for declaration in declarations_of(table)
        ]
        for name, table in keyed.items()
        if name in offered
    }


def _inspect(
    connection: Connection,
    catalog: Catalog,
    name: TableName,
    table: Table,
    declaration: Declaration,
    offered: Offered,
) -> InspectedKey:
    arbiter = declaration.arbiter(table)
    declared = arbiter_as_candidate(arbiter, connection.dialect)
    spelling = catalog.spell_alike(connection, name, declared, offered.candidates)
    columns = {element.column for element in declaration.target.elements}
    return InspectedKey(
        table,
        declaration,
        arbiter,
        ConflictTarget(declared.elements, declared.predicate),
        spelling.target,
        spelling.arbiter,
        spelling.candidates,
        offered.traits,
        spelling.compared,
        declaration.is_nullable(table) or not offered.nullable.isdisjoint(columns),
        tuple(
            element.column
            for element in declaration.target.elements
            if element.column is not None
            and element.column in offered.nullable - declaration.never_null(table)
        ),
        offered.home,
    )
