"""Revisions that people wrote, as public reports describe them: the rows are reported, and fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.rows.test_any_revision import write

if TYPE_CHECKING:
    from tests.project import Project


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was there, what the revision did, and what is said of it."""

    database: tuple[str, ...]
    operation: str
    said: str
    order_by: str
    upsert: str


PENDING = Report(
    database=(
        """CREATE TABLE pending_records (
            id serial PRIMARY KEY, email_id uuid NOT NULL, retry int, create_timestamp timestamptz NOT NULL,
            update_timestamp timestamptz NOT NULL)""",
        """INSERT INTO pending_records (email_id, create_timestamp, update_timestamp)
            SELECT CAST(lpad(CAST(n / 2 AS text), 32, '0') AS uuid), '2023-09-01',
                   timestamptz '2023-09-01' + n * interval '1 hour'
            FROM generate_series(2, 5) n""",
    ),
    operation="op.create_unique_constraint('uix_pr_email_id', 'pending_records', ['email_id'])",
    said=(
        "unique constraint uix_pr_email_id on pending_records (email_id) cannot be created: "
        "2 duplicate groups, 2 surplus rows"
    ),
    order_by="['update_timestamp']",
    upsert="""INSERT INTO pending_records (email_id, create_timestamp, update_timestamp)
              VALUES ('00000000-0000-0000-0000-000000000001', now(), now()) ON CONFLICT (email_id) DO NOTHING""",
)
"""https://github.com/mozilla-it/ctms-api/issues/832: an e-mail was pending twice, and the upgrade a traceback."""

BRIDGE = Report(
    database=(
        "CREATE TABLE flag_bridge (id bigserial PRIMARY KEY, test_id text NOT NULL, flag_id bigint NOT NULL)",
        "INSERT INTO flag_bridge (test_id, flag_id) SELECT 't' || n % 20, 7 FROM generate_series(1, 36) n",
    ),
    operation="op.create_unique_constraint('uq_bridge', 'flag_bridge', ['test_id', 'flag_id'])",
    said=(
        "unique constraint uq_bridge on flag_bridge (test_id, flag_id) cannot be created: "
        "16 duplicate groups, 16 surplus rows"
    ),
    order_by="['id']",
    upsert="""INSERT INTO flag_bridge (test_id, flag_id) VALUES ('t1', 7)
              ON CONFLICT (test_id, flag_id) DO NOTHING""",
)
"""https://github.com/codecov/shared/pull/414: 16 duplicates at a customer, after which ON CONFLICT failed as well."""

JOBS = Report(
    database=(
        """CREATE TABLE verification_jobs (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id int NOT NULL, requirement_id text NOT NULL,
            result_submission_id int, created_at timestamptz NOT NULL)""",
        """INSERT INTO verification_jobs (user_id, requirement_id, created_at)
            SELECT 1, 'r', timestamptz '2026-05-01' + n * interval '1 minute' FROM generate_series(1, 12) n""",
    ),
    operation=(
        "op.create_index('uq_jobs', 'verification_jobs', ['user_id', 'requirement_id'], unique=True, "
        "postgresql_where=sa.text('result_submission_id IS NULL'))"
    ),
    said=(
        "unique index uq_jobs on verification_jobs (user_id, requirement_id) WHERE result_submission_id IS NULL "
        "cannot be created: 1 duplicate group, 11 surplus rows"
    ),
    order_by="['created_at']",
    upsert="""INSERT INTO verification_jobs (user_id, requirement_id, created_at) VALUES (1, 'r', now())
              ON CONFLICT (user_id, requirement_id) WHERE result_submission_id IS NULL DO NOTHING""",
)
"""https://github.com/learntocloud/learn-to-cloud-app/pull/445: 11 rows older than the index, unseen for 8 days."""


@pytest.mark.parametrize(
    "report", [PENDING, BRIDGE, JOBS], ids=["ctms-api#832", "shared#414", "learn-to-cloud-app#445"]
)
def test_what_people_reported_is_refused_with_the_line_that_fixes_it(
    project: Project, report: Report
) -> None:
    """No traceback; with the line pasted the revision goes through, and so does the upsert that had failed."""
    project.sql(*report.database)
    write(project, report.operation)
    ran = project.alembic("upgrade", "head")
    assert f"FAILED: {report.said}" in ran.out, ran.said
    assert "Traceback" not in ran.said

    (line,) = (each.strip() for each in ran.out.splitlines() if "op.deduplicate" in each)
    assert f"order_by={report.order_by}" in line
    write(project, line, report.operation)
    project.upgrade()
    project.sql(report.upsert)
