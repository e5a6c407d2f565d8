"""alembic-postgresql-enum: the type of a key's column changes its values."""

from __future__ import annotations

from tests.neighbours.installed import needs
from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import is_clean

needs("alembic-postgresql-enum")

TABLE = "CREATE TABLE jobs (id serial PRIMARY KEY, tenant int NOT NULL, kind job_kind NOT NULL)"
JOBS = """
    class Kind(enum.Enum):
        mail = "mail"
        sms = "sms"

    class Job(Base):
        __tablename__ = "jobs"
        __table_args__ = (UpsertKey("tenant", "kind"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        kind: Mapped[Kind] = mapped_column(Enum(Kind, name="job_kind"))
"""


def with_jobs(project: Project, models: str, type_: str) -> None:
    project.sql(type_, TABLE)
    project.models("    import enum\n" + models)
    project.edit(
        "migrations/env.py", "import models\n", "import models\nimport alembic_postgresql_enum\n"
    )


def test_a_value_and_a_key_come_together(project: Project) -> None:
    """The type is changed and the rows are checked, in one revision."""
    with_jobs(project, JOBS, "CREATE TYPE job_kind AS ENUM ('mail')")

    revision = goes_red(project, "('tenant', 'kind'), 'missing-arbiter'", "TableReference")
    assert revision.calls("upgrade") == [
        "op.validate_upsert_key",
        "op.create_unique_constraint",
        "op.add_enum_value",
    ]
    goes_round(project, revision)


def test_a_value_comes_to_a_served_key(project: Project) -> None:
    """The constraint is there after its column has got another type, and back."""
    with_jobs(project, JOBS, "CREATE TYPE job_kind AS ENUM ('mail', 'sms')")
    goes_round(project, goes_red(project, "missing-arbiter"))
    before = project.uniques()
    project.edit("models.py", 'sms = "sms"\n', 'sms = "sms"\n    push = "push"\n')

    revision = goes_red(project, "TableReference")
    assert revision.calls("upgrade") == ["op.add_enum_value"]
    goes_round(project, revision)
    assert project.uniques() == before


def test_a_partial_key_names_a_value(project: Project) -> None:
    """A predicate on the type is compared by the database, and its index outlives the coming of a value.

    The way back is upstream's to mend: its sync_enum_values fails on any partial index whose predicate compares the
    column, ours or another's (https://github.com/Pogchamp-company/alembic-postgresql-enum/issues/134).
    """
    partial = JOBS.replace('"kind")', '"kind", where=text("kind = \'mail\'"))')
    with_jobs(project, partial, "CREATE TYPE job_kind AS ENUM ('mail', 'sms')")

    revision = goes_red(project, "missing-arbiter")
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_index"]
    goes_round(project, revision)
    before = project.uniques()
    project.edit("models.py", 'sms = "sms"\n', 'sms = "sms"\n    push = "push"\n')
    assert project.revise().calls("upgrade") == ["op.add_enum_value"]
    project.upgrade()
    assert project.uniques() == before
    assert is_clean(project)


def test_a_partial_key_on_a_value_that_is_new(project: Project) -> None:
    """PostgreSQL lets nobody use a value in the transaction that adds it: the upgrade says that it is not there."""
    partial = JOBS.replace('"kind")', '"kind", where=text("kind = \'sms\'"))')
    with_jobs(project, partial, "CREATE TYPE job_kind AS ENUM ('mail')")

    goes_red(project, "missing-arbiter", "TableReference")
    refused = project.alembic("upgrade", "head")
    assert 'invalid input value for enum job_kind: "sms"' in refused.out
    assert "Traceback" not in refused.said
