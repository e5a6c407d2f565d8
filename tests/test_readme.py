"""The README's example, run as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.project import Project

README = (Path(__file__).parents[1] / "README.md").read_text()


def block(language: str, number: int = 0) -> str:
    """The text of the README's fenced block, by language and place."""
    return README.split(f"```{language}\n")[number + 1].split("```")[0]


def test_the_example_happens_as_told(project: Project) -> None:
    """The error, the red check, the revision, the refusal and the mended upsert are those of the README."""
    create, upsert, error = block("sql").splitlines()
    project.sql(create)
    with pytest.raises(Exception, match=error.split("42P10: ")[1]):
        project.sql(upsert)

    project.models(block("python").split("\n\n", 1)[1])
    detected, failed = block("text").splitlines()
    check = project.check()
    assert detected in check.err
    assert failed.split("('add_constraint'")[0] in check.out

    assert project.revise().written("upgrade") == [
        line.strip() for line in block("python", 1).splitlines()[1:]
    ]

    row = "INSERT INTO user_mistakes (user_id, question_id, times_wrong) VALUES (1, 7, 1)"
    project.sql(row, row)
    assert block("text", 1).strip() in project.alembic("upgrade", "head").out

    project.sql("DELETE FROM user_mistakes WHERE id = 2")
    project.upgrade()
    project.sql(upsert, upsert)
    assert project.rows("SELECT count(*) FROM user_mistakes") == [(1,)]
    assert project.check().code == 0
