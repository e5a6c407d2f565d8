"""SQLModel: the key in ``__table_args__``, its metadata as target, its strings in the revision."""

from __future__ import annotations

from tests.neighbours.installed import needs
from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import CREATE, TABLE, VALIDATE

needs("sqlmodel")

HERO = """
    from sqlmodel import Field, SQLModel

    class Account(SQLModel, table=True):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"),)
        id: int | None = Field(default=None, primary_key=True)
        tenant: int
        email: str

"""


def of_sqlmodel(project: Project) -> None:
    project.models(HERO)
    # SQLModel's classes are made with their annotations at hand
    project.edit("models.py", "from __future__ import annotations\n", "")
    project.edit("migrations/env.py", "models.Base.metadata", "models.SQLModel.metadata")
    project.edit(
        "migrations/script.py.mako",
        "import sqlalchemy as sa\n",
        "import sqlalchemy as sa\nimport sqlmodel\n",
    )


def test_a_table_that_is_there(project: Project) -> None:
    """The rows are checked, the constraint is made."""
    project.sql(TABLE)
    of_sqlmodel(project)

    revision = goes_red(project, "'accounts', ('tenant', 'email'), 'missing-arbiter'")
    assert revision.lines("upgrade") == [VALIDATE, CREATE]
    goes_round(project, revision)


def test_a_table_that_is_new(project: Project) -> None:
    """Its constraint is in the table, between SQLModel's own types."""
    of_sqlmodel(project)

    revision = goes_red(project, "add_table")
    assert revision.calls("upgrade") == ["op.create_table"]
    assert (
        "sa.UniqueConstraint('tenant', 'email', name='uq_accounts_tenant_email')" in revision.text
    )
    assert "sqlmodel.sql.sqltypes.AutoString()" in revision.text
    goes_round(project, revision)
