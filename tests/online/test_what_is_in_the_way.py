"""What is found under the name, who holds a lock, and what rows do meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.online import OnlineArbiter, Reporter, Retries, RowsInTheWay, create
from tests.online.faults import another_session, inject_faults, upgrade_begun_with
from tests.online.revisions import ANSWERS, MADE, UNIQUE, made, revision
from tests.online.waiting import until

if TYPE_CHECKING:
    from tests.project import Project, Ran

ROWS = "INSERT INTO answers (user_id, question_id) SELECT 1, i FROM generate_series(1, 1000) i"
OLD_SNAPSHOT = ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM answers")
IMPATIENT = UNIQUE.replace(")", ", lock_timeout='50ms', attempts=3)")


def until_the_build_waits(project: Project) -> None:
    until(
        project,
        "SELECT count(*) > 0 FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'",
    )


def refused(project: Project) -> Ran:
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0, ran.said
    assert "Traceback" not in ran.err
    return ran


@pytest.fixture
def answers(project: Project) -> Project:
    """A table with rows, and a revision that makes the key."""
    project.sql(ANSWERS, ROWS)
    revision(project)
    return project


# -- under the name


def test_a_constraint_that_is_there_is_not_made_again(answers: Project) -> None:
    """Its oid is the same afterwards."""
    answers.sql("ALTER TABLE answers ADD CONSTRAINT uq_answers UNIQUE (user_id, question_id)")
    before = answers.rows("SELECT oid FROM pg_class WHERE relname = 'uq_answers'")
    answers.upgrade()
    assert answers.rows("SELECT oid FROM pg_class WHERE relname = 'uq_answers'") == before


def test_a_valid_index_of_the_right_shape_is_attached(answers: Project) -> None:
    """It is not built again."""
    answers.sql("CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id)")
    before = answers.rows("SELECT oid FROM pg_class WHERE relname = 'uq_answers'")
    answers.upgrade()
    assert made(answers) == [MADE]
    assert answers.rows("SELECT oid FROM pg_class WHERE relname = 'uq_answers'") == before


@pytest.mark.parametrize(
    "there",
    [
        "CREATE UNIQUE INDEX uq_answers ON answers (user_id)",
        "CREATE UNIQUE INDEX uq_answers ON answers (question_id, user_id)",
        "CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id) WHERE deleted_at IS NULL",
        "CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id DESC)",
        "CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id) INCLUDE (note)",
        "CREATE INDEX uq_answers ON answers (user_id, question_id)",
        "ALTER TABLE answers ADD CONSTRAINT uq_answers UNIQUE (user_id, question_id) DEFERRABLE",
    ],
)
def test_another_shape_under_the_name_is_refused_by_its_definition(
    project: Project, there: str
) -> None:
    """Columns, order, predicate, INCLUDE, uniqueness and timing are parts of the shape."""
    project.sql(ANSWERS, there)
    revision(project)
    ran = refused(project)
    assert "was not made, nothing was changed" in ran.said
    assert "of answers is something else:" in ran.said
    assert "replace=True" in ran.said


def test_another_shape_that_is_invalid_is_somebody_elses(answers: Project) -> None:
    """It is not dropped."""
    answers.sql(
        "CREATE UNIQUE INDEX uq_answers ON answers (question_id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_answers'::regclass",
    )
    ran = refused(answers)
    assert "a build of somebody else's failed" in " ".join(ran.said.split())
    assert "INVALID" in made(answers)[0]


def test_the_name_of_another_tables_index_is_refused(answers: Project) -> None:
    """Names of indexes are a schema's."""
    answers.sql("CREATE TABLE others (id int)", "CREATE INDEX uq_answers ON others (id)")
    assert "that is the name of an index of public.others" in refused(answers).said


@pytest.mark.parametrize("built", [False, True], ids=["nothing built", "the index built before"])
def test_the_name_of_another_constraint_is_refused_before_anything_is_built(
    answers: Project, built: bool
) -> None:
    """A CHECK constraint, beside which a unique one of that name cannot be."""
    answers.sql("ALTER TABLE answers ADD CONSTRAINT uq_answers CHECK (user_id > 0)")
    if built:
        answers.sql("CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id)")
    before = made(answers)

    ran = refused(answers)
    assert (
        "nothing was changed: that is the name of another constraint of the table, CHECK ((user_id > 0))"
        in " ".join(ran.said.split())
    )
    assert made(answers) == before


def test_an_index_may_have_the_name_of_a_check_constraint(project: Project) -> None:
    """The twin: only names of constraints are given once a table."""
    project.sql(ANSWERS, "ALTER TABLE answers ADD CONSTRAINT uq_answers CHECK (user_id > 0)")
    revision(
        project,
        "op.create_unique_index_concurrently('uq_answers', 'answers', ['user_id', 'question_id'])",
    )
    project.upgrade()
    assert made(project) == [MADE.partition(" / ")[0]]


def test_leftovers_of_reindex_concurrently_are_dropped(answers: Project) -> None:
    """An INVALID ``_ccnew`` of the same shape."""
    answers.sql(
        "CREATE UNIQUE INDEX uq_answers_ccnew ON answers (user_id, question_id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_answers_ccnew'::regclass",
    )
    answers.upgrade()
    assert made(answers) == [MADE]


def test_an_invalid_index_is_not_dropped_while_another_session_may_build_it(
    answers: Project,
) -> None:
    """It is attached once that build has come to its end."""
    answers.sql(
        "CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_answers'::regclass",
    )
    with another_session(
        answers, "BEGIN", "LOCK TABLE answers IN SHARE UPDATE EXCLUSIVE MODE"
    ) as pid:
        run = answers.begin("upgrade", "head")
        run.until_it_logs(f"uq_answers may be being built; in the way: pid {pid}")
        assert not run.done()
        # the other session's build comes to its end
        answers.sql(
            "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'uq_answers'::regclass"
        )
    ran = run.result()
    assert ran.code == 0, ran.said
    assert "dropping" not in ran.said
    assert made(answers) == [MADE]


# -- who holds a lock


def test_a_reader_stops_the_attach_and_not_the_build(answers: Project) -> None:
    """The message names the reader, and the next upgrade only attaches."""
    revision(answers, IMPATIENT)
    with another_session(answers, "BEGIN", "SELECT count(*) FROM answers") as pid:
        said = " ".join(refused(answers).said.split())
    assert "no lock was to be had in 3 tries of 50ms" in said
    assert f"in the way: pid {pid}" in said
    assert "idle in transaction" in said
    assert "SELECT count(*) FROM answers" in said
    assert made(answers) == [MADE.split(" / ")[0]]
    answers.upgrade()
    assert made(answers) == [MADE]


def test_other_sessions_statements_are_kept_back_where_values_are(answers: Project) -> None:
    """``upsert_guard_reveal=False``: the session is named without its statement."""
    answers.configure(upsert_guard_reveal="False")
    revision(answers, IMPATIENT)
    with another_session(answers, "BEGIN", "SELECT 'secret' FROM answers"):
        ran = refused(answers)
    assert "in the way: pid" in " ".join(ran.said.split())
    assert "secret" not in ran.said


def test_a_blocked_attach_leaves_no_queue_behind_it(answers: Project) -> None:
    """A try gives up its place in the queue at its lock_timeout: readers behind it go on before the blocker does."""
    revision(answers, UNIQUE.replace(")", ", lock_timeout='500ms', attempts=1000)"))
    with another_session(answers, "BEGIN", "SELECT count(*) FROM answers"):
        run = answers.begin("upgrade", "head")
        for _ in range(2):
            until(
                answers,
                "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' "
                "AND relation = 'answers'::regclass",
            )
            # without a bound to the try, the reader would wait until this timeout
            answers.sql("SET LOCAL statement_timeout = '60s'", "SELECT id FROM answers LIMIT 1")
        assert not run.done()
        assert made(answers) == [MADE.split(" / ")[0]]
    assert run.result().code == 0


def test_the_build_names_the_session_it_waits_for(answers: Project) -> None:
    """At the second look, by its process id."""
    with another_session(answers, *OLD_SNAPSHOT) as pid:
        run = answers.begin("upgrade", "head")
        run.until_it_logs(f"waits for pid {pid}")
    ran = run.result()
    assert ran.code == 0, ran.said


def test_lock_timeout_of_the_session_does_not_stop_the_build(answers: Project) -> None:
    """It would leave an INVALID index."""
    database = answers.rows("SELECT current_database()")[0][0]
    answers.sql(f"ALTER DATABASE \"{database}\" SET lock_timeout = '100ms'")
    with another_session(answers, *OLD_SNAPSHOT) as pid:
        run = answers.begin("upgrade", "head")
        # two looks, half a second apart, have seen it wait
        run.until_it_logs(f"waits for pid {pid}")
    ran = run.result()
    assert ran.code == 0, ran.said
    assert made(answers) == [MADE]


def test_statement_timeout_is_respected_and_leaves_nothing(answers: Project) -> None:
    """The message has the limit, and the next upgrade goes through."""
    database = answers.rows("SELECT current_database()")[0][0]
    answers.sql(f"ALTER DATABASE \"{database}\" SET statement_timeout = '1s'")
    with another_session(answers, "SET statement_timeout = 0", *OLD_SNAPSHOT):
        said = " ".join(refused(answers).said.split())
    assert "statement_timeout is 1s" in said
    # dropping waits for the same session, and is stopped by the same limit
    assert "Nothing is left of it" in said or "the next run drops it" in said
    answers.upgrade()
    assert made(answers) == [MADE]


# -- rows


def test_a_duplicate_during_the_build_is_reported_as_by_the_check(answers: Project) -> None:
    """The check before found none; 23505 of the build is answered with the group, and the INVALID index is dropped."""
    # a writer from before the build keeps it waiting, and commits a second row of a key
    with another_session(
        answers, "BEGIN", "INSERT INTO answers (user_id, question_id) VALUES (1, 7)"
    ) as pid:
        run = answers.begin("upgrade", "head")
        until(
            answers,
            "SELECT count(*) > 0 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for writers%'",
        )
        answers.sql("INSERT INTO answers (user_id, question_id) VALUES (1, 8)")
        answers.sql(f"SELECT pg_terminate_backend({pid})")
    ran = run.result()
    assert ran.code != 0
    assert "upsert key answers (user_id, question_id) does not hold: 1 duplicate group" in ran.said
    assert made(answers) == []
    answers.sql("DELETE FROM answers WHERE id = (SELECT max(id) FROM answers)")
    answers.upgrade()
    assert made(answers) == [MADE]


# -- the process


def test_killed_in_the_middle_of_the_build(answers: Project) -> None:
    """The server does not notice, and builds on: the next run waits for it, and finds it done."""
    with another_session(answers, *OLD_SNAPSHOT):
        process = subprocess.Popen(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=answers.path,
            env={**os.environ, "PROJECT_URL": answers.url, "PYTHONPATH": "."},
            stderr=subprocess.DEVNULL,
        )
        until_the_build_waits(answers)
        process.send_signal(signal.SIGKILL)
        process.wait()
        run = answers.begin("upgrade", "head")
        run.until_it_logs("another upgrade is at work on answers")
        assert not run.done()
        answers.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM answers'"
        )
        ran = run.result()
    assert ran.code == 0, ran.said
    assert made(answers) == [MADE]


def test_the_session_terminated_in_the_middle_of_the_build(answers: Project) -> None:
    """The message says to run it again, and the next upgrade builds anew."""
    inject_faults(answers)
    with another_session(answers, *OLD_SNAPSHOT):
        run = upgrade_begun_with(answers, "")
        until_the_build_waits(answers)
        answers.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index")
        ran = run.result()
    assert ran.code != 0
    assert "the connection to the database was lost. Run the upgrade again" in " ".join(
        ran.said.split()
    )
    assert "INVALID" in made(answers)[0]
    answers.upgrade()
    assert made(answers) == [MADE]


# -- the session's settings


@pytest.mark.parametrize("rows", ["hold", "do not"])
def test_the_sessions_settings_are_afterwards_what_they_were(project: Project, rows: str) -> None:
    """Where the build succeeds and where rows break the key."""
    project.sql(ANSWERS, ROWS)
    if rows == "do not":
        project.sql(ROWS)
    engine = create_engine(project.url, isolation_level="AUTOCOMMIT")
    settings = text(
        "SELECT name, setting FROM pg_settings WHERE context IN ('user', 'superuser') ORDER BY name"
    )
    wanted = OnlineArbiter(
        table=TableName(None, "answers"),
        name="uq_answers",
        target=ConflictTarget((Element("user_id"), Element("question_id"))),
        constraint=True,
    )
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '7s'"))
        connection.execute(text("SET statement_timeout = '9min'"))
        before = connection.execute(settings).all()
        teller = Reporter(lambda _: None, lambda _: None)
        try:
            create(connection, wanted, Retries(), teller)
        except RowsInTheWay:
            assert rows == "do not"
        assert connection.execute(settings).all() == before
    engine.dispose()


def test_a_lock_timeout_that_is_none_is_refused_before_the_build(project: Project) -> None:
    """A build of hours would be lost otherwise."""
    project.sql(ANSWERS)
    revision(project, UNIQUE.replace(")", ", lock_timeout='soon')"))
    assert "lock_timeout" in refused(project).said
    assert made(project) == []


# -- bad input


def test_a_transaction_that_env_py_began_is_refused_with_the_reason(answers: Project) -> None:
    """It is not an assertion of Alembic's."""
    answers.edit(
        "migrations/env.py",
        "        context.configure(connection=",
        "        connection.begin()\n        context.configure(connection=",
    )
    said = " ".join(refused(answers).said.split())
    assert "runs outside a transaction, and the connection is in one that env.py began" in said


def test_a_statement_of_env_pys_own_needs_the_commit_that_is_named(answers: Project) -> None:
    """As SET search_path in Alembic's cookbook has it: there is no begin() to be found."""
    statement = "        connection.exec_driver_sql('SELECT 1')\n"
    configured = "        context.configure(connection="
    answers.edit("migrations/env.py", configured, statement + configured)
    said = " ".join(refused(answers).said.split())
    assert "A statement of its own begins one too, until connection.commit()" in said

    answers.edit("migrations/env.py", statement, f"{statement}        connection.commit()\n")
    answers.upgrade()


@pytest.mark.parametrize(
    ("directive", "words"),
    [
        (
            "op.create_unique_constraint_concurrently('uq', 'nowhere', ['a'])",
            "there is no table nowhere",
        ),
        ("op.create_unique_constraint_concurrently('uq', 'answers', ['a'])", 'column "a"'),
        ("op.create_unique_constraint_concurrently('uq', 'answers', 'a')", "as a list"),
        ("op.create_unique_constraint_concurrently('', 'answers', ['a'])", "give it a name"),
        (
            "op.create_unique_constraint_concurrently('uq', 'answers', ['a'], attempts=0)",
            "1 or more",
        ),
        ("op.drop_unique_index_concurrently('answers_pkey', 'answers')", "it is a constraint"),
        (
            "op.drop_unique_constraint_concurrently('ix', 'answers')",
            "it is an index and no constraint",
        ),
        (
            "op.drop_unique_index_concurrently('ix_others', 'answers')",
            "the name of an index of public.others",
        ),
    ],
)
def test_bad_input_is_refused_by_name(project: Project, directive: str, words: str) -> None:
    """And nothing is changed."""
    project.sql(
        ANSWERS,
        "CREATE UNIQUE INDEX ix ON answers (note)",
        "CREATE TABLE others (id int)",
        "CREATE INDEX ix_others ON others (id)",
    )
    revision(project, directive)
    before = made(project)
    assert words in " ".join(refused(project).said.split())
    assert made(project) == before


def test_dropping_what_is_gone_is_done_already(project: Project) -> None:
    """A drop that was stopped may have been done."""
    project.sql(ANSWERS)
    revision(project, "op.drop_unique_index_concurrently('ix', 'answers')")
    assert "ix on answers is gone already" in project.upgrade().said


def test_on_other_databases_the_message_names_the_plain_directive(sqlite_project: Project) -> None:
    """SQLite has no CONCURRENTLY."""
    sqlite_project.sql("CREATE TABLE answers (user_id int, question_id int)")
    revision(sqlite_project)
    said = " ".join(refused(sqlite_project).said.split())
    assert "is for PostgreSQL, and this is sqlite: write op.create_unique_constraint" in said
