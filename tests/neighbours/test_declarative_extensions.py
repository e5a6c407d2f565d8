"""sqlalchemy-declarative-extensions: functions, views and roles beside the key, as raw SQL among the operations."""

from __future__ import annotations

from tests.neighbours.installed import needs
from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import ACCOUNTS, CREATE, TABLE, VALIDATE

needs("sqlalchemy-declarative-extensions")

DECLARED = """
    from sqlalchemy_declarative_extensions import (
        Function, Functions, View, Views, declare_database, register_alembic_events,
    )

    register_alembic_events(functions=True, views=True)
    declare_database(
        Base.metadata,
        functions=Functions().are(
            Function(
                "remember",
                "INSERT INTO accounts (tenant, email) VALUES (1, 'a') ON CONFLICT (tenant, email) DO NOTHING",
                language="sql",
                returns="void",
            )
        ),
        views=Views().are(View("emails", "SELECT email FROM accounts")),
    )

"""


def test_a_function_that_upserts_and_a_view(project: Project) -> None:
    """Its operations and ours stand in one revision, which goes down and up."""
    project.sql(TABLE)
    project.models(ACCOUNTS + DECLARED)

    revision = goes_red(project, "'accounts', ('tenant', 'email'), 'missing-arbiter'")
    lines = revision.lines("upgrade")
    assert lines.index(VALIDATE) + 1 == lines.index(CREATE)
    assert "FUNCTION remember" in revision.text
    goes_round(project, revision)
    project.sql("SELECT remember()", "SELECT remember()")
    assert project.rows("SELECT * FROM emails") == [("a",)]
