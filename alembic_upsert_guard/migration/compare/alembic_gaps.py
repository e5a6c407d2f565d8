"""What Alembic's own operations leave out or garble of a declared key's arbiter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alembic.operations.ops import CreateIndexOp, CreateUniqueConstraintOp
from sqlalchemy import Index
from sqlalchemy.sql.elements import ClauseElement, ColumnClause

from ...declaration import declarations_of
from ...sqltext import literal_sql
from ..operations import (
    INCLUDE,
    CreateArbiterIndexOp,
    CreateIncludingConstraintOp,
)

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import Table

    from .placement import TableChanges

__all__ = ["with_expression_indexes", "with_sql_kept"]


def with_expression_indexes(
    context: AutogenContext, changes: TableChanges, table: Table
) -> TableChanges:
    """Return the changes of a new table with its expression indexes.

    Alembic leaves them out on SQLite: it cannot reflect them.
    """
    created = {op.index_name for op in changes.ops if isinstance(op, CreateIndexOp)}
    arbiters = (declaration.arbiter(table) for declaration in declarations_of(table))
    missing = (
        CreateIndexOp.from_index(arbiter)
        for arbiter in arbiters
        if isinstance(arbiter, Index)
        and arbiter.name not in created
        and context.run_object_filters(arbiter, arbiter.name, "index", False, None)
    )
    return replace(changes, ops=(*changes.ops, *missing))


def with_sql_kept(context: AutogenContext, changes: TableChanges) -> TableChanges:
    """Return the changes with what Alembic would garble left to our own renderer.

    That is SQL of unique indexes, and the columns that a unique constraint carries.
    """
    return replace(
        changes,
        ops=tuple(_kept(context, op) for op in changes.ops),
        contract=tuple(_kept(context, op) for op in changes.contract),
    )


def _kept(context: AutogenContext, op: MigrateOperation) -> MigrateOperation:
    if isinstance(op, CreateIndexOp) and _is_garbled(context, op):
        return _with_own_renderer(op)
    if isinstance(op, CreateUniqueConstraintOp) and op.kw.get(INCLUDE):
        return CreateIncludingConstraintOp.of(op)
    return op


def _is_garbled(context: AutogenContext, op: CreateIndexOp) -> bool:
    """Whether Alembic's renderer would double a per cent sign, or let a colon start a parameter.

    A predicate that is a column it writes as a string with the bare name, which is SQL then: without its quotes.
    """
    clauses = [part for part in (*op.columns, *op.kw.values()) if isinstance(part, ClauseElement)]
    sql = "".join(literal_sql(clause, context.dialect) for clause in clauses)
    of_columns = any(isinstance(value, ColumnClause) for value in op.kw.values())
    return bool(op.unique) and ("%" in sql or ":" in sql or of_columns)


def _with_own_renderer(op: CreateIndexOp) -> MigrateOperation:
    return CreateArbiterIndexOp(
        op.index_name,
        op.table_name,
        op.columns,
        schema=op.schema,
        unique=op.unique,
        if_not_exists=op.if_not_exists,
        **op.kw,
    )
