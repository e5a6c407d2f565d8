"""How the directives that change rows run: the deduplication, and the way back from its archive."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from ...catalog import TableName
from ...catalog.messages import message_of
from ...errors import DeduplicationError
from ...findings import counted
from ...rows import (
    Deduplicated,
    Surplus,
    deduplicate,
    deduplicate_in_batches,
    deduplicates_in_batches,
    keys_in_archive,
    restore,
    script_deduplication,
    script_deduplication_in_batches,
    script_restoration,
)
from ...sqltext import literal_sql, named
from ..context import connection_of, log
from ..operations import ValidateUpsertKeyOp
from .committed_ddl import stays_above
from .deduplications import note_deduplication
from .keys import watch_key
from .one_upgrade import one_upgrade_at_a_time
from .redaction import redacted
from .script import write_as_written, write_or_warn, write_outside
from .subject import subject_of
from .way_out import way_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection, Dialect

    from ...online import Reporter
    from ..operations import DeduplicateUpsertKeyOp, RestoreDeduplicatedRowsOp
    from .subject import Subject

__all__ = ["deduplicate_upsert_key", "restore_deduplicated_rows"]


@redacted
def deduplicate_upsert_key(operations: Operations, operation: DeduplicateUpsertKeyOp) -> None:
    """Leave one row of each key, or write what does into the script."""
    context = operations.get_context()
    subject = subject_of(context, operation)
    note_deduplication(context, operation)
    archive = operation.archive_table
    surplus = Surplus(
        key=subject.rows,
        keep=operation.keep,
        order_by=tuple(_sql(order, context.dialect) for order in operation.order_by),
        archive=None if archive is None else TableName(subject.table.schema, archive),
        repoint=operation.repoint,
    )
    if context.as_sql:
        write_as_written(context, operation.table_name, operation.schema)
        if operation.batches is None or not deduplicates_in_batches(context.dialect):
            call = script_deduplication(context.dialect, surplus)
            statements = None if call is None else [call]
            write_or_warn(context, statements, label=subject.label, directive=operation.directive)
        else:
            write_outside(
                context,
                script_deduplication_in_batches(context.dialect, surplus, operation.batches),
            )
        return
    done = _deduplicate(context, operation, subject, surplus)
    if done.rows:
        went = (
            "deleted"
            if surplus.archive is None
            else f"moved to {named(context.dialect, *surplus.archive)}"
        )
        repointed = "".join(
            f"; {count} references of {name} moved" for name, count in done.repointed
        )
        rows = counted(done.rows, "surplus row")
        log.info("Deduplicated %s: %s %s%s", subject.label, rows, went, repointed)
    if not subject.reveal:
        # what is made unique below it may have no check of its own
        watch_key(context, _check_of(operation), subject, checked=False)


def _deduplicate(
    context: MigrationContext, operation: DeduplicateUpsertKeyOp, subject: Subject, surplus: Surplus
) -> Deduplicated:
    batches = operation.batches
    if batches is None or not deduplicates_in_batches(context.dialect):
        with _reported(context, subject, "deduplicated"):
            return deduplicate(connection_of(context), surplus)
    done = Deduplicated(0)

    def work(connection: Connection, reporter: Reporter) -> None:
        nonlocal done
        done = deduplicate_in_batches(connection, surplus, batches, reporter)

    with (
        one_upgrade_at_a_time(context, operation, subject.table) as run,
        _reported(context, subject, "deduplicated", in_batches=True),
    ):
        run(work)
    return done


def _check_of(operation: DeduplicateUpsertKeyOp) -> ValidateUpsertKeyOp:
    return ValidateUpsertKeyOp(
        operation.table_name,
        operation.elements,
        schema=operation.schema,
        where=operation.where,
        nulls=operation.nulls,
        reveal=False,
    )


@redacted
def restore_deduplicated_rows(operations: Operations, operation: RestoreDeduplicatedRowsOp) -> None:
    """Bring the rows back from their archive, or write what does into the script."""
    context = operations.get_context()
    subject = subject_of(context, operation)
    archive = TableName(subject.table.schema, operation.archive_table)
    if context.as_sql:
        call = script_restoration(context.dialect, subject.rows, archive)
        statements = None if call is None else [call]
        write_or_warn(context, statements, label=subject.label, directive=operation.directive)
        return
    with _reported(context, subject, _RESTORED):
        rows = restore(connection_of(context), subject.rows, archive)
        others = () if rows else keys_in_archive(connection_of(context), archive)
    if others:
        log.info(
            "No row of %s is in %s, so none comes back; it has rows of %s",
            subject.label,
            named(context.dialect, *archive),
            ", ".join(others),
        )
    if rows:
        log.info(
            "Restored %s of %s from %s",
            counted(rows, "row"),
            subject.label,
            named(context.dialect, *archive),
        )


@contextmanager
def _reported(
    context: MigrationContext, subject: Subject, done: str, *, in_batches: bool = False
) -> Iterator[None]:
    """Errors of the database and of ours, as those of a directive.

    :param in_batches: what the database says of a batch was reported with what stays done, and a lost connection is
     reported as that.
    """
    try:
        yield
    except DeduplicationError as error:
        detail = f". {error.detail}" if error.detail and subject.reveal else ""
        hint = way_out(error.__cause__, needs=_NEEDS, changes_rows=True)
        raise CommandError(f"{error}{hint}{detail}") from error
    except DBAPIError as error:
        if in_batches:
            raise
        hint = way_out(error, needs=_NEEDS, changes_rows=True, restores=done == _RESTORED)
        raise CommandError(
            f"{subject.label}: the rows could not be {done}, {stays_above(context)}. The database says: "
            f"{message_of(error, reveal=subject.reveal)}{hint}"
        ) from error


_RESTORED = "restored"

_NEEDS = (
    "SELECT and DELETE on the table (with batch_size UPDATE), UPDATE on those that refer to it where references move, "
    "TEMPORARY on the database, and CREATE on the schema of an archive"
)


def _sql(order: str | ClauseElement, dialect: Dialect) -> str:
    return (
        literal_sql(order, dialect) if isinstance(order, ClauseElement) else named(dialect, order)
    )
