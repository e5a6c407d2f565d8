"""Two upgrades at once: one builds, the other waits, stops with the reason, and goes through when it is run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.online.faults import another_session
from tests.online.revisions import ANSWERS, MADE, made, revision
from tests.online.waiting import until

if TYPE_CHECKING:
    from tests.project import Project, Ran

ROWS = "INSERT INTO answers (user_id, question_id) SELECT 1, i FROM generate_series(1, 1000) i"


def two_upgrades(project: Project, *meanwhile: str) -> tuple[Ran, Ran]:
    """The upgrade that went through, and the other; both are at work before the first one can end.

    A snapshot that is held keeps the build from its end.

    :param meanwhile: SQL that is run then.
    """
    with another_session(
        project, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM answers"
    ):
        first = project.begin("upgrade", "head")
        until(project, "SELECT count(*) = 1 FROM pg_stat_progress_create_index")
        second = project.begin("upgrade", "head")
        second.until_it_logs("another upgrade is at work on answers")
        project.sql(*meanwhile)
    finished, stopped = sorted((first.result(), second.result()), key=lambda run: run.code)
    assert (finished.code == 0, stopped.code == 0) == (True, False), (finished.said, stopped.said)
    return finished, stopped


def version(project: Project) -> list[str]:
    return [row[0] for row in project.rows("SELECT version_num FROM alembic_version")]


def test_the_first_revision_of_all(project: Project) -> None:
    """The one that waited names the version, and is a success when it is run again."""
    project.sql(ANSWERS, ROWS)
    revision(project)

    _, stopped = two_upgrades(project)

    assert "another upgrade is at work on answers; in the way: pid" in stopped.said
    assert (
        "another upgrade has brought the database to h01 meanwhile. Nothing was changed here: run the upgrade again"
        in stopped.said
    )
    assert "Traceback" not in stopped.said
    project.upgrade()
    assert made(project) == [MADE]
    assert version(project) == ["h01"]


def test_a_later_revision_with_others_before_it(project: Project) -> None:
    """Of a step that replaces a version the same is so."""
    revision(project, f"op.execute('''{ANSWERS}''')", "op.drop_table('answers')")
    project.upgrade()
    project.sql(ROWS)
    revision(project, number=2)

    _, stopped = two_upgrades(project)

    assert "another upgrade has brought the database to h02 meanwhile" in stopped.said
    project.upgrade()
    assert made(project) == [MADE]
    assert version(project) == ["h02"]


def test_the_one_that_waited_builds_where_the_first_one_failed(project: Project) -> None:
    """No version was written, so nothing stops it."""
    project.sql(ANSWERS, ROWS)
    revision(project)
    _, killed = two_upgrades(
        project, "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index"
    )

    assert "the connection to the database was lost" in killed.said
    assert made(project) == [MADE]
    assert version(project) == ["h01"]


def test_what_the_revision_writes_beside_it_is_never_written_twice(project: Project) -> None:
    """One of the two commits it."""
    project.sql(ANSWERS, ROWS, "CREATE TABLE counted (times int)", "INSERT INTO counted VALUES (0)")
    revision(
        project,
        """
        op.create_unique_constraint_concurrently('uq_answers', 'answers', ['user_id', 'question_id'])
        op.execute('UPDATE counted SET times = times + 1')
        """,
    )

    two_upgrades(project)

    assert project.rows("SELECT times FROM counted") == [(1,)]
    assert version(project) == ["h01"]
