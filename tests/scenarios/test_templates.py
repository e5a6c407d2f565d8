"""Projects as ``alembic init`` writes them, with the lines filled in that a user fills in."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.project import Project, goes_red, goes_round

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = "(id {serial} PRIMARY KEY, tenant integer NOT NULL, email varchar NOT NULL, kind varchar NOT NULL)"
ACCOUNTS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email", as_index=True),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]
        kind: Mapped[str]

    declare_upsert_key(Account, "kind", func.abs(Account.tenant))
"""
# the second key's, in other words: the database is asked about it, through each driver
THEIRS = 'CREATE UNIQUE INDEX theirs ON accounts (ABS("tenant"), kind)'
TWO_EQUAL_ROWS = "INSERT INTO accounts VALUES (1, 1, 'a', 'x'), (2, 1, 'a', 'y')"
VALIDATE = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
CREATE = "op.create_index('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'], unique=True)"
REFUSAL = "upsert key accounts (tenant, email) does not hold: 1 duplicate group, 1 surplus row"


@dataclass
class InitialisedProject(Project):
    """A project that ``alembic init -t template`` wrote."""

    template: str = "generic"

    def __post_init__(self) -> None:
        super().__post_init__()
        shutil.rmtree(self.path / "migrations")
        (self.path / "alembic.ini").unlink()
        ran = self.alembic("init", "-t", self.template, "migrations")
        assert ran.code == 0, ran.said

    def connect_to(
        self, url: str, placeholder: str = "driver://user:pass@localhost/dbname\n"
    ) -> None:
        self.edit("alembic.ini", placeholder, url.replace("%", "%%") + "\n")

    def target(self, metadata: str, placeholder: str = "target_metadata = None") -> None:
        self.edit("migrations/env.py", placeholder, f"import models\ntarget_metadata = {metadata}")


@pytest.mark.parametrize(
    ("template", "driver"),
    [
        ("generic", "psycopg2"),
        ("async", "asyncpg"),
        ("pyproject", "psycopg"),
        ("pyproject_async", "asyncpg"),
    ],
)
def test_a_template_on_postgresql(tmp_path: Path, url: str, template: str, driver: str) -> None:
    """Refused with the report and without a traceback, then round, under each driver."""
    project = InitialisedProject(tmp_path / "project", url, template=template)
    project.connect_to(url.replace("psycopg2", driver))
    project.target("models.Base.metadata")
    project.sql(f"CREATE TABLE accounts {COLUMNS.format(serial='serial')}", THEIRS, TWO_EQUAL_ROWS)
    project.models(ACCOUNTS)

    revision = goes_red(project, "missing-arbiter")
    assert revision.lines("upgrade") == [VALIDATE, CREATE]
    refused = project.alembic("upgrade", "head")
    assert refused.code != 0
    assert REFUSAL in refused.out
    assert "Traceback" not in refused.said
    project.sql("DELETE FROM accounts")
    goes_round(project, revision)
    project.dispose()


def test_the_async_template_on_sqlite(tmp_path: Path) -> None:
    """The same with aiosqlite."""
    path = tmp_path / "database.sqlite"
    project = InitialisedProject(tmp_path / "project", f"sqlite:///{path}", template="async")
    project.connect_to(f"sqlite+aiosqlite:///{path}")
    project.target("models.Base.metadata")
    project.sql(
        f"CREATE TABLE accounts {COLUMNS.format(serial='integer NOT NULL')}", THEIRS, TWO_EQUAL_ROWS
    )
    project.models(ACCOUNTS)

    revision = goes_red(project, "missing-arbiter")
    refused = project.alembic("upgrade", "head")
    assert refused.code != 0
    assert REFUSAL in refused.out
    assert "Traceback" not in refused.said
    project.sql("DELETE FROM accounts")
    goes_round(project, revision)
    project.dispose()


def test_two_databases(tmp_path: Path, url: str) -> None:
    """The multidb template: each engine's function holds its own key, and a refusal in one stops both."""
    other = tmp_path / "other.sqlite"
    project = InitialisedProject(tmp_path / "project", url, template="multidb")
    project.connect_to(url)
    project.connect_to(f"sqlite:///{other}", "driver://user:pass@localhost/dbname2\n")
    project.target(
        '{"engine1": models.Base.metadata, "engine2": models.Other.metadata}',
        "target_metadata = {}",
    )
    project.sql(f"CREATE TABLE accounts {COLUMNS.format(serial='serial')}", THEIRS, TWO_EQUAL_ROWS)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute(
            "CREATE TABLE notes (id integer NOT NULL PRIMARY KEY, slug varchar NOT NULL)"
        )
    project.models(
        ACCOUNTS
        + """
    class Other(DeclarativeBase):
        pass

    class Note(Other):
        __tablename__ = "notes"
        __table_args__ = (UpsertKey("slug", as_index=True),)
        id: Mapped[int] = mapped_column(primary_key=True)
        slug: Mapped[str]
        """
    )

    revision = goes_red(project, "'accounts', ('tenant', 'email')", "'notes', ('slug',)")
    assert revision.lines("upgrade_engine1") == [VALIDATE, CREATE]
    assert revision.lines("upgrade_engine2") == [
        "op.validate_upsert_key('notes', ['slug'])",
        "op.create_index('uq_notes_slug', 'notes', ['slug'], unique=True)",
    ]
    refused = project.alembic("upgrade", "head")
    assert REFUSAL in refused.out
    project.sql("DELETE FROM accounts")
    project.upgrade()
    assert project.check().code == 0
    second = project.revise()
    assert second.lines("upgrade_engine1") == second.lines("upgrade_engine2") == ["pass"]
    second.path.unlink()
    project.downgrade()
    project.upgrade()
    project.dispose()
