"""What is raised of rows that break a key: the report, and with it what else the next upgrades would refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from ...errors import UpsertGuardError
from ...findings import violation_text
from ...verdict.broken import broken_keys
from ..context import connection_of, declaring_metadata, log, prints_folded
from ..violation import UniqueBuildViolation, UpsertKeyViolation
from .committed_ddl import commits_ddl

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.exc import IntegrityError

    from ...findings import RowsReport

__all__ = ["violation_of"]


def violation_of(
    context: MigrationContext, report: RowsReport, error: IntegrityError | None = None
) -> UpsertKeyViolation:
    """Return what is raised of the report, which a terminal has seen then.

    :param error: the database's, in whose place it is raised; None: the rows were read before anything was done.
    """
    report = replace(report, commits_ddl=commits_ddl(context))
    broken = _other_broken_keys(context, report) if report.groups else []
    key = _identity(report)
    report = replace(report, place=next((b.place for b in broken if b.table == report.table), 0))
    others = [each for each in broken if _identity(each) != key]
    folded = prints_folded(context)
    if folded:
        log.error("%s", violation_text(report, others))
    if error is not None:
        return UniqueBuildViolation(report, error, others=others, shown_already=folded)
    return UpsertKeyViolation(report, others=others, shown_already=folded)


def _other_broken_keys(context: MigrationContext, report: RowsReport) -> list[RowsReport]:
    """Return what the rows break besides, so that it is fixed at once; none where the database cannot be asked."""
    sample = max(len(report.sample), 1)
    try:
        return broken_keys(
            connection_of(context),
            declaring_metadata(context),
            sample=sample,
            reveal=report.reveal,
        )
    except (SQLAlchemyError, UpsertGuardError):
        return []


def _identity(report: RowsReport) -> tuple[str, frozenset[str], str | None]:
    return report.table, frozenset(report.elements), report.where
