"""Declared keys that lose their last arbiter by a revision: one log line each, when the revision has run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alembic.operations import BatchOperations, ops
from sqlalchemy import event
from sqlalchemy.engine import TwoPhaseTransaction
from sqlalchemy.exc import SQLAlchemyError

from ...catalog.tables import column_names, existing_tables
from ...databases import database_for
from ...declaration import declarations_of
from ...errors import UpsertGuardError
from ...findings import FindingCode, describe_key, qualified, without_arbiter, without_column
from ...inference import State
from ...verdict.check import check_keys
from ..context import connection_of, declaring_metadata, log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alembic.operations import AbstractOperations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection

__all__ = ["note_arbiters"]

_TAKING = (
    ops.AlterColumnOp,
    ops.DropColumnOp,
    ops.DropConstraintOp,
    ops.DropIndexOp,
    ops.DropTableOp,
    ops.RenameTableOp,
)
"""A column's name or collation is the key's as much as an index is; a table that is dropped may be made again."""

_RENAMING = ("rename", "schema")
_IN_SQL = ("drop", *_RENAMING)
"""Words without which a text takes no arbiter away, nor a table's name."""

_Key = tuple[str | None, str, tuple[str, ...], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What a revision began with."""

    context: MigrationContext
    metadata: tuple[MetaData, ...]
    arbiters: Mapping[_Key, tuple[str, ...]]
    """Of each key that the database served."""
    columns: Mapping[tuple[str | None, str], frozenset[str]]
    """Of each table that had such a key."""
    renamed: frozenset[str] = frozenset()
    """Tables that got another name since, or may have by a text."""


_NOTED = "_upsert_guard_served"
"""The attribute of a connection that holds this; None: no revision runs that takes anything."""


def note_arbiters(operations: AbstractOperations, operation: Any) -> None:
    """Look at the declared keys before the first operation of a revision that may take an arbiter, and at its end.

    Its end is where Alembic writes its version: what is created again within the revision is not gone. Where the
    database cannot be asked nothing is said, and nothing of a table that is dropped with all that is on it.
    """
    context = operations.get_context()
    metadata = declaring_metadata(context)
    if not metadata or not _may_take(operations, operation, metadata):
        return
    connection = connection_of(context)
    if isinstance(connection.get_transaction(), TwoPhaseTransaction):
        return  # keys that hold SQL are asked about on temporary tables, with which nothing is prepared
    if not hasattr(connection, _NOTED):
        setattr(connection, _NOTED, None)
        event.listen(connection, "before_execute", _version_is_written)
    served: _Served | None = getattr(connection, _NOTED)
    if served is None:
        arbiters = _arbiters(connection, metadata)
        tables = {(schema, table) for (schema, table, *_), names in arbiters.items() if names}
        served = _Served(
            context=context,
            metadata=metadata,
            arbiters=arbiters,
            columns={
                (schema, table): column_names(connection, table, schema)
                for schema, table in existing_tables(connection, tables)
            },
        )
    renamed = _renamed(operation, {table for _, table in served.columns})
    setattr(connection, _NOTED, replace(served, renamed=served.renamed | renamed))


def _renamed(operation: Any, tables: Iterable[str]) -> set[str]:
    """The tables that the operation gives another name, and those that a text may."""
    if isinstance(operation, ops.RenameTableOp):
        return {operation.table_name}
    if not isinstance(operation, ops.ExecuteSQLOp):
        return set()
    words = str(operation.sqltext).casefold()
    if not any(word in words for word in _RENAMING):
        return set()
    return {table for table in tables if table.casefold() in words}


def _may_take(operations: AbstractOperations, operation: Any, metadata: Sequence[MetaData]) -> bool:
    if isinstance(operation, ops.ExecuteSQLOp):
        words = str(operation.sqltext).casefold()
        return any(word in words for word in _IN_SQL)
    # a batch may copy the table, and what is reflected of it is what the copy has
    if not isinstance(operation, _TAKING) and not isinstance(operations, BatchOperations):
        return False
    # as each database may take it: in any case, and in the schema that a map leads to
    declaring = {
        table.name.casefold()
        for each in metadata
        for table in each.tables.values()
        if declarations_of(table)
    }
    named = (getattr(operation, "table_name", None), getattr(operation, "new_table_name", None))
    return named[0] is None or any(
        name is not None and name.casefold() in declaring for name in named
    )


def _arbiters(
    connection: Connection, metadata: Sequence[MetaData]
) -> Mapping[_Key, tuple[str, ...]]:
    try:
        checked = check_keys(connection, metadata, rows=False)
    except (SQLAlchemyError, UpsertGuardError):
        return {}
    # they take NULL otherwise than the key, and serve the upsert
    serving = {
        (each.schema, each.table, each.elements, each.where)
        for each in checked.findings
        if each.code is FindingCode.NULLS_MISMATCH
    }
    found = {(key.schema, key.table, key.elements, key.where): key for key in checked.keys}
    return {
        name: () if key.verdict is State.SHORT and name not in serving else key.arbiters
        for name, key in found.items()
        if key.verdict is not State.UNKNOWN
    }


def _version_is_written(connection: Connection, statement: Any, *_: Any) -> None:
    before: _Served | None = getattr(connection, _NOTED)
    table = getattr(statement, "table", None)
    if before is None or getattr(table, "name", None) != before.context.version_table:
        return
    setattr(connection, _NOTED, None)
    lost = {key: names for key, names in before.arbiters.items() if names}
    if not lost:
        return
    after = _arbiters(connection, before.metadata)
    tables = existing_tables(connection, {(schema, table) for schema, table, *_ in lost})
    for key, names in lost.items():
        schema, table_name, elements, where = key
        is_there = (schema, table_name) in tables
        if after.get(key) == () and (is_there or table_name in before.renamed):
            gone: frozenset[str] = frozenset()
            if is_there:
                now = column_names(connection, table_name, schema)
                gone = before.columns.get((schema, table_name), now) - now
            beside, outcome = _consequence(connection, key, gone, is_there=is_there)
            log.warning(
                "%s: %s has lost its last arbiter, %s%s: code that still upserts on it %s",
                FindingCode.ARBITER_REMOVED,
                describe_key(qualified(schema, table_name), elements, where),
                ", ".join(names),
                beside,
                outcome,
            )


def _consequence(
    connection: Connection, key: _Key, gone: frozenset[str], *, is_there: bool
) -> tuple[str, str]:
    """What went with the arbiter, and what an upsert on the key does, as a verb.

    :param gone: columns of the table.
    """
    database = database_for(connection.dialect)
    *_, elements, where = key
    if not is_there:
        return ", with the name of its table", "fails"
    columns = sorted(gone.intersection(elements))
    if columns:
        named = ", ".join(columns)
        return f", with the column{'s' if columns[1:] else ''} {named}", without_column(database)
    # SQL may hold one of them
    is_sql = where is not None or not all(each.isidentifier() for each in elements)
    return "", "fails" if gone and is_sql else without_arbiter(database)
