"""Duplicate rows that arrive while the index is built: deduplicated again, and built again, as often as was said."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from alembic.util import CommandError

from alembic_upsert_guard.migration.operations import (
    CreateUniqueConstraintConcurrentlyOp,
    CreateUniqueIndexConcurrentlyOp,
)
from tests.online.revisions import ANSWERS, MADE, UNIQUE, made, revision
from tests.online.test_partitions import TREE, state, whole
from tests.online.test_scripts import version
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from tests.project import Project

TWICE = "INSERT INTO answers (user_id, question_id, note) SELECT 1, i, 'secret' FROM generate_series(1, 3) i"
KEPT = "op.deduplicate_upsert_key('answers', ['question_id', 'user_id'], keep='first', order_by=[], archive_table='a')"
AGAIN = UNIQUE.replace(")", ", attempts_on_duplicates=3)")

ARRIVING = """
    import os
    from sqlalchemy import event

    builds = []

    @event.listens_for(sa.engine.Engine, "before_cursor_execute")
    def arrive(connection, cursor, sql, *rest):
        if sql.startswith("CREATE UNIQUE INDEX CONCURRENTLY"):
            builds.append(sql)
            if len(builds) == int(os.environ.get("KILLED_BEFORE", 0)):
                os.kill(os.getpid(), 9)
            if len(builds) <= int(os.environ["ARRIVALS"]):
                with sa.create_engine(os.environ["PROJECT_URL"]).begin() as other:
                    other.exec_driver_sql(os.environ["ARRIVING"])

"""


def arriving(project: Project, times: int, *lines: str, row: str = "(1, 2, 'secret')") -> None:
    """A revision of `lines`, before whose first builds, so many of them, a row arrives."""
    insert = f"INSERT INTO answers (user_id, question_id, note) VALUES {row}"
    project.environment.update(ARRIVALS=str(times), ARRIVING=insert)
    revision(project, textwrap.dedent(ARRIVING) + "\n".join(lines))


@pytest.mark.parametrize("batches", ["", ", batch_size=2"])
def test_rows_that_arrive_are_deduplicated_again(project: Project, batches: str) -> None:
    """Twice, and the third build goes through; what was moved is in the archive."""
    project.sql(ANSWERS, TWICE, TWICE)
    arriving(project, 2, KEPT.replace(")", f"{batches})"), AGAIN)
    ran = project.alembic("upgrade", "head")
    assert ran.code == 0, ran.said
    assert made(project) == [MADE]
    assert project.rows("SELECT id FROM answers ORDER BY id") == [(1,), (2,), (3,)]
    assert project.rows("SELECT id FROM a ORDER BY id") == [(4,), (5,), (6,), (7,), (8,)]
    lines = [line for line in ran.detected() if "build" in line or "Deduplicated" in line]
    label = "upsert key answers (question_id, user_id)"
    assert lines == [
        f"Deduplicated {label}: 3 surplus rows moved to a",
        "building uq_answers on public.answers",
        "uq_answers on answers: build 1 of at most 3 met duplicate rows; they are deduplicated again",
        f"Deduplicated {label}: 1 surplus row moved to a",
        "building uq_answers on public.answers",
        "uq_answers on answers: build 2 of at most 3 met duplicate rows; they are deduplicated again",
        f"Deduplicated {label}: 1 surplus row moved to a",
        "building uq_answers on public.answers",
    ]


def test_after_the_last_build_the_report_has_their_number(project: Project) -> None:
    """Nothing is left of the index, no version is written, and the next upgrade begins with the deduplication."""
    project.sql(ANSWERS, TWICE)
    arriving(project, 3, KEPT, AGAIN)
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "upsert key answers (user_id, question_id) does not hold: 1 duplicate group" in ran.said
    assert "3 builds met rows that arrived meanwhile, though the deduplication above ran" in ran.out
    assert "attempts_on_duplicates=5" in ran.out
    assert "op.deduplicate_upsert_key" not in ran.out
    assert (made(project), version(project)) == ([], [])
    project.environment["ARRIVALS"] = "0"
    project.upgrade()
    assert made(project) == [MADE]


def test_one_build_is_told_of_the_argument(project: Project) -> None:
    """Where it is left out, and the revision deduplicates the key."""
    project.sql(ANSWERS, TWICE)
    arriving(project, 1, KEPT, UNIQUE)
    ran = project.alembic("upgrade", "head")
    assert "The rows arrived after the deduplication above, while the index was built" in ran.out
    assert "attempts_on_duplicates=3" in ran.out


@pytest.mark.parametrize(
    ("above", "builds"),
    [
        ([], AGAIN),
        ([KEPT.replace("'question_id', ", "")], AGAIN),
        ([KEPT.replace("[],", "[], where='user_id > 0',")], AGAIN),
        ([KEPT], AGAIN.replace("attempts", "nulls_not_distinct=True, attempts")),
    ],
    ids=["none", "of another key", "of other rows", "that keeps rows with equal NULLs"],
)
def test_without_a_deduplication_of_the_key_it_is_refused(
    project: Project, above: list[str], builds: str
) -> None:
    """Before anything is changed: what is above in the revision is not committed."""
    project.sql(ANSWERS)
    revision(project, "\n".join(["op.execute('CREATE TABLE other ()')", *above, builds]))
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "the revision has none above this line; nothing was changed" in ran.out
    assert "op.deduplicate_upsert_key('answers', ['user_id', 'question_id'], keep='last'" in ran.out
    assert project.rows("SELECT to_regclass('other')") == [(None,)]


def test_the_deduplication_of_an_earlier_revision_is_not_repeated(project: Project) -> None:
    """Nor in one upgrade over both."""
    project.sql(ANSWERS)
    revision(project, KEPT)
    revision(project, AGAIN, number=2)
    ran = project.alembic("upgrade", "head")
    assert "the revision has none above this line" in ran.out


def test_of_a_partial_key_in_a_batch_block(project: Project) -> None:
    """The predicate is compared, and the block has the table."""
    project.sql(ANSWERS, TWICE)
    arriving(
        project,
        1,
        "with op.batch_alter_table('answers') as batch_op:",
        "    batch_op.deduplicate_upsert_key([sa.text('lower(note)')], keep='first', order_by=[], where='user_id > 0')",
        "    batch_op.create_unique_index_concurrently(",
        "        'uq_answers', [sa.text('lower(note)')], where=sa.text('user_id > 0'), attempts_on_duplicates=2",
        "    )",
    )
    project.upgrade()
    assert len(made(project)) == 1
    assert project.rows("SELECT id FROM answers") == [(1,)]


def test_on_a_partitioned_table(project: Project) -> None:
    """The partitions that are done stay so, and the one that met the row is built again."""
    project.sql(*TREE, "ALTER TABLE answers ADD note text")
    arriving(project, 2, KEPT, AGAIN, row="(3, 3, '')")
    project.upgrade()
    assert state(project) == whole(constraint=True)
    assert project.rows("SELECT count(*) FROM answers") == [(400,)]


def test_killed_before_the_second_build_the_next_run_resumes(project: Project) -> None:
    """It begins with the deduplication again, and counts its builds from the first."""
    project.sql(ANSWERS, TWICE)
    arriving(project, 1, KEPT, AGAIN)
    project.environment["KILLED_BEFORE"] = "2"
    assert project.alembic("upgrade", "head").code != 0
    assert (made(project), version(project)) == ([], [])
    project.environment["KILLED_BEFORE"] = "0"
    project.upgrade()
    assert made(project) == [MADE]
    assert project.rows("SELECT count(*) FROM answers, a") == [(6,)]


def test_no_value_of_a_row_is_shown_where_they_are_held_back(project: Project) -> None:
    """In the lines of the log neither."""
    project.sql(ANSWERS, TWICE)
    project.configure(upsert_guard_reveal="False")
    note = ("['question_id', 'user_id']", "['note']")
    unique = AGAIN.replace("['user_id', 'question_id']", "['note']")
    arriving(project, 3, KEPT.replace(*note), unique, row="(1, 2, 'secret'), (1, 2, 'secret')")
    ran = project.alembic("upgrade", "head")
    assert "3 builds met rows" in ran.out
    assert "secret" not in ran.said


def test_a_script_builds_once_and_says_so(project: Project) -> None:
    """It runs, and where rows arrive it stops as any script does."""
    project.sql(ANSWERS, TWICE, TWICE)
    revision(project, f"{KEPT}\n{AGAIN}")
    ran = project.alembic("upgrade", "head", "--sql")
    assert "a script cannot build again, so it builds once" in ran.err
    assert ran.out.count("CREATE UNIQUE INDEX CONCURRENTLY") == 1
    assert "-- One build, though attempts_on_duplicates=3" in ran.out
    assert in_psql(project, ran.out).code == 0
    assert made(project) == [MADE]


def test_a_script_of_two_revisions_knows_them_apart(project: Project) -> None:
    """What the first deduplicates the second does not repeat."""
    revision(project, KEPT)
    revision(project, AGAIN, number=2)
    ran = project.alembic("upgrade", "head", "--sql")
    assert ran.code != 0
    assert "the revision has none above this line" in ran.out


@pytest.mark.parametrize("builds", [0, -1])
@pytest.mark.parametrize(
    "kind", [CreateUniqueConstraintConcurrentlyOp, CreateUniqueIndexConcurrentlyOp]
)
def test_a_number_of_builds_is_one_or_more(
    kind: type[CreateUniqueConstraintConcurrentlyOp | CreateUniqueIndexConcurrentlyOp], builds: int
) -> None:
    """Refused where the operation is made."""
    with pytest.raises(CommandError, match="attempts_on_duplicates is a number of builds, 1 or mo"):
        kind("uq", "t", ["a"], attempts_on_duplicates=builds)
    assert kind("uq", "t", ["a"], attempts_on_duplicates=1).attempts_on_duplicates == 1
