"""An upgrade that was killed while it replaced an arbiter by one of the same name, and is run again.

Where each statement commits, the new one is left under its temporary name, with the old one or without. It is found by
its shape: what creates it, and what drops the old one, is done already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.operations import ops
from sqlalchemy.schema import AddConstraint, CreateIndex

from ...catalog import catalog_for
from ...catalog.reading import commits_each_statement
from ...databases import database_for
from ...names import is_temporary, temporary_names
from ..context import connection_of, log, table_of
from .unique_build import builds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.runtime.migration import MigrationContext

    from ...inference import Candidate
    from .unique_build import UniqueBuild

__all__ = ["is_done_already"]


def is_done_already(context: MigrationContext, operation: Any) -> bool:
    """Return whether the operation, which has failed, was done by an upgrade that was killed; it is logged then.

    Never in a transaction that a failure ends: nothing of it is left there.
    """
    connection = connection_of(context)
    if database_for(connection.dialect).errors_end_transactions and not commits_each_statement(
        connection
    ):
        return False
    if isinstance(operation, ops.CreateUniqueConstraintOp | ops.CreateIndexOp):
        return _is_created(context, operation)
    if isinstance(operation, ops.DropConstraintOp):
        return _is_dropped(context, operation, operation.constraint_name)
    if isinstance(operation, ops.DropIndexOp):
        return _is_dropped(context, operation, operation.index_name)
    return False


def _is_created(
    context: MigrationContext, operation: ops.CreateUniqueConstraintOp | ops.CreateIndexOp
) -> bool:
    """Whether what it creates under a temporary name is there, of the same shape."""
    name: Any
    statement: Any
    if isinstance(operation, ops.CreateIndexOp):
        index = operation.to_index(context)
        name, statement = index.name, CreateIndex(index)
    else:
        constraint = operation.to_constraint(context)
        name, statement = constraint.name, AddConstraint(constraint)
    builds = builds_of(statement, context.dialect)
    if not builds or name is None or not is_temporary(str(name)):
        return False
    is_there = any(
        candidate.name == str(name) and _has_shape(candidate, builds[0])
        for candidate in _unique(context, operation)
    )
    if is_there:
        log.info(
            "%s is there already, of an upgrade that did not end: it is not created again", name
        )
    return is_there


def _has_shape(candidate: Candidate, build: UniqueBuild) -> bool:
    """Whether it is the same, as far as names show it: of SQL in it nothing is said."""
    return (
        candidate.is_plain
        and build.where is None
        and candidate.labels == build.elements
        and candidate.nulls_not_distinct == build.nulls_not_distinct
    )


def _is_dropped(
    context: MigrationContext, operation: ops.DropConstraintOp | ops.DropIndexOp, name: Any
) -> bool:
    """Whether it is gone, and what takes its place is there."""
    if operation.table_name is None:
        return False
    names = {candidate.name for candidate in _unique(context, operation)}
    is_gone = str(name) not in names and not names.isdisjoint(temporary_names(str(name)))
    if is_gone:
        log.info(
            "%s is gone already, by an upgrade that did not end: it is not dropped again", name
        )
    return is_gone


def _unique(context: MigrationContext, operation: Any) -> Sequence[Candidate]:
    """What is unique on the table and serves."""
    catalog = catalog_for(context.dialect)
    if catalog is None:
        return ()
    table = table_of(context, operation.table_name, operation.schema)
    offered = catalog.read(connection_of(context), [table]).get(table)
    if offered is None:
        return ()
    return [each for each in offered.candidates if each.unique and each.valid and each.immediate]
