"""From what a revision would do at once to what it does online, where ``upsert_guard_concurrently`` asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.operations.ops import CreateIndexOp, CreateUniqueConstraintOp, DropConstraintOp
from alembic.util import CommandError
from sqlalchemy import Column, UniqueConstraint

from ...databases import POSTGRESQL, database_for
from ...inference import Kind
from ...sqltext import literal_sql, sql_as_text
from ..operations import (
    CreateUniqueConstraintConcurrentlyOp,
    CreateUniqueIndexConcurrentlyOp,
    DropUniqueConstraintConcurrentlyOp,
    DropUniqueIndexConcurrentlyOp,
    NoReverseOp,
    OnlineOps,
)
from .plan import Action
from .planned import only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import MigrateOperation
    from sqlalchemy import Index, Table
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import TextClause

    from ...inference import Candidate
    from ...verdict.inspected import InspectedKey
    from ..operations import CreateConcurrentlyOp
    from .planned import PlannedOp

__all__ = ["as_concurrent_drop", "as_online", "is_built_concurrently"]

_OPTION = "upsert_guard_concurrently"
"""The argument of ``context.configure()``: a bool, or a callable of the model's table that returns one."""

_CARRIED = frozenset({"where", "include", "nulls_not_distinct", "ops"})
"""The options of an index on PostgreSQL that the concurrent directive has too."""


def as_online(
    context: AutogenContext,
    key: InspectedKey,
    planned: Sequence[PlannedOp],
    late: Sequence[PlannedOp],
) -> OnlineOps | None:
    """Return what is planned with its creation made concurrent; None: the plain form is the right one.

    That is so where nobody asked, where nothing is created, and where the index has an option that only the plain
    directive knows. A table that is empty where the revision is run gets it at once all the same. What is dropped goes
    after the creation: at no moment is nothing unique.

    :param late: drops of Alembic's own, to go after the creation, too.
    """
    creations = only(planned, Action.CREATE)
    if len(creations) != 1 or not is_built_concurrently(context, key.table):
        return None
    creation = _concurrent(context.dialect, creations[0].op)
    if creation is None:
        return None
    drops = (*only(planned, Action.DROP), *late)
    namesakes = [each for each in drops if _candidate(each).name == creation.name]
    others = [each for each in drops if each not in namesakes]
    # what is there of an INVALID one that is the same is resumed
    creation.replace = any(_candidate(each).valid or _is_index(each) for each in namesakes)
    return OnlineOps(
        [
            *(each.op for each in only(planned, Action.VALIDATE)),
            *_way_back(context.dialect, creation, namesakes),
            creation,
            *(
                as_concurrent_drop(context.dialect, key.table, each.op, _candidate(each))
                for each in others
            ),
        ]
    )


def _way_back(
    dialect: Dialect, creation: CreateConcurrentlyOp, namesakes: Sequence[PlannedOp]
) -> list[MigrateOperation]:
    """No drops: the new one takes the name, and on the way back the old one takes it again."""
    valid = [each.op.reverse() for each in namesakes if _candidate(each).valid]
    replaced = _concurrent(dialect, valid[0]) if len(valid) == 1 else None
    if replaced is None:
        return [NoReverseOp(back) for back in valid]
    replaced.replace = True
    creation.replaced = replaced
    return []


def _candidate(drop: PlannedOp) -> Candidate:
    assert drop.step.candidate is not None  # noqa: S101 - a DROP has one
    return drop.step.candidate


def _is_index(drop: PlannedOp) -> bool:
    return _candidate(drop).kind is Kind.INDEX


def is_built_concurrently(context: AutogenContext, table: Table) -> bool:
    """Return whether the project asks for it.

    :raises CommandError: the option is neither a bool nor a callable that returns one.
    """
    concurrently: Any = context.opts.get(_OPTION, False)
    if callable(concurrently):
        concurrently = concurrently(table)
    if not isinstance(concurrently, bool):
        raise CommandError(
            f"context.configure({_OPTION}=...) is True, False, or a callable that returns one of them for a table; "
            f"for {table.fullname} it is {concurrently!r}"
        )
    # whether the table has rows in this database says nothing about the others that the revision is for
    return concurrently and database_for(context.dialect).builds_concurrently


def _concurrent(dialect: Dialect, op: MigrateOperation) -> CreateConcurrentlyOp | None:
    if isinstance(op, CreateIndexOp):
        return _concurrent_index(dialect, op.to_index())
    if not isinstance(op, CreateUniqueConstraintOp):
        return None
    constraint = op.to_constraint()
    assert isinstance(constraint, UniqueConstraint)  # noqa: S101 - its type is that of every constraint
    # get(): INCLUDE in constraints came with SQLAlchemy 2.0.41
    options = constraint.dialect_options[POSTGRESQL.name]
    return CreateUniqueConstraintConcurrentlyOp(
        str(constraint.name or ""),
        op.table_name,
        [column.name for column in constraint.columns],
        schema=op.schema,
        include=[str(getattr(column, "name", column)) for column in options.get("include") or ()],
        nulls_not_distinct=bool(options.get("nulls_not_distinct")),
        deferrable=bool(constraint.deferrable),
        initially=constraint.initially,
    )


def _concurrent_index(dialect: Dialect, index: Index) -> CreateConcurrentlyOp | None:
    options = index.dialect_options[POSTGRESQL.name]
    stated = {
        name.removeprefix("postgresql_") for name in index.dialect_kwargs if "postgresql_" in name
    }
    if index.table is None or stated - _CARRIED:
        return None
    where = options.get("where")
    return CreateUniqueIndexConcurrentlyOp(
        str(index.name or ""),
        index.table.name,
        [
            _element(dialect, expression, options.get("ops") or {})
            for expression in index.expressions
        ],
        schema=index.table.schema,
        where=None if where is None else _as_text(dialect, where),
        include=[str(getattr(column, "name", column)) for column in options.get("include") or ()],
        nulls_not_distinct=bool(options.get("nulls_not_distinct")),
    )


def _element(dialect: Dialect, expression: Any, opclasses: Mapping[str, str]) -> str | TextClause:
    opclass = opclasses.get(getattr(expression, "key", None) or "")
    if isinstance(expression, Column) and opclass is None:
        return str(expression.name)
    # an expression in an index is in parentheses
    grouped = expression if isinstance(expression, Column) else expression.self_group()
    sql = literal_sql(grouped, dialect)
    return sql_as_text(sql if opclass is None else f"{sql} {opclass}")


def _as_text(dialect: Dialect, where: Any) -> TextClause:
    return sql_as_text(where if isinstance(where, str) else literal_sql(where, dialect))


def as_concurrent_drop(
    dialect: Dialect, table: Table, drop: MigrateOperation, gone: Candidate
) -> MigrateOperation:
    """Return the drop of `gone` without a queue behind it; what has no such form is returned as it is."""
    name = str(gone.name)
    again = None if isinstance(back := drop.reverse(), NoReverseOp) else back
    again = again if again is None else _concurrent(dialect, again) or again
    if gone.kind is Kind.INDEX:
        return DropUniqueIndexConcurrentlyOp(name, table.name, schema=table.schema, _reverse=again)
    if isinstance(drop, DropConstraintOp) and gone.unique:
        return DropUniqueConstraintConcurrentlyOp(
            name, table.name, schema=table.schema, _reverse=again
        )
    return drop  # an exclusion constraint
