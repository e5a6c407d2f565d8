"""Creations and drops of arbiters as lines of a revision: Alembic's own with our SQL, and the concurrent ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.autogenerate.render import render_op
from sqlalchemy import Column
from sqlalchemy.sql.elements import ClauseElement

from ...databases import database_for
from ...sqltext import escape_colons, literal_sql
from ..operations import INCLUDE
from .arguments import (
    directive_call,
    elements_list,
    in_batch,
    name_argument,
    schema_argument,
    source,
    sqlalchemy_prefix,
    stated,
)

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext

    from ..operations import (
        ConcurrentOp,
        ContractOps,
        CreateArbiterIndexOp,
        CreateConcurrentlyOp,
        CreateIncludingConstraintOp,
        DropConcurrentlyOp,
        OnlineOps,
    )

__all__ = [
    "render_arbiter_index",
    "render_contract",
    "render_create_concurrently",
    "render_drop_concurrently",
    "render_including_constraint",
    "render_online",
]


def render_arbiter_index(context: AutogenContext, operation: CreateArbiterIndexOp) -> str:
    """Return ``op.create_index(...)`` with its SQL as the database has to see it.

    Alembic's own renderer compiles for the driver, which doubles ``%``, and leaves ``:`` to be read as a parameter.
    """
    index = operation.to_index()
    # an expression in an index is in parentheses, its predicate is not
    expressions: list[Any] = list(index.expressions)
    grouped = [e if isinstance(e, Column) else e.self_group() for e in expressions]
    elements = ", ".join(
        repr(str(e.name)) if isinstance(e, Column) else _rendered(context, e) for e in grouped
    )
    arguments = [
        *_names(context, str(operation.table_name), index.name),
        f"[{elements}]",
        f"unique={bool(index.unique)!r}",
        *schema_argument(context, operation.schema or None),
        *(f"{key}={_rendered(context, value)}" for key, value in index.dialect_kwargs.items()),
    ]
    return directive_call(context, "create_index", arguments)


def render_including_constraint(
    context: AutogenContext, operation: CreateIncludingConstraintOp
) -> str:
    """Return ``op.create_unique_constraint(...)`` with the columns that it carries as objects."""
    carried = ", ".join(
        f"{sqlalchemy_prefix(context)}column({each.name!r})" for each in operation.kw[INCLUDE]
    )
    arguments = [
        *_names(context, operation.table_name, operation.constraint_name),
        repr(list(map(str, operation.columns))),
        *schema_argument(context, operation.schema),
        *(f"{name}={value!r}" for name, value in operation.kw.items() if name != INCLUDE),
        f"{INCLUDE}=[{carried}]",
    ]
    return directive_call(context, "create_unique_constraint", arguments)


def _rendered(context: AutogenContext, value: Any) -> str:
    if isinstance(value, ClauseElement):
        sql = literal_sql(value, context.dialect)
        if "%" in sql and database_for(context.dialect).doubles_per_cent:
            # below no directive of ours, as where the table is new, a script would have the per cent sign twice
            return f"{context.opts['alembic_module_prefix'] or ''}sql_as_written({sql!r})"
        return f"{sqlalchemy_prefix(context)}text({escape_colons(sql)!r})"
    return repr(value)


def render_create_concurrently(context: AutogenContext, operation: CreateConcurrentlyOp) -> str:
    """Return ``op.create_unique_..._concurrently(...)``; arguments at their default are left out."""
    where = [] if operation.where is None else [f"where={source(context, operation.where)}"]
    options = stated(
        {
            "new_rows_by": operation.new_rows_by,
            "include": list(map(str, operation.include)),
            "nulls_not_distinct": operation.nulls_not_distinct,
            "initially": operation.initially,
            "deferrable": operation.deferrable and operation.initially is None,
            "replace": operation.replace,
            "reveal": operation.reveal,
        },
        {
            "include": [],
            "nulls_not_distinct": False,
            "deferrable": False,
            "replace": False,
            "reveal": True,
        },
    )
    arguments = [
        *_names(context, operation.table_name, operation.name),
        elements_list(context, operation.elements),
        *schema_argument(context, operation.schema),
        *where,
        *options,
        *_retries(operation),
        *stated({"attempts_on_duplicates": operation.attempts_on_duplicates}, {}),
    ]
    return directive_call(context, operation.directive, arguments)


def render_drop_concurrently(context: AutogenContext, operation: DropConcurrentlyOp) -> str:
    """Return ``op.drop_unique_..._concurrently(...)``."""
    arguments = [
        *_names(context, operation.table_name, operation.name),
        *schema_argument(context, operation.schema),
        *_retries(operation),
    ]
    return directive_call(context, operation.directive, arguments)


def render_online(context: AutogenContext, operation: OnlineOps) -> list[str]:
    """Return the lines of what has no revision of its own, below a comment that says what that means."""
    return [
        "# the next lines run outside a transaction, and commit what is above them: where that is other work,",
        "# move them into a revision of their own, after this one.",
        *(line for op in operation.ops for line in render_op(context, op)),
    ]


def render_contract(context: AutogenContext, operation: ContractOps) -> list[str]:
    """Return the lines of what is dropped after the deploy, below a comment that says when to run them."""
    lines = [line for op in operation.ops for line in render_op(context, op)]
    if operation.is_way_back:
        return lines
    if operation.after is None:
        return [
            "# contract: what is dropped here serves the code before the change. To run it after the deploy, move the",
            "# next lines into a revision of their own, after this one.",
            *lines,
        ]
    return [
        "# contract: what is dropped here serves the code before the change. Upgrade in two steps:",
        f"#   alembic upgrade {operation.after}, then deploy; when no process of the old code is left,",
        "#   alembic upgrade head. Where each deploy upgrades to head, ship this file with the next one.",
        *lines,
    ]


def _names(context: AutogenContext, table_name: str, name: Any) -> list[str]:
    table = [] if in_batch(context) else [repr(str(table_name))]
    return [name_argument(context, name), *table]


def _retries(operation: ConcurrentOp) -> list[str]:
    return stated({"lock_timeout": operation.lock_timeout, "attempts": operation.attempts}, {})
