"""A table that takes no space gets all at once, in one short transaction; where that fails, the usual way is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.online import OnlineArbiter, Reporter, Retries, create
from tests.online.faults import another_session
from tests.online.revisions import ANSWERS, MADE, made, revision

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.project import Project

WANTED = OnlineArbiter(
    table=TableName(None, "answers"),
    name="uq_answers",
    target=ConflictTarget((Element("user_id"), Element("question_id"))),
    constraint=True,
)
ROW = "INSERT INTO answers (user_id, question_id) VALUES (1, 1)"


def statements_of(project: Project, meanwhile: Callable[[str], None] = lambda _: None) -> list[str]:
    """What is sent to make it; `meanwhile` gets to see each statement before the server does."""
    sent: list[str] = []

    def before(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(" ".join(statement.split()))
        meanwhile(sent[-1])

    engine = create_engine(project.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    event.listen(engine, "before_cursor_execute", before)
    with engine.connect() as connection:
        create(connection, WANTED, Retries(), Reporter(lambda _: None, lambda _: None))
    return sent


def builds(sent: list[str]) -> list[str]:
    return [
        each.partition(" ON ")[0]
        for each in sent
        if each.startswith("CREATE UNIQUE INDEX ") and "uq_answers" in each
    ]


AT_ONCE = ['CREATE UNIQUE INDEX "uq_answers"']
CONCURRENTLY = ['CREATE UNIQUE INDEX CONCURRENTLY "uq_answers"']


@pytest.mark.parametrize(
    ("statements", "how"),
    [
        ([], AT_ONCE),
        ([ROW], CONCURRENTLY),
        ([ROW, "TRUNCATE answers"], AT_ONCE),
        # what is deleted is read by a build all the same, until a VACUUM
        ([ROW, "DELETE FROM answers"], CONCURRENTLY),
        # a policy hides rows, and no space
        (
            [ROW, "ALTER TABLE answers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"],
            CONCURRENTLY,
        ),
    ],
    ids=["never written to", "a row", "truncated", "deleted", "hidden"],
)
def test_how_it_is_made(project: Project, statements: list[str], how: list[str]) -> None:
    """Only what takes no space is made at once."""
    project.sql(ANSWERS, *statements)
    assert builds(statements_of(project)) == how
    assert made(project) == [MADE]


def test_rows_that_arrive_before_the_lock(project: Project) -> None:
    """It is looked again under the lock: what is no longer empty stops nobody."""
    project.sql(ANSWERS)

    def write(statement: str) -> None:
        if statement.startswith("LOCK TABLE"):
            project.sql(ROW)

    assert builds(statements_of(project, write)) == CONCURRENTLY
    assert made(project) == [MADE]


def test_a_lock_that_is_not_to_be_had(project: Project) -> None:
    """One try, and then what waits for nobody's lock; here the reader is gone by the time it is attached."""
    project.sql(ANSWERS)
    with another_session(project, "BEGIN", "LOCK TABLE answers IN ACCESS SHARE MODE") as pid:
        tried: list[str] = []

        def end(statement: str) -> None:
            if statement.startswith("LOCK TABLE"):
                tried.append(statement)
            elif statement == "ROLLBACK" and tried:
                project.sql(f"SELECT pg_terminate_backend({pid}, 5000)")

        sent = statements_of(project, end)
    assert len(tried) == 1
    assert builds(sent) == CONCURRENTLY
    assert made(project) == [MADE]


IMPATIENT = """
    op.execute("SET statement_timeout = '3s'")
    op.create_unique_index_concurrently('uq_answers', 'answers', ['user_id'])
"""
OLD_SNAPSHOT = ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM pg_class LIMIT 1")


def test_old_snapshots_are_not_waited_for(project: Project) -> None:
    """A concurrent build waits for every older transaction; on an empty table there is nothing that it might miss."""
    project.sql(ANSWERS)
    revision(project, IMPATIENT)
    with another_session(project, *OLD_SNAPSHOT):
        project.upgrade()
    assert len(made(project)) == 1


def test_old_snapshots_are_waited_for_where_there_are_rows(project: Project) -> None:
    """The twin with a row: the transaction is waited for, here for longer than the statement may take."""
    project.sql(ANSWERS, ROW)
    revision(project, IMPATIENT)
    with another_session(project, *OLD_SNAPSHOT):
        ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "statement timeout" in ran.said
    assert made(project) == []
