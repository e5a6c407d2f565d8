"""Two upgrades at once: one builds, the other waits, finds it done, and goes through as well."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.online.faults import another_session
from tests.online.revisions import ANSWERS, MADE, made, revision
from tests.online.waiting import until

if TYPE_CHECKING:
    from tests.project import Project, Ran

ROWS = "INSERT INTO answers (user_id, question_id) SELECT 1, i FROM generate_series(1, 1000) i"


def two_upgrades(project: Project) -> tuple[Ran, Ran]:
    """Both are at work before the first one can end: a snapshot that is held keeps the build from its end."""
    with ThreadPoolExecutor(2) as pool:
        with another_session(
            project, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM answers"
        ):
            runs = [
                pool.submit(project.python, "-m", "alembic", "upgrade", "head") for _ in range(2)
            ]
            until(project, "SELECT count(*) = 1 FROM pg_stat_progress_create_index")
            until(
                project,
                "SELECT count(*) = 2 FROM pg_stat_activity WHERE query ~ 'advisory|CONCURRENTLY'"
                " AND pid <> pg_backend_pid()",
            )
        first, second = (run.result() for run in runs)
    return first, second


def version(project: Project) -> list[str]:
    return [row[0] for row in project.rows("SELECT version_num FROM alembic_version")]


def test_the_first_revision_of_all(project: Project) -> None:
    """alembic_version is empty, and both runs end with exit 0."""
    project.sql(ANSWERS, ROWS)
    revision(project)
    runs = two_upgrades(project)
    assert [run.code for run in runs] == [0, 0], [run.said for run in runs]
    assert made(project) == [MADE]
    assert version(project) == ["h01"]
    said = "".join(run.said for run in runs)
    assert "another upgrade is at work on answers; in the way: pid" in said
    assert "Another upgrade has brought the database to h01 meanwhile" in said


def test_a_later_revision_with_others_after_it(project: Project) -> None:
    """A version is there already, and both runs end with exit 0."""
    revision(project, f"op.execute('''{ANSWERS}''')", "op.drop_table('answers')")
    project.upgrade()
    project.sql(ROWS)
    revision(project, number=2)
    runs = two_upgrades(project)
    assert [run.code for run in runs] == [0, 0], [run.said for run in runs]
    assert made(project) == [MADE]
    assert version(project) == ["h02"]


def test_what_the_revision_writes_beside_it_is_never_written_twice(project: Project) -> None:
    """One run fails instead, and the statement's effect is there once."""
    project.sql(ANSWERS, ROWS, "CREATE TABLE counted (times int)", "INSERT INTO counted VALUES (0)")
    revision(
        project,
        """
        op.create_unique_constraint_concurrently('uq_answers', 'answers', ['user_id', 'question_id'])
        op.execute('UPDATE counted SET times = times + 1')
        """,
    )
    runs = two_upgrades(project)
    assert sorted(run.code == 0 for run in runs) == [False, True]
    assert project.rows("SELECT times FROM counted") == [(1,)]
    assert version(project) == ["h01"]
