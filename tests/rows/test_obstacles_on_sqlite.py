"""What SQLite makes no index of is reported before any DDL, as on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.project import Project

TABLE = (
    "CREATE TABLE things (id INTEGER NOT NULL PRIMARY KEY, thing TEXT NOT NULL, day TEXT NOT NULL)"
)
THINGS = """
    class Thing(Base):
        __tablename__ = "things"
        __table_args__ = ({key},)
        id: Mapped[int] = mapped_column(primary_key=True)
        thing: Mapped[str] = mapped_column(Text)
        day: Mapped[str] = mapped_column(Text)
"""
ROW = "INSERT INTO things VALUES (1, 'a', '2026-01-01')"


def things(project: Project, key: str, *rows: str) -> Project:
    """A table of things, and a revision generated for the key that has yet to be applied."""
    project.sql(TABLE, *rows)
    project.models(THINGS.replace("{key}", key))
    project.revise()
    return project


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ('text("random()")', "non-deterministic functions prohibited in index expressions"),
        ('"thing", text("(SELECT 1)")', "subqueries prohibited in index expressions"),
        ('text("things.thing || 1")', 'the "." operator prohibited in index expressions'),
        ('text("rowid + 1")', "no such column: rowid"),
        (
            '"thing", where=text("random() > 0")',
            "non-deterministic functions prohibited in partial index WHERE clauses",
        ),
        ("text(\"date('now')\")", "non-deterministic use of date() in an index"),
        (
            '"thing", where=text("day > date(\'now\')")',
            "non-deterministic use of date() in an index",
        ),
    ],
)
@pytest.mark.parametrize("rows", [[], [ROW]], ids=["empty", "a row"])
def test_what_cannot_be_indexed_is_refused_beforehand(
    sqlite_project: Project, key: str, words: str, rows: list[str]
) -> None:
    """With SQLite's own message; nothing is changed, and nothing is left behind."""
    project = things(sqlite_project, f"UpsertKey({key})", *rows)

    refused = project.alembic("upgrade", "head")
    assert refused.code != 0
    assert f"The database says: {words}" in refused.out
    assert "nothing was changed" in refused.out
    assert "Traceback" not in refused.said
    assert project.uniques() == []
    assert project.rows("SELECT count(*) FROM things") == [(len(rows),)]


def test_a_date_of_a_column_can_be_indexed(sqlite_project: Project) -> None:
    """The same function, of what the row says: its twin."""
    things(sqlite_project, 'UpsertKey(text("date(day)"))', ROW).upgrade()

    (index,) = sqlite_project.uniques()
    assert index.endswith("(date(day))")


def test_the_predicate_picks_the_row_that_is_tried(sqlite_project: Project) -> None:
    """The first row is none of the key's, and would have been a good one."""
    key = 'UpsertKey(text("date(day)"), where=text("things.thing = \'b\'"))'
    project = things(sqlite_project, key, ROW, "INSERT INTO things VALUES (2, 'b', 'now')")

    assert "non-deterministic use of date()" in project.alembic("upgrade", "head").out


def test_a_table_that_is_not_there_is_no_obstacle(sqlite_project: Project) -> None:
    """The rows cannot be read, and that is what is said."""
    project = things(sqlite_project, 'UpsertKey("thing", as_index=True)')
    project.sql("DROP TABLE things")

    refused = project.alembic("upgrade", "head")
    assert (
        "the rows could not be checked, nothing was changed. The database says: no such table: things"
        in refused.out
    )


def test_a_duplicate_is_still_reported(sqlite_project: Project) -> None:
    """An expression that can be indexed is compared row by row."""
    upper = ROW.replace("(1, 'a'", "(2, 'A'")
    project = things(sqlite_project, "UpsertKey(func.lower(column('thing')))", ROW, upper)

    assert "1 duplicate group, 1 surplus row" in project.alembic("upgrade", "head").out
