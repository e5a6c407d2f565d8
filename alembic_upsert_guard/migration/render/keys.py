"""The directives about one key as lines of a revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...databases import database_for
from ...findings import RowOrder, suggest_directives, with_both_arbiters, without_arbiter
from ...rows import is_referred_to
from ..context import metadata_of
from ..operations import ValidateUpsertKeyOp
from .arguments import directive_call, key_arguments, on_one_line, prefix, source, stated

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext

    from ...findings import SuggestedDirectives
    from ..operations import (
        ArbiterRemovedOp,
        DeduplicateUpsertKeyOp,
        NoReverseOp,
        RestoreDeduplicatedRowsOp,
        VerifyUpsertKeyOp,
    )

__all__ = [
    "render_arbiter_removed",
    "render_deduplicate",
    "render_no_reverse",
    "render_restore",
    "render_validate",
    "render_verify",
]


def render_validate(context: AutogenContext, operation: ValidateUpsertKeyOp) -> list[str]:
    """Return ``op.validate_upsert_key(...)``, below the line that a person may want above it."""
    options = stated(
        {"nulls": operation.nulls, "sample": operation.sample, "reveal": operation.reveal},
        {"nulls": "warn", "sample": 5, "reveal": True},
    )
    arguments = [*key_arguments(context, operation), *options]
    offer = []
    if operation.suggested_order:
        order = ", ".join(operation.suggested_order)
        offer = [
            f"# rows that share a key stop the next line. This one above it would keep the last of each by {order}:",
            f"# {_suggested(context, operation).upgrade}",
        ]
    return [*offer, directive_call(context, operation.directive, arguments)]


def render_deduplicate(context: AutogenContext, operation: DeduplicateUpsertKeyOp) -> str:
    """Return ``op.deduplicate_upsert_key(...)``; arguments at their default are left out."""
    order = ", ".join(source(context, part) for part in operation.order_by)
    batches = operation.batches
    options = stated(
        {
            "archive_table": operation.archive_table,
            "repoint": operation.repoint,
            "nulls": operation.nulls,
            "reveal": operation.reveal,
            "batch_size": None if batches is None else batches.size,
            "pause": 0 if batches is None else batches.pause,
            "max_lag": None if batches is None else batches.max_lag,
        },
        {"repoint": False, "nulls": "warn", "reveal": True, "pause": 0},
    )
    arguments = [
        *key_arguments(context, operation),
        f"keep={operation.keep!r}",
        f"order_by=[{order}]",
        *options,
    ]
    return directive_call(context, operation.directive, arguments)


def render_restore(context: AutogenContext, operation: RestoreDeduplicatedRowsOp) -> str:
    """Return ``op.restore_deduplicated_rows(...)``."""
    options = stated(
        {"archive_table": operation.archive_table, "reveal": operation.reveal}, {"reveal": True}
    )
    arguments = [*key_arguments(context, operation), *options]
    return directive_call(context, operation.directive, arguments)


def render_verify(context: AutogenContext, operation: VerifyUpsertKeyOp) -> list[str]:
    """Return ``op.verify_upsert_key(...)`` below its comment."""
    return [
        *(f"# {on_one_line(line)}" for line in operation.comment),
        directive_call(context, operation.directive, key_arguments(context, operation)),
    ]


def render_arbiter_removed(context: AutogenContext, operation: ArbiterRemovedOp) -> list[str]:
    """Return the comment above the removal."""
    elements = on_one_line(", ".join(operation.elements))
    database = database_for(context.dialect)
    lines = [
        f"# arbiter-removed: nothing else is unique on ({elements}). Code that still",
        f"# upserts on them {without_arbiter(database)} from here on: deploy the code that does not first.",
    ]
    if operation.in_doubt:
        lines[0] = (
            f"# arbiter-removed: it is not known whether anything else serves upserts on ({elements})."
        )
        lines[1] = (
            f"# Without it code that does them {without_arbiter(database)}: deploy the code that does not first."
        )
    if operation.refuses_new_rows:
        lines += [
            f"# Until it is gone, rows that are the same in ({elements}) {with_both_arbiters(database)}:",
            "# do not wait with it longer than the deploy takes.",
        ]
    if operation.places:
        lines.append(f"# Tests ran them at {on_one_line(', '.join(operation.places))}.")
    return lines


def render_no_reverse(context: AutogenContext, operation: NoReverseOp) -> list[str]:
    """Return no line that does anything; below the drop of a validated arbiter, the way back of its deduplication."""
    check = operation.reverses
    if not isinstance(check, ValidateUpsertKeyOp) or not check.suggested_order:
        return []
    return [
        "# where rows were archived by the line offered in upgrade(), this one brings them back:",
        f"# {_suggested(context, check).downgrade}",
    ]


def _suggested(context: AutogenContext, operation: ValidateUpsertKeyOp) -> SuggestedDirectives:
    where = operation.where
    schema, table = (
        None if operation.schema is None else str(operation.schema),
        str(operation.table_name),
    )
    return suggest_directives(
        table,
        [source(context, element) for element in operation.elements],
        schema=schema,
        where=None if where is None else source(context, where),
        nulls=operation.nulls,
        order_by=RowOrder(operation.suggested_order),
        repoint=is_referred_to(metadata_of(context.migration_context), schema, table),
        prefix=prefix(context),
    )
