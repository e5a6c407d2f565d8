"""Alembic's own operations, in a revision that anybody wrote: what they make unique is reported as ours is."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from alembic.operations.ops import AddColumnOp
from alembic.util import CommandError
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ...catalog.reading import rolled_back
from ...databases import database_for
from ...sqltext import named
from ..context import (
    connection_of,
    is_plugin_on,
    reveals_all,
    validates_all,
    validation_enabled,
)
from ..options import refuse_wrong_options
from .asked_builds import asked_builds
from .build_race import watch_any_build
from .keys import report_on
from .removed_arbiters import note_arbiters
from .resumption import is_done_already
from .running_build import AnyBuild
from .script_checks import check_builds
from .subject import subject_of
from .unique_build import check_of
from .violations import violation_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import IntegrityError

    from ...findings import RowsReport
    from .unique_build import UniqueBuild

__all__ = ["watched"]


def watched(implementation: Callable[..., Any]) -> Callable[..., Any]:
    """Return the implementation of an operation, before which the connection comes to be watched.

    The operation itself is run by `implementation`, whoever registered that. Nothing is watched where the
    plugin is switched off, and under ``-x upsert_guard_validate=off``.
    """

    @wraps(implementation)
    def watch_and_run(operations: Operations, operation: Any) -> Any:
        context = operations.get_context()
        if is_plugin_on(context):
            refuse_wrong_options(context)
            if context.as_sql:
                _check_in_script(context)
            elif context.connection is not None:
                _watch(context, operation)
                note_arbiters(operations, operation)
        try:
            return implementation(operations, operation)
        except DBAPIError:
            if not _is_done_already(context, operation):
                raise
            return None

    return watch_and_run


def _is_done_already(context: MigrationContext, operation: Any) -> bool:
    if context.as_sql or context.connection is None or not is_plugin_on(context):
        return False
    try:
        return is_done_already(context, operation)
    except SQLAlchemyError:
        return False


def _check_in_script(context: MigrationContext) -> None:
    if validates_all(context) and validation_enabled(context):
        check_builds(context)


def _watch(context: MigrationContext, operation: Any) -> None:
    checks = validates_all(context)
    if not validation_enabled(context):
        return

    def reported(build: UniqueBuild) -> RowsReport | None:
        report = _report(context, build)
        adds = isinstance(operation, AddColumnOp) and build.columns == frozenset(
            {operation.column.name}
        )
        return report and replace(report, adds_column=adds)

    def refused(build: UniqueBuild, outside: bool, error: IntegrityError) -> Any:
        report = reported(build)
        if report is None:
            return None
        left = build.concurrently if outside else None
        left = None if left is None else named(context.dialect, build.schema, left)
        copy = None if build.copy is None else named(context.dialect, build.schema, build.copy)
        report = replace(report, left_behind=left, left_copy=copy, autocommit=outside)
        return violation_of(context, report, error)

    def check(build: UniqueBuild) -> None:
        report = reported(build)
        if report is not None:
            raise violation_of(context, report)

    def asked(sql: str, has_failed: bool) -> tuple[UniqueBuild, ...]:
        return asked_builds(context, sql, has_failed=has_failed)

    builds = AnyBuild(
        refusal=refused,
        check=check if checks else None,
        asked=asked,
        reveal=reveals_all(context),
    )
    watch_any_build(connection_of(context), builds)


def _report(context: MigrationContext, build: UniqueBuild) -> RowsReport | None:
    """What the rows have against the build; None: nothing, or they cannot be read, and the database has its say."""
    connection = connection_of(context)
    key = check_of(build)
    in_a_savepoint = database_for(connection.dialect).errors_end_transactions
    try:
        with rolled_back(connection) if in_a_savepoint else nullcontext():
            if build.copies and not _is_new(connection, build):
                return None
            report = report_on(context, key, subject_of(context, key))
    except (CommandError, SQLAlchemyError):
        return None
    return replace(report, created=build.label) if report.groups else None


def _is_new(connection: Connection, build: UniqueBuild) -> bool:
    """Whether the table that a batch copies has the columns, and is not unique by them already."""
    inspector = inspect(connection)
    table = (build.table_name, build.schema)
    columns = {column["name"] for column in inspector.get_columns(*table)}
    unique = [
        inspector.get_pk_constraint(*table)["constrained_columns"],
        *(each["column_names"] for each in inspector.get_unique_constraints(*table)),
    ]
    wanted = build.columns
    return wanted is not None and wanted <= columns and wanted not in map(frozenset, unique)
