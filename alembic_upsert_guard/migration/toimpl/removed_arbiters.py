"""Declared keys that lose their last arbiter by a revision: one log line each, when the revision has run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.operations import ops
from sqlalchemy import event
from sqlalchemy.engine import TwoPhaseTransaction
from sqlalchemy.exc import SQLAlchemyError

from ...databases import database_for
from ...errors import UpsertGuardError
from ...findings import FindingCode, describe_key, qualified, without_arbiter
from ...inference import State
from ...verdict.check import check_keys
from ..context import connection_of, declaring_metadata, log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection

__all__ = ["note_arbiters"]

_DROPS = (
    ops.DropColumnOp,
    ops.DropConstraintOp,
    ops.DropIndexOp,
)
_IN_SQL = ("drop", "rename")
"""Words without which a text takes no arbiter away."""

_Key = tuple[str | None, str, tuple[str, ...], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What a revision began with."""

    context: MigrationContext
    metadata: tuple[MetaData, ...]
    arbiters: Mapping[_Key, tuple[str, ...]]
    """Of each key that the database served."""


_NOTED = "_upsert_guard_served"
"""The attribute of a connection that holds this; None: no revision runs that drops anything."""


def note_arbiters(context: MigrationContext, operation: Any) -> None:
    """Look at the declared keys before the first operation of a revision that may drop an arbiter, and at its end.

    Its end is where Alembic writes its version: what is created again within the revision is not gone. Where the
    database cannot be asked nothing is said.
    """
    if not _may_drop(operation):
        return
    connection = connection_of(context)
    if isinstance(connection.get_transaction(), TwoPhaseTransaction):
        return  # keys that hold SQL are asked about on temporary tables, with which nothing is prepared
    if not hasattr(connection, _NOTED):
        setattr(connection, _NOTED, None)
        event.listen(connection, "before_execute", _version_is_written)
    metadata = declaring_metadata(context)
    if metadata and getattr(connection, _NOTED) is None:
        arbiters = _arbiters(connection, metadata)
        served = _Served(context=context, metadata=metadata, arbiters=arbiters)
        setattr(connection, _NOTED, served)


def _may_drop(operation: Any) -> bool:
    if isinstance(operation, ops.ExecuteSQLOp):
        words = str(operation.sqltext).casefold()
        return any(word in words for word in _IN_SQL)
    return isinstance(operation, _DROPS)


def _arbiters(
    connection: Connection, metadata: Sequence[MetaData]
) -> Mapping[_Key, tuple[str, ...]]:
    try:
        checked = check_keys(connection, metadata, rows=False)
    except (SQLAlchemyError, UpsertGuardError):
        return {}
    missing = {
        (each.schema, each.table)
        for each in checked.findings
        if each.code is FindingCode.MISSING_TABLE
    }
    return {
        (key.schema, key.table, key.elements, key.where): key.arbiters
        if key.verdict is not State.SHORT
        else ()
        for key in checked.keys
        if (key.schema, key.table) not in missing
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
    outcome = without_arbiter(database_for(connection.dialect))
    for (schema, table_name, elements, where), names in lost.items():
        if after.get((schema, table_name, elements, where)) == ():
            log.warning(
                "%s: %s has lost its last arbiter, %s: code that still upserts on it %s",
                FindingCode.ARBITER_REMOVED,
                describe_key(qualified(schema, table_name), elements, where),
                ", ".join(names),
                outcome,
            )
