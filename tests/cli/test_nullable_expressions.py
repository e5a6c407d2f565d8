"""``nullable-key`` where the key is an expression: it doubles rows where NULL in a column makes it NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import report

if TYPE_CHECKING:
    from tests.project import Project

TABLE = "CREATE TABLE people (id serial PRIMARY KEY, first varchar, last varchar, code varchar NOT NULL)"
PERSON = """
    class Person(Base):
        __tablename__ = "people"
        id: Mapped[int] = mapped_column(primary_key=True)
        first: Mapped[str | None]
        last: Mapped[str | None]
        code: Mapped[str]

    declare_upsert_key(Person, {element}{more})
"""

DOUBLES = {
    "func.lower(Person.first)": "lower(first)",
    "func.md5(Person.first + Person.last)": "md5(first || last)",
    "Person.first + Person.code": "(first || code)",
}
HOLDS = ("func.lower(Person.code)", "func.coalesce(Person.first, 'none')")


def given(project: Project, element: str, more: str = "") -> list[str]:
    """The codes that the check finds, with an index that serves the key."""
    project.sql(TABLE)
    project.models(PERSON.replace("{element}", element).replace("{more}", more))
    assert project.alembic("revision", "--autogenerate", "-m", "r").code == 0
    project.upgrade()
    return report(project, "check").codes


@pytest.mark.parametrize("element", DOUBLES)
def test_an_expression_that_null_makes_null_is_nullable(project: Project, element: str) -> None:
    """Two rows without the value never meet, whatever the index is on."""
    assert given(project, element) == ["nullable-key"]


@pytest.mark.parametrize("element", HOLDS)
def test_an_expression_that_is_never_null_is_not(project: Project, element: str) -> None:
    """The twin: the column cannot be NULL, or the function has a value for it."""
    assert given(project, element) == []


def test_an_expression_whose_null_the_predicate_keeps_out_is_not(project: Project) -> None:
    """Rows with NULL are none that the key is about."""
    assert given(project, "func.lower(Person.first)", ", where=Person.first > ''") == []


def test_sql_that_only_the_database_can_tell_of_is_asked_there(project: Project) -> None:
    """The model knows nothing of text()."""
    assert given(project, "text('lower(first)')") == ["nullable-key"]


def test_autogenerate_names_the_expression(project: Project) -> None:
    """A log line, as for a column."""
    project.sql(TABLE)
    project.models(PERSON.replace("{element}", "func.lower(Person.first)").replace("{more}", ""))

    assert any(
        "nullable-key" in line and "lower(first)" in line for line in project.check().detected()
    )
