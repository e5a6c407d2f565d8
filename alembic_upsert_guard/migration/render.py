"""How the directives are written into a revision: what a person would type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.autogenerate.render import render_op
from sqlalchemy import Column
from sqlalchemy.sql.elements import ClauseElement, TextClause, conv

from ..databases import database_for
from ..findings import suggest_directives, without_arbiter
from ..sqltext import escape_colons, literal_sql
from .operations import ValidateUpsertKeyOp, source_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy.engine import Dialect

    from ..findings import SuggestedDirectives
    from .online_operations import CreateConcurrentlyOp, DropConcurrentlyOp, OnlineOps
    from .operations import (
        ArbiterRemovedOp,
        CreateArbiterIndexOp,
        DeduplicateUpsertKeyOp,
        NothingOp,
        RestoreDeduplicatedRowsOp,
        UpsertKeyOp,
        VerifyUpsertKeyOp,
    )

__all__ = [
    "render_arbiter_index",
    "render_arbiter_removed",
    "render_create_concurrently",
    "render_deduplicate",
    "render_drop_concurrently",
    "render_nothing",
    "render_online",
    "render_restore",
    "render_validate",
    "render_verify",
]


def render_validate(context: AutogenContext, operation: ValidateUpsertKeyOp) -> list[str]:
    """Return ``op.validate_upsert_key(...)``, below the line that a person may want above it."""
    arguments = _key_arguments(context, operation)
    if operation.nulls != "warn":
        arguments.append(f"nulls={operation.nulls!r}")
    if operation.sample != _DEFAULT_SAMPLE:
        arguments.append(f"sample={operation.sample!r}")
    if not operation.reveal:
        arguments.append("reveal=False")
    offer = []
    if operation.suggested_order:
        order = ", ".join(operation.suggested_order)
        offer = [
            f"# rows that share a key stop the next line. This one above it would keep the last of each by {order}:",
            f"# {_mend(context, operation).upgrade}",
        ]
    return [*offer, f"{_prefix(context)}validate_upsert_key({', '.join(arguments)})"]


def render_deduplicate(context: AutogenContext, operation: DeduplicateUpsertKeyOp) -> str:
    """Return ``op.deduplicate_upsert_key(...)``; arguments at their default are left out."""
    order = ", ".join(_sql_or_name(context, part) for part in operation.order_by)
    arguments = _key_arguments(context, operation)
    arguments += [f"keep={operation.keep!r}", f"order_by=[{order}]"]
    if operation.archive_table is not None:
        arguments.append(f"archive_table={operation.archive_table!r}")
    if operation.repoint:
        arguments.append("repoint=True")
    if operation.nulls != "warn":
        arguments.append(f"nulls={operation.nulls!r}")
    if not operation.reveal:
        arguments.append("reveal=False")
    return f"{_prefix(context)}deduplicate_upsert_key({', '.join(arguments)})"


def render_restore(context: AutogenContext, operation: RestoreDeduplicatedRowsOp) -> str:
    """Return ``op.restore_deduplicated_rows(...)``."""
    arguments = [*_key_arguments(context, operation), f"archive_table={operation.archive_table!r}"]
    if not operation.reveal:
        arguments.append("reveal=False")
    return f"{_prefix(context)}restore_deduplicated_rows({', '.join(arguments)})"


def render_verify(context: AutogenContext, operation: VerifyUpsertKeyOp) -> list[str]:
    """Return ``op.verify_upsert_key(...)`` below its comment."""
    arguments = ", ".join(_key_arguments(context, operation))
    return [
        *(f"# {_on_one_line(line)}" for line in operation.comment),
        f"{_prefix(context)}verify_upsert_key({arguments})",
    ]


def _on_one_line(words: str) -> str:
    """Words for a comment: the server prints CASE over several lines, and a name may hold a line break."""
    return " ".join(words.split())


def render_arbiter_removed(context: AutogenContext, operation: ArbiterRemovedOp) -> list[str]:
    """Return the comment that stands above the removal."""
    elements = _on_one_line(", ".join(operation.elements))
    outcome = without_arbiter(database_for(context.dialect))
    return [
        f"# arbiter-removed: nothing else is unique on ({elements}). Code that still",
        f"# upserts on them {outcome} from here on: deploy the code that does not first.",
    ]


def render_nothing(context: AutogenContext, operation: NothingOp) -> list[str]:
    """Return no line that does anything; below the drop of a validated arbiter, the way back of its mend."""
    reversed_ = operation.reverses
    if not isinstance(reversed_, ValidateUpsertKeyOp):
        return []
    lines = [line for key in reversed_.foreign_keys for line in _index_for(context, reversed_, key)]
    if not reversed_.suggested_order:
        return lines
    return [
        *lines,
        "# where rows were archived by the line offered in upgrade(), this one brings them back:",
        f"# {_mend(context, reversed_).downgrade}",
    ]


def _index_for(
    context: AutogenContext, operation: ValidateUpsertKeyOp, columns: Sequence[str]
) -> list[str]:
    """The way out of error 1553: InnoDB drops the index that it made for a foreign key when another one serves it."""
    name = "_".join(("ix", str(operation.table_name), *columns))
    arguments = [repr(name)]
    if not context._has_batch:  # noqa: SLF001
        arguments.append(repr(str(operation.table_name)))
    arguments.append(repr(list(columns)))
    if operation.schema is not None and not context._has_batch:  # noqa: SLF001
        arguments.append(f"schema={str(operation.schema)!r}")
    return [
        f"# where the drop fails with 1553, the foreign key on ({', '.join(columns)}) has no other index left:",
        f"# {_prefix(context)}create_index({', '.join(arguments)}), above it",
    ]


def render_arbiter_index(context: AutogenContext, operation: CreateArbiterIndexOp) -> str:
    """Return ``op.create_index(...)`` with its SQL as the database has to see it.

    Alembic's own renderer compiles for the driver, which doubles ``%``, and leaves ``:`` to be read as a parameter.
    """
    index = operation.to_index()
    dialect = context.dialect
    name = str(index.name)
    # a name from a naming convention is final, and op.f() says so
    arguments = [f"{_prefix(context)}f({name!r})" if isinstance(index.name, conv) else repr(name)]
    if not context._has_batch:  # noqa: SLF001 - as Alembic's renderers ask
        arguments.append(repr(str(operation.table_name)))
    # an expression in an index stands in parentheses, its predicate does not
    elements_of_index: list[Any] = list(index.expressions)
    grouped = [e if isinstance(e, Column) else e.self_group() for e in elements_of_index]
    elements = ", ".join(_rendered(context, dialect, e) for e in grouped)
    arguments += [f"[{elements}]", f"unique={bool(index.unique)!r}"]
    if operation.schema and not context._has_batch:  # noqa: SLF001
        arguments.append(f"schema={str(operation.schema)!r}")
    arguments += [
        f"{key}={_rendered(context, dialect, value)}" for key, value in index.dialect_kwargs.items()
    ]
    return f"{_prefix(context)}create_index({', '.join(arguments)})"


def render_create_concurrently(context: AutogenContext, operation: CreateConcurrentlyOp) -> str:
    """Return ``op.create_unique_..._concurrently(...)``; arguments at their default are left out."""
    elements = ", ".join(_sql_or_name(context, element) for element in operation.elements)
    arguments = [*_named_arguments(context, operation.name, operation), f"[{elements}]"]
    if operation.schema is not None and not context._has_batch:  # noqa: SLF001
        arguments.append(f"schema={str(operation.schema)!r}")
    if operation.where is not None:
        arguments.append(f"where={_sql_or_name(context, operation.where)}")
    if operation.include:
        arguments.append(f"include={list(map(str, operation.include))!r}")
    if operation.nulls_not_distinct:
        arguments.append("nulls_not_distinct=True")
    if operation.initially is not None:
        arguments.append(f"initially={operation.initially!r}")
    elif operation.deferrable:
        arguments.append("deferrable=True")
    if operation.replace:
        arguments.append("replace=True")
    if not operation.reveal:
        arguments.append("reveal=False")
    arguments += _patience_arguments(operation)
    return f"{_prefix(context)}{operation.directive}({', '.join(arguments)})"


def render_drop_concurrently(context: AutogenContext, operation: DropConcurrentlyOp) -> str:
    """Return ``op.drop_unique_..._concurrently(...)``."""
    arguments = _named_arguments(context, operation.name, operation)
    if operation.schema is not None and not context._has_batch:  # noqa: SLF001
        arguments.append(f"schema={str(operation.schema)!r}")
    arguments += _patience_arguments(operation)
    return f"{_prefix(context)}{operation.directive}({', '.join(arguments)})"


def render_online(context: AutogenContext, operation: OnlineOps) -> list[str]:
    """Return the lines of what has no revision of its own, below a comment that says what that means."""
    return [
        "# the next lines run outside a transaction, and commit what stands above them: where that is other work,",
        "# move them into a revision of their own, after this one.",
        *(line for op in operation.ops for line in render_op(context, op)),
    ]


_DEFAULT_SAMPLE = 5


def _named_arguments(
    context: AutogenContext, name: str, operation: CreateConcurrentlyOp | DropConcurrentlyOp
) -> list[str]:
    # a name from a naming convention is final, and op.f() says so
    spelled = f"{_prefix(context)}f({str(name)!r})" if isinstance(name, conv) else repr(str(name))
    return [spelled] if context._has_batch else [spelled, repr(str(operation.table_name))]  # noqa: SLF001


def _patience_arguments(operation: CreateConcurrentlyOp | DropConcurrentlyOp) -> list[str]:
    stated = {"lock_timeout": operation.lock_timeout, "attempts": operation.attempts}
    return [f"{name}={value!r}" for name, value in stated.items() if value is not None]


def _key_arguments(context: AutogenContext, operation: UpsertKeyOp) -> list[str]:
    elements = ", ".join(_sql_or_name(context, element) for element in operation.elements)
    arguments = [f"[{elements}]"]
    if not context._has_batch:  # noqa: SLF001
        arguments.insert(0, repr(str(operation.table_name)))
        if operation.schema is not None:
            arguments.append(f"schema={str(operation.schema)!r}")
    if operation.where is not None:
        arguments.append(f"where={_sql_or_name(context, operation.where)}")
    return arguments


def _mend(context: AutogenContext, operation: ValidateUpsertKeyOp) -> SuggestedDirectives:
    where = operation.where
    return suggest_directives(
        str(operation.table_name),
        [_sql_or_name(context, element) for element in operation.elements],
        schema=None if operation.schema is None else str(operation.schema),
        where=None if where is None else _sql_or_name(context, where),
        nulls=operation.nulls,
        order_by=operation.suggested_order,
        prefix=_prefix(context),
    )


def _sql_or_name(context: AutogenContext, value: str | TextClause) -> str:
    return source_of(value, _sqlalchemy(context))


def _rendered(context: AutogenContext, dialect: Dialect, value: Any) -> str:
    if isinstance(value, Column):
        return repr(str(value.name))
    if isinstance(value, ClauseElement):
        sql = literal_sql(value, dialect)
        if "%" in sql and database_for(dialect).doubles_per_cent:
            # below no directive of ours, as where the table is new, a script would have the per cent sign twice
            return f"{context.opts['alembic_module_prefix'] or ''}sql_as_written({sql!r})"
        return f"{_sqlalchemy(context)}text({escape_colons(sql)!r})"
    return repr(value)


def _prefix(context: AutogenContext) -> str:
    if context._has_batch:  # noqa: SLF001
        return "batch_op."
    return context.opts["alembic_module_prefix"] or ""


def _sqlalchemy(context: AutogenContext) -> str:
    return context.opts["sqlalchemy_module_prefix"] or ""
