"""Killed at any step, on a table that is written to: the next ``alembic upgrade head`` ends where it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.online.faults import inject_faults, upgrade_with, written_to
from tests.online.revisions import ANSWERS, MADE, UNIQUE, made, revision

if TYPE_CHECKING:
    from tests.project import Project

ROWS = "INSERT INTO answers (user_id, question_id) SELECT 1, i FROM generate_series(1, 500) i"
INVALID = """
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_answers'::regclass
"""

STARTS = {
    "nothing there": [],
    "an INVALID leftover": [
        "CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id)",
        INVALID,
    ],
    "another one to replace": [
        "ALTER TABLE answers ADD CONSTRAINT uq_answers UNIQUE (user_id, question_id) DEFERRABLE"
    ],
    "another index to replace": ["CREATE INDEX uq_answers ON answers (question_id)"],
}


def begin(project: Project, start: str) -> None:
    """The table as it was before the upgrade."""
    project.sql(
        "DROP TABLE IF EXISTS answers",
        ANSWERS,
        ROWS,
        *STARTS[start],
        "DROP TABLE IF EXISTS alembic_version",
    )


def statements_of(project: Project, start: str) -> int:
    """How many statements an upgrade takes that nothing happens to."""
    begin(project, start)
    counted = project.path / "counted"
    counted.unlink(missing_ok=True)
    ran = upgrade_with(project, "count", counted=str(counted))
    assert ran.code == 0, ran.said
    return len(counted.read_text().splitlines())


def leftovers(project: Project) -> list[str]:
    return [
        row[0]
        for row in project.rows("""
            SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = 'answers'::regclass AND c.relname NOT IN ('uq_answers', 'answers_pkey')
        """)
    ]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("fault", ["kill", "terminate"])
def test_stopped_before_any_statement_the_next_run_resumes(
    project: Project, fault: str, start: str
) -> None:
    """A killed process and a terminated session, before each statement in turn; writers lose nothing."""
    replace = "" if "replace" not in start else ", replace=True"
    revision(project, UNIQUE.replace(")", f"{replace})"))
    inject_faults(project)
    count = statements_of(project, start)
    assert count > 10
    for number in range(1, count + 1):
        begin(project, start)
        with written_to(project) as writer:
            stopped = upgrade_with(project, f"{fault}:{number}")
            assert stopped.code != 0, stopped.said
            # a connection that is lost while Alembic itself is at work is Alembic's to report
            assert "migration/toimpl/concurrent.py" not in stopped.err, stopped.err
            again = upgrade_with(project, "")
            assert again.code == 0, f"before statement {number}: {again.said}"
        assert made(project) == [MADE], f"before statement {number}"
        assert leftovers(project) == [], f"before statement {number}"
        assert writer.failed == []
        assert project.rows("SELECT count(*) FROM answers") == [(500 + writer.acknowledged,)]
