"""``docs/mysql.md`` says what the servers do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.project import Project

PAGE = (Path(__file__).parents[2] / "docs" / "mysql.md").read_text(encoding="utf-8")


def test_the_first_example_happens_as_described(mysql_project: Project) -> None:
    """Two rows, and no error."""
    shown = PAGE.split("```sql server\n")[1].split("```")[0]
    *statements, query, answer = shown.splitlines()
    mysql_project.sql(*(statement.removesuffix(";") for statement in statements))

    (row,) = mysql_project.rows(query.removesuffix(";"))
    assert answer == f"-- {', '.join(map(str, row))}"


def test_what_it_refers_to_is_there() -> None:
    """Pages, and tests by their path."""
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    paths = re.findall(r"`(tests/[\w/.]+)`", PAGE)
    root = Path(__file__).parents[2]

    assert links
    assert all((root / "docs" / link).is_file() for link in links)
    assert paths
    assert all((root / path).is_file() for path in paths)
