"""A report of given findings, as the formats take it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from alembic_upsert_guard.findings import DatabaseFacts, Run, RunReport

if TYPE_CHECKING:
    from alembic_upsert_guard.findings import Finding

__all__ = ["report_of"]

RUN = Run(
    version="1.2.3",
    site="https://guard.example/",
    command="check",
    started=datetime(2026, 11, 28, 12, 0, 1, tzinfo=timezone.utc),
    databases=(DatabaseFacts("postgresql", "18.1", "shop"),),
)


def report_of(*findings: Finding, suppressed: tuple[Finding, ...] = ()) -> RunReport:
    return RunReport(run=RUN, findings=findings, suppressed=suppressed, subject="1 upsert key")
