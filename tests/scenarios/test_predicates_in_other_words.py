"""A partial index whose predicate says the same in other words: the planner proves it both ways, or it is another."""

from __future__ import annotations

import pytest

from tests.cli.commands import report
from tests.project import Project, goes_red, goes_round

TABLE = """
    CREATE TABLE jobs (id serial PRIMARY KEY, tenant int NOT NULL, kind varchar NOT NULL, size int)
"""
JOBS = """
    class Job(Base):
        __tablename__ = "jobs"
        __table_args__ = (UpsertKey("tenant", where=text("{where}")),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        kind: Mapped[str]
        size: Mapped[int | None]
"""

SAME = [
    ("kind IN ('a', 'b')", "kind = 'b' OR kind = 'a'"),
    ("kind = 'a' AND size > 3", "size > 3 AND kind = 'a'"),
    ("size > 3", "3 < size"),
    ("size > 3", "size > 3 AND size IS NOT NULL"),
    ("NOT (size > 3)", "size <= 3"),
]
OTHERS = [
    ("kind = 'a'", "kind = 'a' OR kind = 'b'"),  # the upsert finds it, and it forbids more rows
    ("size > 3", "size > 3 OR size IS NULL"),
    ("size > 3", "size > 4"),
]


@pytest.mark.parametrize(("where", "theirs"), SAME)
def test_the_same_rows(project: Project, where: str, theirs: str) -> None:
    """It is kept, and no second one is made; the command names it as the arbiter."""
    project.sql(TABLE, f"CREATE UNIQUE INDEX theirs ON jobs (tenant) WHERE {theirs}")
    project.models(JOBS.format(where=where))

    check = project.check()
    assert check.code == 0, check.said
    assert [line for line in check.detected() if "Kept theirs: it serves " in line]
    assert project.revise().is_empty
    assert [key["arbiters"] for key in report(project, "check").keys] == [["theirs"]]


@pytest.mark.parametrize(("where", "theirs"), OTHERS)
def test_other_rows(project: Project, where: str, theirs: str) -> None:
    """The key's own index is made, though the database may infer the other for its upserts."""
    project.sql(TABLE, f"CREATE UNIQUE INDEX theirs ON jobs (tenant) WHERE {theirs}")
    project.models(JOBS.format(where=where))

    revision = goes_red(project, "'jobs', ('tenant',)")
    assert {"op.validate_upsert_key", "op.create_index"} <= set(revision.calls("upgrade"))
    goes_round(project, revision)


@pytest.mark.since(15)  # NULLS NOT DISTINCT
def test_the_same_rows_and_other_nulls(project: Project) -> None:
    """The predicate is the same, the NULL mode is not."""
    project.sql(
        "CREATE TABLE jobs (id serial PRIMARY KEY, tenant int, kind varchar NOT NULL, size int)",
        "CREATE UNIQUE INDEX theirs ON jobs (tenant) NULLS NOT DISTINCT WHERE kind = 'b' OR kind = 'a'",
    )
    project.models(
        JOBS.format(where="kind IN ('a', 'b')").replace(
            "tenant: Mapped[int]", "tenant: Mapped[int | None]"
        )
    )
    assert goes_red(project, "'jobs', ('tenant',), 'nulls-mismatch'")


def test_an_invalid_index_of_the_same_rows(project: Project) -> None:
    """It is dropped, and made again as the key has it."""
    project.sql(TABLE, "INSERT INTO jobs (tenant, kind) VALUES (1, 'a'), (1, 'a')")
    with pytest.raises(Exception, match="could not create unique index"):
        project.sql_outside_a_transaction(
            "CREATE UNIQUE INDEX CONCURRENTLY theirs ON jobs (tenant) WHERE kind = 'b' OR kind = 'a'"
        )
    project.sql("DELETE FROM jobs")
    project.models(JOBS.format(where="kind IN ('a', 'b')"))

    revision = goes_red(project, "'jobs', ('tenant',), 'invalid-arbiter'")
    project.upgrade()
    assert len([unique for unique in project.uniques() if "WHERE" in unique]) == 1
    assert revision.calls("upgrade")[:2] == ["op.validate_upsert_key", "op.drop_index"]
