"""What the directives make, on a table that nobody is in the way of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.online.revisions import ANSWERS, MADE, NOT_UNIQUE, UNIQUE, made, revision

if TYPE_CHECKING:
    from tests.project import Project


def test_a_constraint_is_made_and_dropped_and_made_again(project: Project) -> None:
    """Upgrade, downgrade, upgrade."""
    project.sql(ANSWERS)
    revision(project)
    project.upgrade()
    assert made(project) == [MADE]
    project.downgrade()
    assert made(project) == []
    project.upgrade()
    assert made(project) == [MADE]


def test_an_index_takes_all_that_an_index_can_have(project: Project) -> None:
    """Columns, expressions, a predicate and INCLUDE."""
    project.sql(ANSWERS)
    revision(
        project,
        """
        op.create_unique_index_concurrently(
            'uq_answers', 'answers', ['user_id', sa.text('lower(note)')], where='deleted_at IS NULL',
            include=['question_id'],
        )
        """,
        "op.drop_unique_index_concurrently('uq_answers', 'answers')",
    )
    project.upgrade()
    (index,) = made(project)
    assert index.endswith("(user_id, lower(note)) INCLUDE (question_id) WHERE (deleted_at IS NULL)")
    project.downgrade()
    assert made(project) == []


@pytest.mark.since(15)  # NULLS NOT DISTINCT
def test_nulls_that_are_equal(project: Project) -> None:
    """``nulls_not_distinct=True`` makes UNIQUE NULLS NOT DISTINCT."""
    project.sql(ANSWERS)
    revision(project, UNIQUE.replace(")", ", nulls_not_distinct=True)"))
    project.upgrade()
    (constraint,) = made(project)
    assert constraint.endswith("UNIQUE NULLS NOT DISTINCT (user_id, question_id)")


def test_a_deferrable_constraint_is_one_afterwards(project: Project) -> None:
    """The same revision, run once more, finds that it is one."""
    project.sql(ANSWERS)
    revision(project, UNIQUE.replace(")", ", initially='DEFERRED')"))
    project.upgrade()
    assert made(project) == [f"{MADE} DEFERRABLE INITIALLY DEFERRED"]
    assert project.alembic("stamp", "base").code == 0
    project.upgrade()  # and is found to be one


def test_schemas_and_names_that_need_quotes(project: Project) -> None:
    """Blanks, per cent signs and colons reach the server as they are."""
    project.sql('CREATE SCHEMA "Other %"', 'CREATE TABLE "Other %"."An swers" ("User:id" int)')
    revision(
        project,
        "op.create_unique_constraint_concurrently('Uq %s', 'An swers', ['User:id'], schema='Other %')",
        "op.drop_unique_constraint_concurrently('Uq %s', 'An swers', schema='Other %')",
    )
    project.upgrade()
    (constraint,) = made(project)
    assert 'INDEX "Uq %s" ON "Other %"."An swers"' in constraint
    assert constraint.endswith(' / UNIQUE ("User:id")')
    project.downgrade()
    assert made(project) == []


@pytest.mark.parametrize(
    "call",
    [
        "op.create_unique_constraint_concurrently({!r}, 'answers', ['user_id', 'question_id'])",
        "op.create_unique_index_concurrently({!r}, 'answers', ['user_id'], new_rows_by='id')",
        "op.drop_unique_constraint_concurrently({!r}, 'answers')",
    ],
)
def test_a_name_that_the_server_would_cut_is_refused(project: Project, call: str) -> None:
    """It counts bytes, and made an index that was not found again: one of the name "already exists"."""
    project.sql(ANSWERS)
    name = "uq_" + 31 * "é"
    revision(project, call.format(name))
    ran = project.alembic("upgrade", "head")
    out = " ".join(ran.out.split())
    assert "nothing was changed: the name has 65 bytes, and PostgreSQL cuts off" in out
    assert made(project) == []
    shorter = out.rpartition("such as ")[2].strip("'")
    assert shorter.startswith("uq_éé")
    assert len(shorter.encode()) <= 63


def test_in_a_batch_block(project: Project) -> None:
    """The directives are there without a table's name as well."""
    project.sql(ANSWERS)
    revision(
        project,
        """
        with op.batch_alter_table('answers') as batch_op:
            batch_op.create_unique_constraint_concurrently('uq_answers', ['user_id', 'question_id'])
        """,
        """
        with op.batch_alter_table('answers') as batch_op:
            batch_op.drop_unique_constraint_concurrently('uq_answers')
        """,
    )
    project.upgrade()
    assert made(project) == [MADE]
    project.downgrade()
    assert made(project) == []


def test_what_a_foreign_key_needs_is_not_replaced(project: Project) -> None:
    """It is named; dropped above, as the message says, it is no obstacle."""
    project.sql(
        ANSWERS,
        "CREATE UNIQUE INDEX uq_answers ON answers (note)",
        "CREATE TABLE remarks (note text CONSTRAINT of_answer REFERENCES answers (note))",
    )
    replacing = UNIQUE.replace("])", "], replace=True)")
    revision(project, replacing)
    ran = project.alembic("upgrade", "head")
    assert "and the foreign key of_answer of remarks needs it" in " ".join(ran.out.split())
    assert len(made(project)) == 1

    revision(project, f"op.drop_constraint('of_answer', 'remarks')\n{replacing}")
    project.upgrade()
    assert made(project) == [MADE]


def test_in_an_autocommit_block_of_the_revisions_own(project: Project) -> None:
    """As everybody writes it around a concurrent build; what comes before and after it is done too."""
    project.sql(ANSWERS, "INSERT INTO answers (user_id, question_id) VALUES (1, 1), (1, 1)")
    revision(
        project,
        f"""
        op.add_column('answers', sa.Column('before', sa.Integer))
        with op.get_context().autocommit_block():
            op.deduplicate_upsert_key(
                'answers', ['user_id', 'question_id'], keep='last', order_by=[], archive_table='gone', batch_size=1
            )
            {UNIQUE}
        op.add_column('answers', sa.Column('after', sa.Integer))
        """,
        f"""
        with op.get_context().autocommit_block():
            {NOT_UNIQUE}
        """,
    )
    project.upgrade()
    assert made(project) == [MADE]
    assert project.rows("SELECT before, after FROM answers") == [(None, None)]
    project.downgrade()
    assert made(project) == []


def test_an_engine_in_autocommit(project: Project) -> None:
    """No transaction has to be left, and none is."""
    project.sql(ANSWERS)
    project.edit("migrations/env.py", "poolclass=pool.NullPool", 'isolation_level="AUTOCOMMIT"')
    revision(project)
    project.upgrade()
    assert made(project) == [MADE]


def test_a_transaction_for_each_migration(project: Project) -> None:
    """The table of an earlier revision is committed by then."""
    project.configure(transaction_per_migration="True")
    revision(project, f"op.execute('''{ANSWERS}''')", "op.drop_table('answers')")
    revision(project, number=2)
    project.upgrade()
    assert made(project) == [MADE]


def test_what_the_revision_did_before_is_seen(project: Project) -> None:
    """A column that the same revision added is committed before the build."""
    project.sql(ANSWERS)
    revision(
        project,
        """
        op.add_column('answers', sa.Column('score', sa.Integer()))
        op.create_unique_index_concurrently('uq_answers', 'answers', ['user_id', 'score'])
        """,
    )
    project.upgrade()
    assert made(project) == [
        "CREATE UNIQUE INDEX uq_answers ON public.answers USING btree (user_id, score)"
    ]
