"""Waiting until the database is as a test needs it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.project import Project


def until(project: Project, question: str) -> None:
    """Wait until the database answers `question` with true; it has no event for what its views show."""
    for _ in range(600):
        if project.rows(question) == [(True,)]:
            return
        time.sleep(0.05)
    sessions = project.rows("SELECT pid, state, wait_event, query FROM pg_stat_activity")
    raise AssertionError("\n".join((question, *map(str, sessions))))


def until_the_build_waits(project: Project, seconds: float = 0) -> None:
    """Wait until a statement that is CONCURRENTLY, and was sent so long ago, waits for other sessions."""
    until(
        project,
        "SELECT count(*) > 0 FROM pg_stat_activity "
        "WHERE query LIKE '% CONCURRENTLY %' AND wait_event = 'virtualxid' AND datname = current_database() "
        f"AND clock_timestamp() - query_start > interval '{seconds} s'",
    )
