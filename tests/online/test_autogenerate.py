"""What autogenerate writes where a project asks for concurrent creation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.online.revisions import ANSWERS, MADE, made
from tests.scenarios.test_templates import InitialisedProject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project

MODEL = """
    Table(
        "answers", Base.metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("user_id", Integer, nullable=False), Column("question_id", Integer, nullable=False),
        Column("note", Text), Column("deleted_at", DateTime(timezone=True)),
        {more}
        UpsertKey("user_id", "question_id", name="uq_answers"),
    )
"""
ROW = "INSERT INTO answers (user_id, question_id) VALUES (1, 1)"
CREATE = (
    "op.create_unique_constraint_concurrently('uq_answers', 'answers', ['user_id', 'question_id']"
)


def asked_for(project: Project, *statements: str, more: str = "") -> Project:
    """A table with a row, a model with the key, and the option."""
    project.sql(ANSWERS, ROW, *statements)
    project.models(MODEL.format(more=more))
    project.configure(upsert_guard_concurrently="True")
    return project


def revise(project: Project) -> list[Path]:
    """The revisions that one ``alembic revision --autogenerate`` writes, in order."""
    folder = project.path / "migrations" / "versions"
    known = set(folder.glob("*.py"))
    ran = project.alembic("revision", "--autogenerate", "-m", "answers")
    assert ran.code == 0, ran.said
    new = set(folder.glob("*.py")) - known
    return sorted(new, key=lambda path: "concurrently" in path.name)


def lines(path: Path, function: str) -> list[str]:
    body = path.read_text().split(f"def {function}")[1].split("\n\n\n")[0].splitlines()[1:]
    return [line.strip() for line in body if line.strip() and not line.strip().startswith("#")]


def test_a_table_with_rows_gets_the_concurrent_form_behind_the_check(project: Project) -> None:
    """The check of the rows comes first; the downgrade drops concurrently as well."""
    (path,) = revise(asked_for(project))
    assert lines(path, "upgrade") == [
        "op.validate_upsert_key('answers', ['user_id', 'question_id'])",
        f"{CREATE})",
    ]
    assert lines(path, "downgrade") == [
        "op.drop_unique_constraint_concurrently('uq_answers', 'answers')"
    ]


def test_it_goes_round_and_the_second_revision_is_empty(project: Project) -> None:
    """Up, down and up again leave the constraint of the models."""
    revise(asked_for(project))
    project.upgrade()
    assert made(project) == [MADE]
    (second,) = revise(project)
    assert lines(second, "upgrade") == ["pass"]
    second.unlink()
    project.downgrade()
    assert made(project) == []
    project.upgrade()
    assert made(project) == [MADE]


def test_an_empty_table_gets_the_concurrent_form_too(project: Project) -> None:
    """The developer's database is not the one that the revision is for."""
    asked_for(project, "DELETE FROM answers")
    (path,) = revise(project)
    assert lines(path, "upgrade")[-1] == f"{CREATE})"
    project.upgrade()
    assert made(project) == [MADE]
    (second,) = revise(project)
    assert lines(second, "upgrade") == ["pass"]


def test_a_table_that_was_never_written_to_goes_round(project: Project) -> None:
    """It is made at once there, and is the same."""
    asked_for(project, "TRUNCATE answers")
    revise(project)
    project.upgrade()
    assert made(project) == [MADE]
    (second,) = revise(project)
    assert lines(second, "upgrade") == ["pass"]
    second.unlink()
    project.downgrade()
    assert made(project) == []


def test_a_callable_is_asked_for_each_table(project: Project) -> None:
    """Where it returns False, the plain directive is written."""
    asked_for(project)
    project.configure(upsert_guard_concurrently="lambda table: table.name != 'answers'")
    (path,) = revise(project)
    assert "concurrently" not in path.read_text()


def test_another_answer_of_the_callable_is_refused_by_name(project: Project) -> None:
    """The message has the option, the table and the value."""
    asked_for(project)
    project.configure(upsert_guard_concurrently="lambda table: 'yes'")
    ran = project.check()
    assert ran.code != 0
    assert "upsert_guard_concurrently" in ran.said
    assert "for answers it is 'yes'" in ran.said


def test_other_operations_are_in_a_revision_before_it(project: Project) -> None:
    """The concurrent directive runs outside a transaction, and has a revision of its own."""
    first, second = revise(asked_for(project, more="Column('score', Integer),"))
    assert lines(first, "upgrade") == [
        "op.add_column('answers', sa.Column('score', sa.Integer(), nullable=True))"
    ]
    assert lines(first, "downgrade") == ["op.drop_column('answers', 'score')"]
    assert lines(second, "upgrade")[-1] == f"{CREATE})"
    assert lines(second, "downgrade") == [
        "op.drop_unique_constraint_concurrently('uq_answers', 'answers')"
    ]
    project.upgrade()
    assert made(project) == [MADE]
    (third,) = revise(project)
    assert lines(third, "upgrade") == ["pass"]


def test_check_fails_and_lists_the_key_and_the_rest(project: Project) -> None:
    """``alembic check`` sees the operations before they are split."""
    ran = asked_for(project, more="Column('score', Integer),").check()
    assert ran.code != 0
    assert "'create_unique_constraint_concurrently', None, 'answers', 'uq_answers'" in ran.said
    assert "'add_column', None, 'answers'" in ran.said
    assert any("missing-arbiter" in line for line in ran.detected())


def test_a_hook_that_renumbers_comes_first(project: Project) -> None:
    """The second revision follows the number that the hook gave."""
    asked_for(project, more="Column('score', Integer),")
    project.configure(
        upsert_guard_concurrently="True",
        process_revision_directives="lambda c, r, d: setattr(d[0], 'rev_id', '0001')",
    )
    first, second = revise(project)
    assert first.name.startswith("0001_")
    assert "down_revision = '0001'" in second.read_text()


def test_a_hook_that_clears_what_it_is_given_is_obeyed(project: Project) -> None:
    """No revision is written at all."""
    asked_for(project)
    project.configure(
        upsert_guard_concurrently="True",
        process_revision_directives="lambda c, r, d: d.clear()",
    )
    assert revise(project) == []


def test_a_deferrable_constraint_is_dropped_after_the_new_one_is_valid(project: Project) -> None:
    """At no time is the table without one, and the downgrade brings it back."""
    asked_for(
        project, "ALTER TABLE answers ADD CONSTRAINT late UNIQUE (user_id, question_id) DEFERRABLE"
    )
    before = made(project)
    (path,) = revise(project)
    assert lines(path, "upgrade")[1:] == [
        f"{CREATE})",
        "op.drop_unique_constraint_concurrently('late', 'answers')",
    ]
    assert lines(path, "downgrade")[0] == (
        "op.create_unique_constraint_concurrently('late', 'answers', ['user_id', 'question_id'], deferrable=True)"
    )
    project.upgrade()
    assert made(project) == [MADE]
    project.downgrade()
    assert made(project) == before


def test_a_constraint_of_the_same_name_is_replaced_and_comes_back(project: Project) -> None:
    """``replace=True`` is generated both ways: the downgrade makes the old one again before the new one goes."""
    asked_for(
        project,
        "ALTER TABLE answers ADD CONSTRAINT uq_answers UNIQUE (user_id, question_id) DEFERRABLE",
    )
    before = made(project)
    (path,) = revise(project)
    assert lines(path, "upgrade")[1:] == [f"{CREATE}, replace=True)"]
    assert lines(path, "downgrade") == [f"{CREATE}, deferrable=True, replace=True)"]
    project.upgrade()
    assert made(project) == [MADE]
    (second,) = revise(project)
    assert lines(second, "upgrade") == ["pass"]
    second.unlink()
    project.downgrade()
    assert made(project) == before


def test_a_plain_index_of_the_same_name_is_replaced(project: Project) -> None:
    """Nothing is left under the names that are used on the way."""
    asked_for(project, "CREATE INDEX uq_answers ON answers (user_id)")
    revise(project)
    project.upgrade()
    assert made(project) == [MADE]
    leftovers = project.rows("SELECT relname FROM pg_class WHERE relname LIKE '%upsert_guard%'")
    assert leftovers == []


def test_an_invalid_index_is_built_again(project: Project) -> None:
    """It is what a failed CREATE INDEX CONCURRENTLY leaves."""
    asked_for(project, ROW)
    try:
        project.sql_outside_a_transaction(
            "CREATE UNIQUE INDEX CONCURRENTLY uq_answers ON answers (user_id, question_id)"
        )
    except Exception:  # noqa: BLE001 - the rows are twice, which leaves it INVALID
        project.sql("DELETE FROM answers WHERE id > 1")
    assert "INVALID" in made(project)[0]
    (path,) = revise(project)
    assert "concurrently" in path.read_text()
    project.upgrade()
    assert made(project) == [MADE]


def test_partial_and_expression_keys_become_concurrent_indexes(project: Project) -> None:
    """No constraint can have either."""
    asked_for(project)
    project.edit(
        "models.py",
        'UpsertKey("user_id", "question_id", name="uq_answers")',
        'UpsertKey("user_id", text("lower(note)"), where=text("deleted_at IS NULL"), name="uq_answers")',
    )
    (path,) = revise(project)
    assert lines(path, "upgrade")[-1] == (
        "op.create_unique_index_concurrently('uq_answers', 'answers', ['user_id', sa.text('lower(note)')], "
        "where=sa.text('deleted_at IS NULL'))"
    )
    project.upgrade()
    (second,) = revise(project)
    assert lines(second, "upgrade") == ["pass"]


def test_several_databases_share_one_revision_and_a_comment_says_what_that_means(
    tmp_path: Path, url: str
) -> None:
    """The multidb template, whose env.py begins the transactions itself: there the directive says so."""
    project = InitialisedProject(tmp_path / "project", url, template="multidb")
    project.connect_to(url)
    project.connect_to(f"sqlite:///{tmp_path / 'other'}", "driver://user:pass@localhost/dbname2\n")
    project.target(
        '{"engine1": models.Base.metadata, "engine2": models.MetaData()}', "target_metadata = {}"
    )
    project.edit(
        "migrations/env.py",
        "connection=rec[",
        "upsert_guard_concurrently=True, connection=rec[",
    )
    project.sql(ANSWERS, ROW)
    project.models(MODEL.format(more="Column('score', Integer),"))
    (path,) = revise(project)
    body = path.read_text().split("def upgrade_engine1")[1].split("\n\n\n")[0]
    assert body.index("op.add_column") < body.index("# the next lines run outside a transaction")
    assert f"{CREATE})" in body
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    assert "the connection is in one that env.py began" in " ".join(ran.said.split())
    assert made(project) == []
    project.dispose()
