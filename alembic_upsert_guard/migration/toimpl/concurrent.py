"""How the concurrent directives run: outside a transaction, one upgrade at a time, and into a script."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from alembic.operations.ops import OpContainer
from alembic.util import CommandError

from ...databases import database_for
from ...names import truncated_identifier
from ...online import (
    OnlineArbiter,
    Retries,
    RowsInTheWay,
    create,
    drop,
    script_creation,
    script_drop,
)
from ...sqltext import named
from ..context import log, table_of, target_of
from ..operations import ValidateUpsertKeyOp
from .autocommit import call_of
from .deduplications import deduplication_above, deduplication_to_repeat
from .keys import refused_rows
from .new_rows import create_index_on_new_rows
from .one_upgrade import one_upgrade_at_a_time
from .redaction import redacted
from .script import write, write_outside

if TYPE_CHECKING:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from ...online import Reporter
    from ..operations import ConcurrentOp, CreateConcurrentlyOp, DropConcurrentlyOp

__all__ = ["create_concurrently", "drop_concurrently", "run_ops"]


@redacted
def create_concurrently(operations: Operations, operation: CreateConcurrentlyOp) -> None:
    """Create a unique constraint or index, or write what does into the script."""
    context = operations.get_context()
    wanted = _wanted(context, operation)
    retries = _retries(operation)
    if operation.new_rows_by is not None:
        create_index_on_new_rows(context, operation, wanted, retries)
        return
    repeated = deduplication_to_repeat(context, operation)
    if context.as_sql:
        _note_single_build(context, operation)
        write_outside(context, script_creation(context.dialect, wanted, retries))
        return

    def build(connection: Connection, reporter: Reporter) -> None:
        create(connection, wanted, retries, reporter)

    with one_upgrade_at_a_time(context, operation, wanted.table) as run:
        for number in count(1):
            try:
                run(build)
            except RowsInTheWay as error:
                if repeated is None or number == operation.attempts_on_duplicates:
                    raise _violation(context, operation, wanted, error, builds=number) from None
                log.info(
                    "%s on %s: build %d of at most %d met duplicate rows; they are deduplicated again",
                    wanted.name,
                    named(context.dialect, *wanted.table),
                    number,
                    operation.attempts_on_duplicates,
                )
            else:
                break
            # a transaction of its own, which the next build commits
            operations.invoke(repeated)


@redacted
def drop_concurrently(operations: Operations, operation: DropConcurrentlyOp) -> None:
    """Drop a unique constraint or index, or write what does into the script."""
    context = operations.get_context()
    _refuse_other_databases(context, operation)
    _refuse_long_name(operation)
    table = table_of(context, operation.table_name, operation.schema)
    name, constraint = operation.name, operation.constraint
    if context.as_sql:
        retries = _retries(operation)
        write_outside(
            context, script_drop(context.dialect, table, name, retries, constraint=constraint)
        )
        return

    def remove(connection: Connection, reporter: Reporter) -> None:
        drop(connection, table, name, _retries(operation), reporter, constraint=constraint)

    with one_upgrade_at_a_time(context, operation, table) as run:
        run(remove)


def run_ops(operations: Operations, container: OpContainer) -> None:
    """Run what has a revision of its own, where operations are invoked and not written."""
    for operation in container.ops:
        if isinstance(operation, OpContainer):
            run_ops(operations, operation)
        else:
            operations.invoke(operation)


def _violation(
    context: MigrationContext,
    operation: CreateConcurrentlyOp,
    wanted: OnlineArbiter,
    error: RowsInTheWay,
    *,
    builds: int,
) -> Exception:
    """The rows that the build met, read and reported; they may be gone again by now."""
    check = ValidateUpsertKeyOp(
        operation.table_name,
        operation.elements,
        schema=operation.schema,
        where=operation.where,
        nulls="not_distinct" if operation.nulls_not_distinct else "distinct",
        reveal=operation.reveal,
    )
    left_behind = None
    if error.left_behind is not None:
        left_behind = named(context.dialect, wanted.table.schema, error.left_behind)
    refused = refused_rows(
        context,
        check,
        left_behind=left_behind,
        builds_after_deduplication=builds if deduplication_above(context, operation) else 0,
    )
    return refused or CommandError(
        f"{wanted.name} on {named(context.dialect, *wanted.table)} was not made: the build met rows that share a key, "
        "and they are gone by now. Run the upgrade again"
    )


def _wanted(context: MigrationContext, operation: CreateConcurrentlyOp) -> OnlineArbiter:
    _refuse_other_databases(context, operation)
    _refuse_long_name(operation)
    return OnlineArbiter(
        table=table_of(context, operation.table_name, operation.schema),
        name=operation.name,
        target=target_of(operation.elements, operation.where, context.dialect),
        constraint=operation.constraint,
        include=operation.include,
        nulls_not_distinct=operation.nulls_not_distinct,
        deferrable=operation.deferrable,
        initially_deferred=(operation.initially or "").upper() == "DEFERRED",
        replace=operation.replace,
    )


def _refuse_other_databases(context: MigrationContext, operation: ConcurrentOp) -> None:
    if not database_for(context.dialect).builds_concurrently:
        plain = operation.directive.removesuffix("_concurrently")
        other = database_for(context.dialect).name
        raise CommandError(
            f"op.{operation.directive}({operation.name!r}) is for PostgreSQL, and this is {other}: "
            f"write op.{plain.replace('unique_index', 'index').replace('drop_unique', 'drop')}"
        )


def _refuse_long_name(operation: ConcurrentOp) -> None:
    kept = truncated_identifier(operation.name)
    if kept != operation.name:
        length = len(operation.name.encode())
        raise CommandError(
            f"{call_of(operation)} cannot run, nothing was changed: the name has {length} bytes, and PostgreSQL cuts "
            f"off what is beyond 63, so it would not be found again. Write a shorter one, such as {kept!r}"
        )


def _retries(operation: ConcurrentOp) -> Retries:
    stated: dict[str, Any] = {
        "lock_timeout": operation.lock_timeout,
        "attempts": operation.attempts,
    }
    return replace(
        Retries(), **{name: value for name, value in stated.items() if value is not None}
    )


def _note_single_build(context: MigrationContext, operation: CreateConcurrentlyOp) -> None:
    """CREATE INDEX CONCURRENTLY runs in no program, and so in no loop."""
    builds = operation.attempts_on_duplicates
    if builds is None or builds == 1:
        return
    log.warning(
        "%s: a script cannot build again, so it builds once, and stops where duplicate rows arrive "
        "meanwhile; run it online for attempts_on_duplicates=%d",
        call_of(operation),
        builds,
    )
    write(
        context,
        f"-- One build, though attempts_on_duplicates={builds}: a script cannot build again. Where it meets duplicate\n"
        "-- rows that arrived meanwhile, drop the INVALID index, and run from the deduplication on again.",
    )
