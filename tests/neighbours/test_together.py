"""Several neighbours in one env.py, each with its comparators and hooks."""

from __future__ import annotations

from tests.neighbours.installed import needs
from tests.neighbours.test_alembic_utils import ENTITIES
from tests.neighbours.test_geoalchemy2 import HOOKS
from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import ACCOUNTS, CREATE, TABLE, VALIDATE

needs("alembic-postgresql-enum")


SCHEMA = """
    from sqlalchemy_declarative_extensions import Schemas, declare_database, register_alembic_events

    register_alembic_events(schemas=True, functions=False, views=False)
    declare_database(Base.metadata, schemas=Schemas().are("side"))

"""
"""Functions and views are alembic-utils' here: either of the two drops what the other has made of one kind."""


def test_four_at_once(project: Project) -> None:
    """alembic-utils, alembic-postgresql-enum, sqlalchemy-declarative-extensions and GeoAlchemy2: all goes round."""
    project.sql(TABLE, "CREATE TYPE mood AS ENUM ('good')", "ALTER TABLE accounts ADD mood mood")
    enum = """
    import enum

    class Mood(enum.Enum):
        good = "good"
        bad = "bad"

"""
    with_mood = ACCOUNTS.replace(
        "email: Mapped[str]",
        'email: Mapped[str]\n        mood: Mapped[Mood | None] = mapped_column(Enum(Mood, name="mood"))',
    )
    project.models(ENTITIES + enum + with_mood + SCHEMA)
    project.configure(**HOOKS)
    imports = (
        "import models\nimport alembic_postgresql_enum\nfrom geoalchemy2 import alembic_helpers\n"
    )
    project.edit("migrations/env.py", "import models\n", imports)

    revision = goes_red(project, "'accounts', ('tenant', 'email'), 'missing-arbiter'")
    lines = revision.lines("upgrade")
    assert lines.index(VALIDATE) + 1 == lines.index(CREATE)
    for theirs in ("op.create_entity", "op.add_enum_value", "op.execute"):
        assert theirs in revision.calls("upgrade")
    goes_round(project, revision)
