"""What the directives make, on a table that nobody is in the way of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.online.revisions import ANSWERS, MADE, made, revision

if TYPE_CHECKING:
    from tests.project import Project


def test_a_constraint_is_made_and_goes_and_comes_back(project: Project) -> None:
    project.sql(ANSWERS)
    revision(project)
    project.upgrade()
    assert made(project) == [MADE]
    project.downgrade()
    assert made(project) == []
    project.upgrade()
    assert made(project) == [MADE]


def test_an_index_takes_all_that_an_index_can_have(project: Project) -> None:
    project.sql(ANSWERS)
    revision(
        project,
        """
        op.create_unique_index_concurrently(
            'uq_answers', 'answers', ['user_id', sa.text('lower(note)')], where='deleted_at IS NULL',
            include=['question_id'], nulls_not_distinct=True,
        )
        """,
        "op.drop_unique_index_concurrently('uq_answers', 'answers')",
    )
    project.upgrade()
    (index,) = made(project)
    assert index.endswith(
        "(user_id, lower(note)) INCLUDE (question_id) NULLS NOT DISTINCT WHERE (deleted_at IS NULL)"
    )
    project.downgrade()
    assert made(project) == []
