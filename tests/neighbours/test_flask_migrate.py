"""Flask-Migrate: ``flask db``, with its own env.py, its batch mode and its hook against empty revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.neighbours.installed import needs
from tests.project import Revision
from tests.shapes.keys import REFUSAL, TABLE

if TYPE_CHECKING:
    from tests.project import Project, Ran

needs("Flask-Migrate")
needs("Flask-SQLAlchemy")

APP = """
import os

from alembic_upsert_guard import UpsertKey
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["PROJECT_URL"]
db = SQLAlchemy(app, model_class=Base)
Migrate(app, db, directory="flask_migrations")

class Account(db.Model):
    __tablename__ = "accounts"
    __table_args__ = (UpsertKey("tenant", "email"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[int]
    email: Mapped[str]
"""


def flask(project: Project, *arguments: str) -> Ran:
    return project.python("-m", "flask", "--app", "app", "db", *arguments)


def migrate(project: Project) -> Revision | None:
    """What ``flask db migrate`` writes; None where there is nothing to write."""
    known = set(project.path.rglob("flask_migrations/versions/*.py"))
    ran = flask(project, "migrate", "-m", "r")
    assert ran.code == 0, ran.said
    new = set(project.path.rglob("flask_migrations/versions/*.py")) - known
    return Revision(path, path.read_text(), ran) if (path := next(iter(new), None)) else None


@pytest.mark.parametrize("kind", ["project", "sqlite_project"], ids=["postgresql", "sqlite"])
def test_flask_db(kind: str, request: pytest.FixtureRequest) -> None:
    """Check, migrate, upgrade refused and gone through, nothing left, down and up: no line of ours in env.py."""
    project: Project = request.getfixturevalue(kind)
    project.sql(
        TABLE.replace("serial", "integer NOT NULL"),
        "INSERT INTO accounts VALUES (1, 1, 'a'), (2, 1, 'a')",
    )
    (project.path / "app.py").write_text(APP)
    assert flask(project, "init").code == 0

    check = flask(project, "check")
    assert check.code != 0
    assert "('tenant', 'email'), 'missing-arbiter'" in check.said
    revision = migrate(project)
    assert revision is not None
    assert revision.calls("upgrade") == [
        "op.validate_upsert_key",
        "op.batch_alter_table",
        "batch_op.create_unique_constraint",
    ]
    refused = flask(project, "upgrade")
    assert refused.code != 0
    assert REFUSAL in refused.said
    assert "Traceback" not in refused.said
    project.sql("DELETE FROM accounts")
    for command in ("upgrade", "check", "downgrade", "upgrade", "check"):
        ran = flask(project, command)
        assert ran.code == 0, ran.said
    assert migrate(project) is None
    assert any("tenant, email" in unique for unique in project.uniques())
