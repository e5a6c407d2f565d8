"""GeoAlchemy2: its three hooks in env.py, where no table has a geometry: the server of the tests lacks PostGIS."""

from __future__ import annotations

import pytest

from tests.neighbours.installed import needs
from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import ACCOUNTS, CREATE, TABLE, VALIDATE

needs("GeoAlchemy2")

HOOKS = {
    "include_object": "alembic_helpers.include_object",
    "process_revision_directives": "alembic_helpers.writer",
    "render_item": "alembic_helpers.render_item",
}


@pytest.mark.parametrize("kind", ["project", "sqlite_project"], ids=["postgresql", "sqlite"])
def test_its_hooks_leave_the_key_alone(kind: str, request: pytest.FixtureRequest) -> None:
    """The writer, the filter and the renderer act on every operation; ours come through."""
    project: Project = request.getfixturevalue(kind)
    project.sql(TABLE.replace("serial", "integer NOT NULL"))
    project.models(ACCOUNTS)
    project.configure(render_as_batch=str(kind == "sqlite_project"), **HOOKS)
    project.edit(
        "migrations/env.py",
        "import models\n",
        "import models\nfrom geoalchemy2 import alembic_helpers\n",
    )

    revision = goes_red(project, "missing-arbiter")
    assert revision.lines("upgrade")[0] == VALIDATE
    if kind == "project":
        assert revision.lines("upgrade") == [VALIDATE, CREATE]
    goes_round(project, revision)


def test_a_column_of_its_type_in_a_new_table(project: Project) -> None:
    """What would need PostGIS is written and not run: the key's constraint stands in its create_geospatial_table."""
    project.models("""
    from geoalchemy2 import Geometry

    class Place(Base):
        __tablename__ = "places"
        __table_args__ = (UpsertKey("name"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        at = mapped_column(Geometry("POINT"))
    """)
    project.configure(**HOOKS)
    project.edit(
        "migrations/env.py",
        "import models\n",
        "import models\nfrom geoalchemy2 import alembic_helpers\n",
    )

    revision = goes_red(project, "add_table")
    assert revision.calls("upgrade")[0] == "op.create_geospatial_table"
    assert "sa.UniqueConstraint('name', name='uq_places_name')" in revision.text
