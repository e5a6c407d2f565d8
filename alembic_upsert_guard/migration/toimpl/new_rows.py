"""How an index over new rows is made, and what is said where it outlives what it is for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ...online import create_on_new_rows, superseded_by
from ...sqltext import named
from ..context import connection_of, log, when_version_is_written
from .one_upgrade import one_upgrade_at_a_time
from .script import write_or_warn

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from ...online import OnlineArbiter, Reporter, Retries
    from ..operations import CreateConcurrentlyOp

__all__ = ["create_index_on_new_rows"]

_BUILDS = 3
"""Where nobody says how many: new rows that share a key arrive in the time that one scan of the table takes."""


def create_index_on_new_rows(
    context: MigrationContext,
    operation: CreateConcurrentlyOp,
    wanted: OnlineArbiter,
    retries: Retries,
) -> None:
    """Create it, or write a comment into the script, which cannot read the greatest value.

    When the version is written a warning says so where it is still there beside what makes all rows unique.
    """
    label = f"{wanted.name} on {named(context.dialect, *wanted.table)} over new rows"
    if context.as_sql:
        write_or_warn(context, None, label=label, directive=operation.directive)
        return

    def build(connection: Connection, reporter: Reporter) -> None:
        create_on_new_rows(
            connection,
            wanted,
            str(operation.new_rows_by),
            builds=operation.attempts_on_duplicates or _BUILDS,
            retries=retries,
            reporter=reporter,
        )

    with one_upgrade_at_a_time(context, operation, wanted.table) as run:
        run(build)
    when_version_is_written(context, partial(_report_leftover, wanted))


def _report_leftover(wanted: OnlineArbiter, *, ctx: MigrationContext, **_: Any) -> None:
    unique = superseded_by(connection_of(ctx), wanted)
    if unique is None:
        return
    log.warning(
        "%s on %s is still there, though %s has all rows: op.drop_unique_index_concurrently(%r, %r) drops it",
        wanted.name,
        named(ctx.dialect, *wanted.table),
        unique,
        wanted.name,
        wanted.table.name,
    )
