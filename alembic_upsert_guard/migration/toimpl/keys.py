"""How the directives that change nothing run: the check of the rows, and the question for the arbiter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from ...catalog import catalog_for
from ...catalog.messages import message_of
from ...catalog.reading import commits_each_statement
from ...catalog.script import script_verification
from ...databases import database_for
from ...errors import HiddenRowsError
from ...findings import (
    NULL_ROWS_HINT,
    deferrable_fact,
    null_rows_fact,
    sentences,
    suggest_directives,
)
from ...rows import can_deduplicate, is_referred_to, read_rows
from ...sqltext import named
from ...verdict.inferred import inferred_arbiters
from ..context import (
    VALIDATE_SWITCH,
    connection_of,
    log,
    metadata_of,
    validation_enabled,
)
from ..operations import source_of
from .build_race import watch_builds
from .committed_ddl import stays_above
from .redaction import redacted
from .running_build import CheckedKey
from .script import write, write_as_written, write_or_warn
from .script_checks import write_check
from .subject import subject_of
from .violations import violation_of
from .way_out import way_out

if TYPE_CHECKING:
    from alembic.operations import MigrateOperation, Operations
    from alembic.runtime.migration import MigrationContext

    from ...findings import RowsReport
    from ..operations import ValidateUpsertKeyOp, VerifyUpsertKeyOp
    from ..violation import UpsertKeyViolation
    from .subject import Subject

__all__ = [
    "do_nothing",
    "refused_rows",
    "report_on",
    "validate_upsert_key",
    "verify_upsert_key",
    "watch_key",
]


@redacted
def validate_upsert_key(operations: Operations, operation: ValidateUpsertKeyOp) -> None:
    """Check the rows, or write the check into the script."""
    context = operations.get_context()
    subject = subject_of(context, operation)
    write_as_written(context, operation.table_name, operation.schema)
    if not validation_enabled(context):
        _skip(context, operation, subject)
    elif context.as_sql:
        write_check(context, operation, subject, subject.label)
    else:
        _check(context, operation, subject)


def _skip(context: MigrationContext, operation: ValidateUpsertKeyOp, subject: Subject) -> None:
    log.warning("Skipped the check of the rows of %s: -x %s=off", subject.label, VALIDATE_SWITCH)
    if context.as_sql:
        write(
            context,
            f"-- {subject.label}: the check of the rows is skipped, -x {VALIDATE_SWITCH}=off",
        )
    elif not subject.reveal:
        # the database's own refusal has the key of a row in its details
        watch_key(context, operation, subject, checked=False)


def _check(context: MigrationContext, operation: ValidateUpsertKeyOp, subject: Subject) -> None:
    connection = connection_of(context)
    report = report_on(context, operation, subject)
    if report.refuses:
        stays = commits_each_statement(connection)
        raise violation_of(context, replace(report, autocommit=stays))
    if report.doubt is not None:
        log.warning(
            "%s: the rows were not checked: %s. The build of the index decides",
            subject.label,
            report.doubt,
        )
    if report.null_rows and report.nulls == "warn":
        log.warning(
            "%s: %s", subject.label, sentences(null_rows_fact(report.null_rows), NULL_ROWS_HINT)
        )
    watch_key(context, operation, subject, checked=True)


def watch_key(
    context: MigrationContext, operation: ValidateUpsertKeyOp, subject: Subject, *, checked: bool
) -> None:
    """Report what the database refuses below the directive as ours.

    :param checked: whether the rows were read before, so that those that break the key came later.
    """
    connection = connection_of(context)

    def refused(left_behind: str | None) -> UpsertKeyViolation | None:
        report = report_on(context, operation, subject)
        if left_behind is not None:
            left_behind = named(context.dialect, subject.table.schema, left_behind)
        report = replace(report, arrived=checked, left_behind=left_behind)
        return violation_of(context, report) if report.refuses else None

    columns = [element for element in operation.elements if isinstance(element, str)]
    key = CheckedKey(
        table=(operation.schema, operation.table_name),
        columns=frozenset(columns) if len(columns) == len(operation.elements) else None,
        refusal=refused,
        label=subject.label,
        reveal=subject.reveal,
        checked=checked,
    )
    watch_builds(connection, key)


def report_on(
    context: MigrationContext, operation: ValidateUpsertKeyOp, subject: Subject
) -> RowsReport:
    """Return what the rows have against the key, with the lines that fix them where there are any.

    :raises CommandError: they cannot be read.
    """
    connection = connection_of(context)
    try:
        report = read_rows(connection, subject.rows, sample=operation.sample, reveal=subject.reveal)
    except HiddenRowsError as error:
        raise CommandError(f"{subject.label}: the rows could not be checked: {error}") from error
    except DBAPIError as error:
        raise CommandError(
            f"{subject.label}: the rows could not be checked, {stays_above(context)}. The database says: "
            f"{message_of(error, reveal=subject.reveal)}{way_out(error, needs='SELECT on the table')}"
        ) from error
    if not report.groups or not can_deduplicate(connection.dialect):
        return report
    suggested = suggest_directives(
        operation.table_name,
        [source_of(element) for element in operation.elements],
        schema=operation.schema,
        where=None if operation.where is None else source_of(operation.where),
        nulls=operation.nulls,
        order_by=report.order_by,
        repoint=is_referred_to(metadata_of(context), operation.schema, operation.table_name),
    )
    return replace(report, suggested=suggested)


def refused_rows(
    context: MigrationContext,
    operation: ValidateUpsertKeyOp,
    *,
    left_behind: str | None,
    builds_after_deduplication: int,
) -> UpsertKeyViolation | None:
    """Return the refusal of the rows that are there now; None: they hold.

    :param left_behind: the INVALID index that a build has left, None for none.
    :param builds_after_deduplication: builds that met them though the revision had deduplicated the key before each.
    """
    report = report_on(context, operation, subject_of(context, operation))
    report = replace(
        report, left_behind=left_behind, builds_after_deduplication=builds_after_deduplication
    )
    return violation_of(context, report) if report.refuses else None


@redacted
def verify_upsert_key(operations: Operations, operation: VerifyUpsertKeyOp) -> None:
    """Ask the database for the arbiters of the key, or write the question into the script."""
    context = operations.get_context()
    subject = subject_of(context, operation)
    label = subject.label
    if catalog_for(context.dialect) is None:
        raise CommandError(
            f"{label} cannot be verified: {database_for(context.dialect).name} is not a database that we can ask"
        )
    if context.as_sql:
        statements = script_verification(context.dialect, subject.table, subject.target)
        write_or_warn(context, statements, label=label, directive=operation.directive)
        return
    inferred = inferred_arbiters(connection_of(context), subject.table, subject.target)
    if inferred.deferrable:
        raise CommandError(
            f"{label} is not verified: {deferrable_fact(', '.join(inferred.deferrable))}. "
            "Create it without DEFERRABLE, in this revision above the verification"
        )
    reason = inferred.refusal or inferred.doubt
    if reason is not None:
        witness = "Its catalog" if inferred.by_catalog else "The database"
        raise CommandError(
            f"{label} is not verified. {witness} says: {reason}. Create the arbiter in this revision, above the "
            "verification"
        )


def do_nothing(_: Operations, __: MigrateOperation) -> None:
    """Change nothing: where produced operations are invoked and not written, comments are among them."""
