"""The whole of the directives under the drivers that bind parameters on the server, and in an event loop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.online.faults import another_session
from tests.online.revisions import ANSWERS, MADE, UNIQUE, made, revision
from tests.online.waiting import until_the_build_waits
from tests.scenarios.test_templates import InitialisedProject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fork_server import ForkServer

ROWS = "INSERT INTO answers (user_id, question_id) SELECT 1, i FROM generate_series(1, 1000) i"


# psycopg2 is what all the other tests have
@pytest.fixture(
    params=[("generic", "psycopg"), ("async", "psycopg"), ("async", "asyncpg")], ids=" ".join
)
def answers(
    tmp_path: Path, url: str, fork_server: ForkServer, request: pytest.FixtureRequest
) -> InitialisedProject:
    """A table with rows, and a project that reaches it as the template and the driver do."""
    template, driver = request.param
    project = InitialisedProject(tmp_path / "project", url, server=fork_server, template=template)
    project.connect_to(url.replace("psycopg2", driver))
    project.sql(ANSWERS, ROWS)
    return project


def test_a_constraint_is_made_and_dropped(answers: InitialisedProject) -> None:
    """By every driver."""
    revision(answers)
    answers.upgrade()
    assert made(answers) == [MADE]
    answers.downgrade()
    assert made(answers) == []


def test_an_index_is_made_and_dropped(answers: InitialisedProject) -> None:
    """A colon and a per cent sign in its SQL reach the server as they are."""
    revision(
        answers,
        r"""op.create_unique_index_concurrently(
            'uq', 'answers', [sa.text(r"coalesce(note, '\:x%')"), 'question_id'])""",
        "op.drop_unique_index_concurrently('uq', 'answers')",
    )
    answers.upgrade()
    assert "COALESCE(note, ':x%'::text), question_id" in made(answers)[0]
    answers.downgrade()
    assert made(answers) == []


def test_a_partitioned_table_gets_its_key_and_loses_it(answers: InitialisedProject) -> None:
    """The parent and each partition have a valid one in between."""
    answers.sql(
        "DROP TABLE answers",
        "CREATE TABLE answers (user_id int, question_id int) PARTITION BY LIST (user_id)",
        "CREATE TABLE answers_1 PARTITION OF answers FOR VALUES IN (1)",
        "CREATE TABLE answers_2 PARTITION OF answers FOR VALUES IN (2)",
        ROWS,
    )
    revision(answers)
    answers.upgrade()
    assert len(made(answers)) == 3
    assert not any("INVALID" in index for index in made(answers))
    answers.downgrade()
    assert made(answers) == []


def test_something_else_of_that_name_is_replaced(answers: InitialisedProject) -> None:
    """``replace=True``, by every driver."""
    answers.sql("ALTER TABLE answers ADD CONSTRAINT uq_answers UNIQUE (question_id)")
    revision(answers, UNIQUE.replace(")", ", replace=True)"))
    answers.upgrade()
    assert made(answers) == [MADE]


def test_what_another_session_may_be_building_is_waited_for(answers: InitialisedProject) -> None:
    """The line names the session that holds the lock of a build."""
    answers.sql("CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id)")
    answers.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_answers'::regclass")
    revision(answers)
    with another_session(
        answers, "BEGIN", "LOCK TABLE answers IN SHARE UPDATE EXCLUSIVE MODE"
    ) as pid:
        run = answers.begin("upgrade", "head")
        run.until_it_logs(f"uq_answers may be being built; in the way: pid {pid} (")
    ran = run.result()
    assert ran.code == 0, ran.said
    assert made(answers) == [MADE]


def test_the_attach_is_tried_until_the_lock_is_to_be_had(answers: InitialisedProject) -> None:
    """The line names the reader that is waited for."""
    revision(answers)
    with another_session(answers, "BEGIN", "SELECT count(*) FROM answers") as pid:
        run = answers.begin("upgrade", "head")
        run.until_it_logs(f"no lock within 200ms, trying again; in the way: pid {pid}")
    ran = run.result()
    assert ran.code == 0, ran.said
    assert made(answers) == [MADE]


def test_rows_in_the_way_are_reported_as_by_the_check(answers: InitialisedProject) -> None:
    """No traceback, and no index is left."""
    answers.sql(ROWS)
    revision(answers)
    ran = answers.alembic("upgrade", "head")
    assert ran.code != 0
    assert "upsert key answers (user_id, question_id) does not hold: 1,000 duplicate" in ran.said
    assert "Traceback" not in ran.said
    assert made(answers) == []


def test_who_holds_it_up_is_seen_over_a_second_connection(answers: InitialisedProject) -> None:
    """The writer that the build waits for, with its last statement."""
    revision(answers)
    with another_session(answers, "BEGIN", "DELETE FROM answers WHERE question_id = 7") as pid:
        run = answers.begin("upgrade", "head")
        run.until_it_logs(f"waits for pid {pid} (")
    ran = run.result()
    assert ran.code == 0, ran.said
    assert re.search(rf"waiting for writers before build, .* waits for pid {pid} \(", ran.err)
    assert "last statement: DELETE FROM answers WHERE question_id = 7" in ran.err


def test_an_event_loop_with_a_pool_builds_unseen(
    tmp_path: Path, url: str, fork_server: ForkServer
) -> None:
    """Its connections belong to the loop, and who watches has one of its own."""
    project = InitialisedProject(tmp_path / "project", url, server=fork_server, template="async")
    project.connect_to(url.replace("psycopg2", "asyncpg"))
    project.edit("migrations/env.py", "        poolclass=pool.NullPool,\n", "")
    project.sql(ANSWERS, ROWS)
    revision(project)
    with another_session(project, "BEGIN", "DELETE FROM answers WHERE question_id = 7"):
        run = project.begin("upgrade", "head")
        until_the_build_waits(project, seconds=2)
    ran = run.result()
    assert ran.code == 0, ran.said
    assert "waits for" not in ran.err
    assert made(project) == [MADE]
