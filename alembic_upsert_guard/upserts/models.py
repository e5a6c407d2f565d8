"""From SQLAlchemy's metadata to plain values: the one module of the scanner that knows SQLAlchemy."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table
from sqlalchemy.orm import mapperlib

from ..declaration import arbiter_as_candidate, arbiters_of, declarations_of
from .declared import DeclaredClass, DeclaredKey, DeclaredTable, DeclaredTables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Index, MetaData
    from sqlalchemy.orm import Mapper

    from ..declaration import Declaration

__all__ = ["all_mappers", "declared_tables"]


def declared_tables(*metadata: MetaData, default_schema: str | None = "public") -> DeclaredTables:
    """Return what these models declare, as values that know SQLAlchemy no more.

    Classes are those of every registry that maps a table of `metadata`; mappers are not configured.

    :param default_schema: the schema that tables without one live in; None: not known.
    """
    # not `sorted_tables`: it warns of foreign keys that go in circles
    tables = {table: _table(table) for each in metadata for table in each.tables.values()}
    classes = sorted(_classes(tables), key=lambda c: (c.module, c.qualname))
    return DeclaredTables(tuple(tables.values()), tuple(classes), default_schema)


def _table(table: Table) -> DeclaredTable:
    return DeclaredTable(
        table.schema,
        table.name,
        tuple((column.key, column.name) for column in table.columns),
        tuple(column.name for column in table.primary_key.columns),
        tuple(_key(table, declaration) for declaration in declarations_of(table)),
        tuple(arbiter_as_candidate(each) for each in (*arbiters_of(table), *_plain(table))),
        tuple(_others(table)),
    )


def _key(table: Table, declaration: Declaration) -> DeclaredKey:
    return DeclaredKey(
        declaration.target.elements,
        declaration.target.predicate,
        declaration.name,
        arbiter_as_candidate(declaration.arbiter(table)),
        any_name=declaration.owns(table),
    )


def _plain(table: Table) -> list[Index]:
    """The indexes that are not unique, by name."""
    plain = [index for index in table.indexes if not index.unique]
    return sorted(plain, key=lambda index: str(index.name or ""))


_KINDS = {
    "check_constraint": "CHECK",
    "exclude_constraint": "EXCLUDE",
    "foreign_key_constraint": "FOREIGN KEY",
}


def _others(table: Table) -> Iterator[tuple[str | None, str]]:
    for constraint in table.constraints:
        kind = _KINDS.get(constraint.__visit_name__)
        if kind is not None:
            yield None if constraint.name is None else str(constraint.name), kind


def _classes(tables: Iterable[Table]) -> Iterator[DeclaredClass]:
    """Every class that one of `tables` is mapped to."""
    wanted = frozenset(tables)
    for mapper in all_mappers():
        table = mapper.local_table
        if isinstance(table, Table) and table in wanted:
            yield _class(mapper, table)


def all_mappers() -> Iterator[Mapper[Any]]:
    """Return the mapper of every mapped class, without the classes that wait for one or whose mapping failed."""
    # no public name lists the registries, and a MetaData does not know its own
    for registry in mapperlib._all_registries():  # noqa: SLF001
        # not `mappers`, which raises where one class has none, such as a DeferredReflection before prepare()
        yield from [each.mapper for each in registry._managers if each.is_mapped]  # noqa: SLF001


def _class(mapper: Mapper[object], table: Table) -> DeclaredClass:
    mapped = mapper.class_
    file = getattr(sys.modules.get(mapped.__module__), "__file__", None)
    return DeclaredClass(
        mapped.__module__,
        mapped.__qualname__,
        None if file is None else os.path.realpath(file),
        table.schema,
        table.name,
        # `columns` is there before the mappers are configured, `attrs` is not
        tuple((key, c.name) for key, c in mapper.columns.items() if c.table is table),
        root=mapper.inherits is None or mapper.inherits.local_table is not table,
    )
