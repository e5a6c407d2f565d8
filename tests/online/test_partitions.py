"""Partitioned tables: an index a leaf, and the parent's is valid with the last of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.online.faults import inject_faults, upgrade_with, written_to
from tests.online.revisions import UNIQUE, revision

if TYPE_CHECKING:
    from tests.project import Project

TREE = (
    "CREATE TABLE answers (user_id int NOT NULL, question_id int NOT NULL) PARTITION BY LIST (user_id)",
    "CREATE TABLE answers_1 PARTITION OF answers FOR VALUES IN (1)",
    'CREATE TABLE "Answers 2" PARTITION OF answers FOR VALUES IN (2)',
    "CREATE TABLE answers_rest PARTITION OF answers DEFAULT PARTITION BY HASH (question_id)",
    "CREATE TABLE answers_rest_0 PARTITION OF answers_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    "CREATE TABLE answers_rest_1 PARTITION OF answers_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    "INSERT INTO answers SELECT i % 4, i FROM generate_series(1, 400) i",
)
INDEX = UNIQUE.replace("unique_constraint", "unique_index")


def state(project: Project) -> list[tuple[object, ...]]:
    """Each unique index: its table, whether it is valid, a constraint, and a part of another."""
    return project.rows("""
        SELECT i.indrelid::regclass::text, i.indisvalid,
               EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid),
               EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)
        FROM pg_index i WHERE i.indisunique AND i.indrelid::regclass::text ~* 'answers' ORDER BY 1
    """)


def whole(*, constraint: bool) -> list[tuple[object, ...]]:
    return [
        ('"Answers 2"', True, constraint, True),
        ("answers", True, constraint, False),
        ("answers_1", True, constraint, True),
        ("answers_rest", True, constraint, True),
        ("answers_rest_0", True, constraint, True),
        ("answers_rest_1", True, constraint, True),
    ]


@pytest.mark.parametrize("constraint", [True, False])
def test_every_level_and_back(project: Project, constraint: bool) -> None:
    """Each level and each partition has a part of its own, until the downgrade."""
    project.sql(*TREE)
    kind = "constraint" if constraint else "index"
    revision(
        project,
        UNIQUE if constraint else INDEX,
        f"op.drop_unique_{kind}_concurrently('uq_answers', 'answers')",
    )
    project.upgrade()
    assert state(project) == whole(constraint=constraint)
    project.downgrade()
    assert state(project) == []
    project.upgrade()
    assert state(project) == whole(constraint=constraint)


@pytest.mark.parametrize("fault", ["kill", "terminate"])
def test_stopped_before_any_statement_the_next_run_resumes(project: Project, fault: str) -> None:
    """A killed process and a terminated session; writers lose nothing."""
    revision(project)
    inject_faults(project)
    reset = ("DROP TABLE IF EXISTS answers", *TREE, "DROP TABLE IF EXISTS alembic_version")
    project.sql(*reset)
    counted = project.path / "counted"
    assert upgrade_with(project, "count", counted=str(counted)).code == 0
    count = len(counted.read_text().splitlines())
    for number in range(8, count + 1, 2 if fault == "kill" else 5):
        project.sql(*reset)
        with written_to(project) as writer:
            assert upgrade_with(project, f"{fault}:{number}").code != 0
            again = upgrade_with(project, "")
            assert again.code == 0, f"before statement {number}: {again.said}"
        assert state(project) == whole(constraint=True), f"before statement {number}"
        assert writer.failed == []
        assert project.rows("SELECT count(*) FROM answers") == [(400 + writer.acknowledged,)]


def test_a_leaf_that_has_duplicates_is_named_and_the_rest_is_kept(project: Project) -> None:
    """The parent's index stays INVALID until the next run."""
    project.sql(*TREE, "INSERT INTO answers VALUES (2, 2)")
    revision(project)
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "does not hold: 1 duplicate group" in ran.said
    assert "the INVALID index uq_answers" in " ".join(ran.said.split())
    project.sql(
        'DELETE FROM "Answers 2" WHERE question_id = 2', "INSERT INTO answers VALUES (2, 2)"
    )
    project.upgrade()
    assert state(project) == whole(constraint=True)


def test_a_partition_that_is_added_between_two_runs_gets_its_part(project: Project) -> None:
    """One that is created, and one that is attached."""
    project.sql(*TREE, "INSERT INTO answers VALUES (2, 2)")
    revision(project)
    assert project.alembic("upgrade", "head").code != 0
    project.sql(
        'DELETE FROM "Answers 2" WHERE question_id = 2',
        "CREATE TABLE answers_9 PARTITION OF answers FOR VALUES IN (9)",
        "CREATE TABLE loose (LIKE answers)",
        "ALTER TABLE answers ATTACH PARTITION loose FOR VALUES IN (10)",
    )
    project.upgrade()
    assert all(valid for _, valid, *_ in state(project))
    parts = [table for table, *_ in state(project)]
    assert "answers_9" in parts
    assert project.rows(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'loose'::regclass AND contype = 'u'"
    )


def test_a_key_without_the_partition_column_is_refused_with_the_servers_message(
    project: Project,
) -> None:
    """Before anything is made."""
    project.sql(*TREE)
    revision(project, "op.create_unique_constraint_concurrently('uq', 'answers', ['question_id'])")
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "must include all partitioning columns" in " ".join(ran.said.split())
    assert state(project) == []
