"""Ctrl-C while a build waits: the server cancels it at once, and nothing is left that the next run cannot use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.online.faults import another_session
from tests.online.revisions import ANSWERS, MADE, made, revision
from tests.online.waiting import until, until_the_build_waits

if TYPE_CHECKING:
    from tests.project import Project

OLD_SNAPSHOT = ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM pg_class")
WRITER = ("BEGIN", "INSERT INTO answers (user_id, question_id) VALUES (1, 1)")
NO_BUILD = "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE INDEX CONC%'"


def interrupted(project: Project, driver: str) -> tuple[int, str]:
    """The exit code of the upgrade, and what it said, after one SIGINT while its build waits."""
    url = project.url.replace("postgresql+psycopg2", f"postgresql+{driver}")
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=project.path,
        env={**os.environ, "PROJECT_URL": url, "PYTHONPATH": "."},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until_the_build_waits(project, 0.5)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, said


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_nothing_is_left_where_nobody_holds_the_table(project: Project, driver: str) -> None:
    """The build waits for an old snapshot; the upgrade ends as any interrupted Python does, and runs again."""
    project.sql(ANSWERS, "INSERT INTO answers (user_id, question_id) VALUES (7, 7)")
    revision(project)
    with another_session(project, *OLD_SNAPSHOT):
        code, said = interrupted(project, driver)
        until(project, NO_BUILD)
        assert made(project) == []
    assert code == -signal.SIGINT
    assert "interrupted building uq_answers: nothing is left of it" in said
    assert "KeyboardInterrupt" in said

    project.upgrade()
    assert made(project) == [MADE]


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_what_is_left_where_somebody_holds_the_table_is_said(project: Project, driver: str) -> None:
    """A writer keeps the INVALID index from being dropped in a moment; the next run does it."""
    project.sql(ANSWERS)
    revision(project)
    with another_session(project, *WRITER):
        code, said = interrupted(project, driver)
        until(project, NO_BUILD)
        assert [line.rpartition(" ")[2] for line in made(project)] == ["INVALID"]
    assert code == -signal.SIGINT
    assert "the INVALID index uq_answers is left, and the next run drops it" in said

    project.upgrade()
    assert made(project) == [MADE]
