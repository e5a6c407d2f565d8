"""Advanced Alchemy: its commands and env.py, its bases and mixins, and its repository, which upserts on the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.neighbours.installed import needs
from tests.project import Revision
from tests.shapes.keys import TWICE

if TYPE_CHECKING:
    from tests.project import Project, Ran

needs("advanced-alchemy")

MODELS = """
import os

from advanced_alchemy.base import BigIntAuditBase, UUIDBase
from advanced_alchemy.config import AlembicAsyncConfig, SQLAlchemyAsyncConfig
from advanced_alchemy.mixins import SlugKey
from alembic_upsert_guard import UpsertKey, declare_upsert_key, declared_upsert_keys
from sqlalchemy.orm import Mapped

class Account(BigIntAuditBase):
    __tablename__ = "accounts"
    __table_args__ = (UpsertKey("tenant", "email"),)
    tenant: Mapped[int]
    email: Mapped[str]

class Page(UUIDBase, SlugKey):
    __tablename__ = "pages"
    title: Mapped[str]

declare_upsert_key(Page, "slug")

config = SQLAlchemyAsyncConfig(
    connection_string=os.environ["PROJECT_URL"].replace("psycopg2", "asyncpg"),
    alembic_config=AlembicAsyncConfig(script_location="migrations_of_app", script_config="app.ini"),
)
"""
KEY = '    __table_args__ = (UpsertKey("tenant", "email"),)\n'
UPSERT = """
import asyncio
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from app import Account, config
from sqlalchemy import event

class Accounts(SQLAlchemyAsyncRepository[Account]):
    model_type = Account

async def main():
    said = []
    engine = config.get_engine()
    event.listen(engine.sync_engine, "before_cursor_execute", lambda c, k, sql, *_: said.append(sql))
    for _ in range(2):
        async with config.get_session() as session:
            rows = [Account(tenant=1, email="a"), Account(tenant=1, email="b")]
            await Accounts(session=session).upsert_many(rows, match_fields=["tenant", "email"])
            await session.commit()
    print(sum("ON CONFLICT (tenant, email)" in sql for sql in said))
    await engine.dispose()

asyncio.run(main())
"""


def alchemy(project: Project, *arguments: str) -> Ran:
    return project.python("-m", "advanced_alchemy", "--config", "app.config", *arguments)


def goes(project: Project, *commands: str) -> None:
    for command in commands:
        ran = alchemy(project, *command.split())
        assert ran.code == 0, ran.said


def revised(project: Project) -> Revision | None:
    """What ``make-migrations`` writes; None where there is nothing to write, and it takes its file back."""
    known = set((project.path / "migrations_of_app").rglob("*.py"))
    ran = alchemy(project, "make-migrations", "--no-prompt", "-m", "r")
    assert ran.code == 0, ran.said
    new = set((project.path / "migrations_of_app").rglob("*.py")) - known
    return Revision(path, path.read_text(), ran) if (path := next(iter(new), None)) else None


def with_tables(project: Project, models: str = MODELS.replace(KEY, "")) -> None:
    """The application, its migrations begun, its tables made."""
    (project.path / "app.py").write_text(models)
    goes(project, "init migrations_of_app --no-prompt")
    first = revised(project)
    assert first is not None
    assert (
        first.text.count("sa.UniqueConstraint") == 1
    )  # its mixin's, which the key on the slug points at
    goes(project, "upgrade --no-prompt", "check")


def test_its_commands(project: Project) -> None:
    """A key that comes to a table: check, revision, refusal, upgrade, nothing left, down, up; no line of ours."""
    with_tables(project)
    (project.path / "app.py").write_text(MODELS)
    project.sql(
        TWICE.replace("(tenant, email)", "(tenant, email, created_at, updated_at)")
        .replace("'a')", "'a', now(), now())")
        .replace("accounts (", "accounts (id, ")
        .replace("(1, 'a'", "(nextval('accounts_id_seq'), 1, 'a'")
    )

    check = alchemy(project, "check")
    assert "('tenant', 'email'), 'missing-arbiter'" in check.said
    revision = revised(project)
    assert revision is not None
    assert revision.calls("schema_upgrades")[:3] == [
        "op.validate_upsert_key",
        "op.batch_alter_table",
        "batch_op.create_unique_constraint",
    ]
    refused = alchemy(project, "upgrade", "--no-prompt")
    assert refused.code != 0
    assert (
        "does not hold: 1 duplicate group, 1 surplus row; what the revision did above the check stays, for it runs in "
        "AUTOCOMMIT"
    ) in " ".join(refused.said.split())
    project.sql("DELETE FROM accounts")
    goes(
        project,
        "upgrade --no-prompt",
        "check",
        "downgrade --no-prompt",
        "upgrade --no-prompt",
        "check",
    )
    assert revised(project) is None


def test_its_repository_upserts_on_the_key(project: Project) -> None:
    """upsert_many() takes ON CONFLICT where match_fields are unique, which the declared key makes them."""
    (project.path / "app.py").write_text(MODELS)
    goes(project, "init migrations_of_app --no-prompt")
    revised(project)
    goes(project, "upgrade --no-prompt", "check")

    ran = project.python("-c", UPSERT)
    assert ran.code == 0, ran.said
    assert ran.out == "2\n"
    assert project.rows("SELECT count(*) FROM accounts") == [(2,)]
