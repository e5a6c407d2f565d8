"""alembic-utils: functions and views among the operations, compared by its own comparators."""

from __future__ import annotations

from tests.neighbours.installed import needs
from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import ACCOUNTS, CREATE, TABLE, VALIDATE

needs("alembic-utils")

ENTITIES = """
    from alembic_utils.pg_function import PGFunction
    from alembic_utils.pg_view import PGView
    from alembic_utils.replaceable_entity import register_entities

    remember = PGFunction(
        schema="public",
        signature="remember(whose integer, what text)",
        definition=\"\"\"
            RETURNS void LANGUAGE sql AS $$
            INSERT INTO accounts (tenant, email) VALUES (whose, what) ON CONFLICT (tenant, email) DO NOTHING
            $$
        \"\"\",
    )
    emails = PGView(schema="public", signature="emails", definition="SELECT email FROM accounts")
    register_entities([remember, emails])

"""


def test_a_function_that_upserts_and_a_view(project: Project) -> None:
    """They and the key are told by one check, made by one revision, and gone after one downgrade."""
    project.sql(TABLE)
    project.models(ENTITIES + ACCOUNTS)

    revision = goes_red(project, "'accounts', ('tenant', 'email'), 'missing-arbiter'", "remember")
    lines = revision.lines("upgrade")
    assert lines.index(VALIDATE) + 1 == lines.index(CREATE)
    assert revision.calls("upgrade").count("op.create_entity") == 2
    goes_round(project, revision)
    project.sql("SELECT remember(1, 'a')", "SELECT remember(1, 'a')")
    assert project.rows("SELECT * FROM emails") == [("a",)]
