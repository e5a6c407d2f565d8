"""How the directives run: online against the connection, offline into the script."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from alembic.util import CommandError, messaging
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from ..catalog import TableName, catalog_for
from ..catalog.messages import message_of
from ..catalog.reading import commits_each_statement
from ..catalog.script import script_verification
from ..errors import DeduplicationError, HiddenRowsError
from ..findings import (
    NULL_ROWS_HINT,
    counted,
    deferrable_fact,
    describe_key,
    null_rows_fact,
    sentences,
    suggest_directives,
    violation_text,
)
from ..inference import MYSQL_FAMILY, ConflictTarget, Element
from ..rows import (
    RowsOfKey,
    Surplus,
    can_deduplicate,
    deduplicate,
    listing_sql,
    read_rows,
    restore,
    script_check,
    script_deduplication,
    script_restoration,
)
from ..sqltext import ended, literal_sql, named
from .arrivals import watch_builds
from .operations import ValidateUpsertKeyOp, source_of
from .redaction import redacted, reveals
from .scripts import write_as_written
from .violation import UpsertKeyViolation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alembic.operations import MigrateOperation, Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.sql.elements import TextClause

    from ..findings import RowsReport
    from .operations import (
        DeduplicateUpsertKeyOp,
        RestoreDeduplicatedRowsOp,
        UpsertKeyOp,
        VerifyUpsertKeyOp,
    )

__all__ = [
    "LOGGER",
    "SWITCH",
    "deduplicate_upsert_key",
    "do_nothing",
    "refused_rows",
    "restore_deduplicated_rows",
    "table_of",
    "target_of",
    "validate_upsert_key",
    "verify_upsert_key",
    "write",
]

LOGGER = "alembic.autogenerate.upsert_guard"
"""Under ``alembic``: the logging configuration of Alembic's templates silences every other logger."""

SWITCH = "upsert_guard_validate"
"""The ``-x`` argument that turns the check of the rows off."""

log = logging.getLogger(LOGGER)


@redacted
def validate_upsert_key(operations: Operations, operation: ValidateUpsertKeyOp) -> None:
    """Run or write down the check of the rows."""
    context = operations.get_context()
    key = _key(context, operation)
    told = _told(context.dialect, key.table, key.target)
    write_as_written(context, operation.table_name, operation.schema)
    if not _is_on(context):
        log.warning("Skipped the check of the rows of %s: -x %s=off", told, SWITCH)
        if context.as_sql:
            write(context, f"-- {told}: the check of the rows is skipped, -x {SWITCH}=off")
        elif not reveals(context, operation):
            # the database's own refusal has the key of a row in its details
            _watch_builds(context, _connection(operations), operation, arrived=False)
        return
    if context.as_sql:
        _write_check(context, key, told)
        return
    connection = _connection(operations)
    report = _report(connection, key, operation, told, reveal=reveals(context, operation))
    if report.refuses:
        stays = commits_each_statement(connection)
        raise _violation(context, replace(report, autocommit=stays))
    if report.doubt is not None:
        log.warning(
            "%s: the rows were not checked: %s. The build of the index decides", told, report.doubt
        )
    if report.null_rows and report.nulls == "warn":
        log.warning("%s: %s", told, sentences(null_rows_fact(report.null_rows), NULL_ROWS_HINT))
    _watch_builds(context, connection, operation, arrived=True)


def _watch_builds(
    context: MigrationContext,
    connection: Connection,
    operation: ValidateUpsertKeyOp,
    *,
    arrived: bool,
) -> None:
    """Report what the database refuses below the directive as ours.

    :param arrived: whether the rows were read before, so that those that break the key came later.
    """
    key = _key(context, operation)
    told = _told(context.dialect, key.table, key.target)
    reveal = reveals(context, operation)

    def refused(left_behind: str | None) -> UpsertKeyViolation | None:
        report = _report(connection, key, operation, told, reveal=reveal)
        if left_behind is not None:
            left_behind = named(context.dialect, key.table.schema, left_behind)
        report = replace(report, arrived=arrived, left_behind=left_behind)
        return _violation(context, report) if report.refuses else None

    columns = [element for element in operation.elements if isinstance(element, str)]
    watch_builds(
        connection,
        operation.table_name,
        operation.schema,
        frozenset(columns) if len(columns) == len(operation.elements) else None,
        refused,
        subject=told,
        reveal=reveal,
    )


def _report(
    connection: Connection,
    key: RowsOfKey,
    operation: ValidateUpsertKeyOp,
    told: str,
    *,
    reveal: bool,
) -> RowsReport:
    try:
        report = read_rows(connection, key, sample=operation.sample, reveal=reveal)
    except HiddenRowsError as error:
        raise CommandError(f"{told}: the rows could not be checked: {error}") from error
    except DBAPIError as error:
        raise CommandError(
            f"{told}: the rows could not be checked, nothing was changed. The database says: "
            f"{message_of(error, reveal=reveal)}"
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
    )
    return replace(report, suggested=suggested)


def refused_rows(
    context: MigrationContext,
    connection: Connection,
    operation: ValidateUpsertKeyOp,
    *,
    left_behind: str | None,
) -> UpsertKeyViolation | None:
    """Return the refusal of the rows that are there now; None: they hold.

    :param left_behind: the INVALID index that a build has left, None for none.
    """
    key = _key(context, operation)
    told = _told(context.dialect, key.table, key.target)
    report = _report(connection, key, operation, told, reveal=reveals(context, operation))
    return _violation(context, replace(report, left_behind=left_behind)) if report.refuses else None


def _violation(context: MigrationContext, report: RowsReport) -> UpsertKeyViolation:
    report = replace(report, commits_ddl=context.dialect.name in MYSQL_FAMILY)
    folded = _folds_errors(context)
    if folded:
        log.error("%s", violation_text(report))
    return UpsertKeyViolation(report, shown_already=folded)


@redacted
def deduplicate_upsert_key(operations: Operations, operation: DeduplicateUpsertKeyOp) -> None:
    """Leave one row of each key, or write down what does."""
    context = operations.get_context()
    key = _key(context, operation)
    surplus = Surplus(
        key=key,
        keep=operation.keep,
        order_by=tuple(_sql(order, context.dialect) for order in operation.order_by),
        archive=_archive(key, operation.archive_table),
        repoint=operation.repoint,
    )
    told = _told(context.dialect, key.table, key.target)
    if context.as_sql:
        write_as_written(context, operation.table_name, operation.schema)
        block = script_deduplication(context.dialect, surplus)
        _write_or_warn(context, None if block is None else [block], told, operation)
        return
    with _told_as_command_error(told, "deduplicated", reveal=reveals(context, operation)):
        done = deduplicate(_connection(operations), surplus)
    if done.rows:
        went = (
            "deleted"
            if surplus.archive is None
            else f"moved to {named(context.dialect, *surplus.archive)}"
        )
        repointed = "".join(
            f"; {count} references of {name} moved" for name, count in done.repointed
        )
        log.info(
            "Deduplicated %s: %s %s%s", told, counted(done.rows, "surplus row"), went, repointed
        )
    if not reveals(context, operation):
        # what is made unique below it may have no check of its own
        check = ValidateUpsertKeyOp(
            operation.table_name,
            operation.elements,
            schema=operation.schema,
            where=operation.where,
            nulls=operation.nulls,
            reveal=False,
        )
        _watch_builds(context, _connection(operations), check, arrived=False)


@redacted
def restore_deduplicated_rows(operations: Operations, operation: RestoreDeduplicatedRowsOp) -> None:
    """Bring the rows back from their archive, or write down what does."""
    context = operations.get_context()
    key = RowsOfKey(
        table=_table(context, operation), target=_target(operation, context.dialect), nulls="warn"
    )
    archive = TableName(key.table.schema, operation.archive_table)
    told = _told(context.dialect, key.table, key.target)
    if context.as_sql:
        block = script_restoration(context.dialect, key, archive)
        _write_or_warn(context, None if block is None else [block], told, operation)
        return
    with _told_as_command_error(told, "restored", reveal=reveals(context, operation)):
        rows = restore(_connection(operations), key, archive)
    if rows:
        log.info(
            "Restored %s of %s from %s",
            counted(rows, "row"),
            told,
            named(context.dialect, *archive),
        )


def _archive(key: RowsOfKey, name: str | None) -> TableName | None:
    return None if name is None else TableName(key.table.schema, name)


@contextmanager
def _told_as_command_error(told: str, done: str, *, reveal: bool) -> Iterator[None]:
    try:
        yield
    except DeduplicationError as error:
        raise CommandError(str(error)) from error
    except DBAPIError as error:
        raise CommandError(
            f"{told}: the rows could not be {done}, nothing was changed. The database says: "
            f"{message_of(error, reveal=reveal)}"
        ) from error


def _write_or_warn(
    context: MigrationContext,
    statements: Sequence[str] | None,
    told: str,
    operation: UpsertKeyOp,
) -> None:
    if statements is not None:
        for statement in statements:
            write(context, statement)
        return
    dialect = context.dialect.name
    log.warning(
        "%s: a script for %s cannot do what op.%s does; run it online",
        told,
        dialect,
        operation.directive,
    )
    write(
        context,
        f"-- {told}: op.{operation.directive} is left out, a script for {dialect} cannot do it",
    )


@redacted
def verify_upsert_key(operations: Operations, operation: VerifyUpsertKeyOp) -> None:
    """Ask the database for the arbiters of the key, or write the question down."""
    context = operations.get_context()
    dialect = context.dialect
    table = _table(context, operation)
    target = _target(operation, dialect)
    told = _told(dialect, table, target)
    catalog = catalog_for(dialect.name)
    if catalog is None:
        raise CommandError(
            f"{told} cannot be verified: {dialect.name} is not a database that we can ask"
        )
    if context.as_sql:
        statements = script_verification(dialect, table, target)
        _write_or_warn(context, statements, told, operation)
        return
    inferred = catalog.infer(_connection(operations), table, target)
    if inferred.deferrable:
        raise CommandError(
            f"{told} is not verified: {deferrable_fact(', '.join(inferred.deferrable))}. Make it anew without "
            "DEFERRABLE, in this revision above the verification"
        )
    words = inferred.refusal or inferred.doubt
    if words is not None:
        witness = "Its catalog" if inferred.by_catalog else "The database"
        raise CommandError(
            f"{told} is not verified. {witness} says: {words}. Make the arbiter in this revision, above the "
            "verification"
        )


def _key(
    context: MigrationContext, operation: ValidateUpsertKeyOp | DeduplicateUpsertKeyOp
) -> RowsOfKey:
    return RowsOfKey(
        table=_table(context, operation),
        target=_target(operation, context.dialect),
        nulls=operation.nulls,
    )


def _table(context: MigrationContext, operation: UpsertKeyOp) -> TableName:
    return table_of(context, operation.table_name, operation.schema)


def do_nothing(_: Operations, __: MigrateOperation) -> None:
    """Change nothing: whoever invokes produced operations and writes no script meets comments among them."""


def table_of(context: MigrationContext, name: str, schema: str | None) -> TableName:
    """Return the table that Alembic's own directives would touch: SQL of ours does not pass SQLAlchemy's schema map."""
    if not context.as_sql and context.connection is not None:
        translated = context.connection.get_execution_options().get("schema_translate_map") or {}
        schema = translated.get(schema, schema)
    return TableName(schema, name)


def _target(operation: UpsertKeyOp, dialect: Dialect) -> ConflictTarget:
    return target_of(operation.elements, operation.where, dialect)


def target_of(
    elements: Sequence[str | TextClause], where: str | TextClause | None, dialect: Dialect
) -> ConflictTarget:
    """Return a directive's elements and predicate as SQL."""
    return ConflictTarget(
        tuple(
            Element(expression=literal_sql(element, dialect))
            if isinstance(element, ClauseElement)
            else Element(column=element)
            for element in elements
        ),
        literal_sql(where, dialect)
        if isinstance(where, ClauseElement)
        else None
        if where is None
        else ended(where),
    )


def _sql(order: str | ClauseElement, dialect: Dialect) -> str:
    return (
        literal_sql(order, dialect) if isinstance(order, ClauseElement) else named(dialect, order)
    )


def _told(dialect: Dialect, table: TableName, target: ConflictTarget) -> str:
    return describe_key(named(dialect, *table), target.labels, target.predicate)


def _is_on(context: MigrationContext) -> bool:
    if context.environment_context is None:
        return True
    arguments = context.environment_context.get_x_argument(as_dictionary=True)
    stated = arguments.get(SWITCH, "on")
    if stated not in ("on", "off"):
        raise CommandError(
            f"-x {SWITCH}={stated} is not known: write -x {SWITCH}=off, or leave it away"
        )
    return bool(stated == "on")


def _folds_errors(context: MigrationContext) -> bool:
    """Whether the ``alembic`` command would fold the report into one paragraph, as it does on a terminal."""
    at_the_command_line = getattr(context.config, "cmd_opts", None) is not None
    return at_the_command_line and messaging.TERMWIDTH is not None


def _write_check(context: MigrationContext, key: RowsOfKey, told: str) -> None:
    statements = script_check(context.dialect, key)
    if statements is None:
        log.warning(
            "%s: a script for %s cannot refuse; run the SELECT in its comment first",
            told,
            context.dialect.name,
        )
        listing = listing_sql(context.dialect, key)
        write(
            context,
            f"-- {told} must hold before the next statement; this lists the rows that break it:\n-- {listing}",
        )
        return
    for statement in statements:
        write(context, statement)


def write(context: MigrationContext, statement: str) -> None:
    """Write a statement, or a comment, into the script."""
    # past text(), in which colons and per cent signs of names and SQL would have to be escaped
    comment = statement.startswith("--")
    terminator = "" if comment else context.impl.command_terminator
    context.impl.static_output(statement + terminator)


def _connection(operations: Operations) -> Connection:
    bind: Connection = operations.get_bind()
    return bind
