"""Rows of pg_index, read once for all tables, as candidates of the inference core.

Manual: https://www.postgresql.org/docs/current/catalog-pg-index.html
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ...databases import POSTGRESQL
from ...inference import Candidate, Element, Kind, Traits
from ..contract import Offered, TableName
from .extensions import with_partitions_of
from .server import RELATIONS, server_version
from .statement import catalog_statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Row

__all__ = ["offered_from", "read"]


def read(connection: Connection, tables: Sequence[TableName]) -> dict[TableName, Offered]:
    """Return what each of `tables` offers; one statement, a row an index element.

    Two more are asked where an extension is in the database that partitions tables by itself.
    """
    wanted = json.dumps([{"schema": t.schema, "name": t.name} for t in tables])
    rows = connection.execute(catalog_statement(connection.dialect), {"wanted": wanted}).all()
    offered = dict(offered_from(rows, server_version(connection.dialect)))
    return with_partitions_of(connection, rows[0].extensions if rows else (), offered)


def offered_from(
    rows: Sequence[Row[Any]], version: tuple[int, ...]
) -> Iterator[tuple[TableName, Offered]]:
    """Yield what the rows of the statement say of each table, by the name that was asked for."""
    for table, table_rows in groupby(rows, lambda r: TableName(r.schema_name, r.table_name)):
        every = list(table_rows)
        indexed = [row for row in every if row.index_name is not None]
        candidates = tuple(
            _candidate(list(index_rows))
            for _, index_rows in groupby(indexed, lambda r: str(r.index_name))
        )
        nullable = frozenset(r.column_name for r in indexed if r.column_name and r.is_nullable)
        yield (
            table,
            Offered(
                candidates=candidates,
                nullable=nullable,
                traits=_traits(every[0], version),
                home=every[0].home,
            ),
        )


def _traits(row: Row[Any], version: tuple[int, ...]) -> Traits:
    return Traits(
        database=POSTGRESQL,
        version=version,
        relation=RELATIONS[row.relation_kind].value,
        partition_columns=tuple(dict.fromkeys(row.partition_columns or ())),
        not_null=frozenset(row.not_null_columns or ()),
        refusing_rules=tuple(row.refusing_rules or ()),
        discarding_rules=tuple(row.discarding_rules or ()),
        takes_insert=row.takes_insert,
    )


def _candidate(rows: Sequence[Row[Any]]) -> Candidate:
    index = rows[0]
    kind = Kind.INDEX
    if index.is_constraint:
        kind = Kind.PRIMARY_KEY if index.is_primary else Kind.CONSTRAINT
    return Candidate(
        name=index.index_name,
        elements=tuple(
            Element(
                column=row.column_name,
                expression=row.expression,
                collation=row.collation_name,
                opclass=row.opclass_name,
                actual_collation=row.actual_collation,
            )
            for row in rows
            if not row.is_included
        ),
        kind=kind,
        unique=index.is_unique,
        partial=index.is_partial,
        predicate=index.predicate,
        constant_predicate=index.is_constant,
        nulls_not_distinct=index.nulls_not_distinct,
        valid=index.is_valid,
        ready=index.is_ready,
        immediate=index.is_immediate,
        initially_deferred=index.is_deferred,
        include=tuple(row.column_name for row in rows if row.is_included),
        expression_columns=frozenset(index.expression_columns or ()),
        definition=index.definition,
    )
