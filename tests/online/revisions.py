"""Revisions as a person writes them, in a throw-away project."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.project import Project

ANSWERS = """
    CREATE TABLE answers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int NOT NULL,
                          question_id int NOT NULL, note text, deleted_at timestamptz)
"""

UNIQUE = (
    "op.create_unique_constraint_concurrently('uq_answers', 'answers', ['user_id', 'question_id'])"
)
NOT_UNIQUE = "op.drop_unique_constraint_concurrently('uq_answers', 'answers')"

MADE = (
    "CREATE UNIQUE INDEX uq_answers ON public.answers USING btree (user_id, question_id)"
    " / UNIQUE (user_id, question_id)"
)


def revision(
    project: Project, upgrade: str = UNIQUE, downgrade: str = NOT_UNIQUE, number: int = 1
) -> None:
    """Write revision `number`, below the one before it."""
    down = f"'h{number - 1:02}'" if number > 1 else "None"
    body = textwrap.dedent
    (project.path / "migrations" / "versions" / f"h{number:02}.py").write_text(
        f"from alembic import op\nimport sqlalchemy as sa\nrevision = 'h{number:02}'\ndown_revision = {down}\n"
        f"\n\ndef upgrade():\n{textwrap.indent(body(upgrade).strip(), '    ')}\n"
        f"\n\ndef downgrade():\n{textwrap.indent(body(downgrade).strip(), '    ')}\n"
    )


def made(project: Project) -> list[str]:
    """What is unique beside the primary key."""
    return [line for line in project.uniques() if "_pkey" not in line]
