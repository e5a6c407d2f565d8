"""Waiting until the database is as a test needs it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.project import Project


def until(project: Project, question: str) -> None:
    """Wait until the database answers `question` with true."""
    for _ in range(400):
        if project.rows(question) == [(True,)]:
            return
        time.sleep(0.05)
    raise AssertionError(question)


def until_the_build_waits(project: Project, seconds: float = 0) -> None:
    """Wait until a statement that is CONCURRENTLY waits for other sessions, and then for so long."""
    until(
        project,
        "SELECT count(*) > 0 FROM pg_stat_activity "
        "WHERE query LIKE '% CONCURRENTLY %' AND wait_event = 'virtualxid' AND datname = current_database()",
    )
    time.sleep(seconds)
