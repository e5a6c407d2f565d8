"""``alembic upgrade --sql``: a script that psql runs, and that writes no version where the work was not done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.online.revisions import ANSWERS, MADE, UNIQUE, made, revision
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from tests.project import Project

INVALID = (
    "CREATE UNIQUE INDEX uq_answers ON answers (user_id, question_id)",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_answers'::regclass",
)


def script(project: Project, *command: str) -> str:
    ran = project.alembic(*(command or ("upgrade", "head")), "--sql")
    assert ran.code == 0, ran.said
    return ran.out


def version(project: Project) -> list[str]:
    if not project.rows("SELECT FROM pg_class WHERE relname = 'alembic_version'"):
        return []
    return [row[0] for row in project.rows("SELECT version_num FROM alembic_version")]


def test_it_does_what_the_upgrade_does_and_back(project: Project) -> None:
    """psql runs the script of the upgrade, and that of the downgrade."""
    project.sql(ANSWERS)
    revision(project)
    ran = in_psql(project, script(project))
    assert ran.code == 0, ran.err
    assert made(project) == [MADE]
    assert version(project) == ["h01"]
    ran = in_psql(project, script(project, "downgrade", "h01:base"))
    assert ran.code == 0, ran.err
    assert made(project) == []


def test_an_index_with_all_that_it_can_have(project: Project) -> None:
    """A name, an expression and a predicate that need quotes."""
    project.sql(ANSWERS)
    revision(
        project,
        "op.create_unique_index_concurrently('Uq %:', 'answers', [sa.text('lower(note)')], where=\"note <> '%'\")",
        "op.drop_unique_index_concurrently('Uq %:', 'answers')",
    )
    ran = in_psql(project, script(project))
    assert ran.code == 0, ran.err
    (index,) = made(project)
    assert index.startswith(
        'CREATE UNIQUE INDEX "Uq %:" ON public.answers USING btree (lower(note))'
    )


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (INVALID, "an earlier build left it INVALID"),
        (("CREATE INDEX uq_answers ON answers (note)",), "something of that name is there"),
        (("CREATE SEQUENCE uq_answers",), "something of that name is there"),
    ],
)
def test_leftovers_are_refused_and_the_version_is_not_written(
    project: Project, there: tuple[str, ...], words: str
) -> None:
    """An INVALID index, an index and a sequence of the name."""
    project.sql(ANSWERS, *there)
    revision(project)
    ran = in_psql(project, script(project))
    assert words in ran.err
    assert version(project) == []


def test_a_shell_that_continues_after_errors_writes_no_version_either(project: Project) -> None:
    """``ON_ERROR_STOP off``, psql's default."""
    project.sql(ANSWERS, "INSERT INTO answers (user_id, question_id) VALUES (1, 1), (1, 1)")
    revision(project)
    ran = in_psql(project, "\\set ON_ERROR_STOP off\n" + script(project))
    assert "the version was not written" in ran.err
    assert version(project) == []


def test_a_partitioned_table_is_for_the_upgrade_online(project: Project) -> None:
    """Its partitions are not known when the script is written."""
    project.sql("CREATE TABLE answers (user_id int, question_id int) PARTITION BY LIST (user_id)")
    revision(project)
    ran = in_psql(project, script(project))
    assert "the table is partitioned" in ran.err
    assert version(project) == []


def test_what_must_be_outside_a_transaction_is(project: Project) -> None:
    """The build is between COMMIT and BEGIN, and the version is behind it."""
    revision(project, UNIQUE)
    lines = [
        line
        for line in script(project).splitlines()
        if line in ("BEGIN;", "COMMIT;")
        or line.startswith(("CREATE UNIQUE", "INSERT INTO alembic_version"))
    ]
    assert [line.split(" (")[0] for line in lines] == [
        "BEGIN;",
        "COMMIT;",
        'CREATE UNIQUE INDEX CONCURRENTLY "uq_answers" ON "answers"',
        "BEGIN;",
        "INSERT INTO alembic_version",
        "COMMIT;",
    ]
