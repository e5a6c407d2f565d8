"""include_object and include_name: what the user hides from autogenerate is hidden from us as well."""

from __future__ import annotations

import pytest

from tests.project import Project, goes_red, goes_round

ACCOUNTS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]
"""
TABLE = "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL)"


def test_include_object_hides_the_table(project: Project) -> None:
    """Its key is neither judged nor mentioned."""
    project.sql(TABLE)
    project.models(ACCOUNTS)
    project.configure(
        include_object='lambda o, name, kind, *_: (kind, name) != ("table", "accounts")'
    )

    check = project.check()
    assert check.code == 0
    assert check.detected() == []
    assert project.revise().is_empty


def test_include_object_hides_the_constraint_of_the_model(project: Project) -> None:
    """Alembic does not create it, so there is nothing to validate."""
    project.sql(TABLE)
    project.models(ACCOUNTS)
    project.configure(include_object='lambda o, name, *_: name != "uq_accounts_tenant_email"')

    assert project.check().code == 0
    assert project.revise().is_empty


@pytest.mark.parametrize(
    "hidden",
    [
        {"include_object": 'lambda o, name, *_: name != "theirs"'},
        {"include_object": 'lambda o, name, kind, *_: kind != "unique_constraint"'},
        {"include_name": 'lambda name, *_: name != "theirs"'},
    ],
    ids=["object by name", "object by kind", "name"],
)
def test_a_hidden_deferrable_constraint_is_left_alone(
    project: Project, hidden: dict[str, str]
) -> None:
    """It spoils every upsert, which one log line says; the user's filter holds."""
    project.sql(
        TABLE, "ALTER TABLE accounts ADD CONSTRAINT theirs UNIQUE (email, tenant) DEFERRABLE"
    )
    project.models(ACCOUNTS)
    project.configure(**hidden)

    revision = project.revise()
    assert "theirs" not in revision.text
    (line,) = [said for said in revision.ran.detected() if "theirs" in said]
    assert line.startswith("Left upsert key accounts (tenant, email) alone (deferrable-arbiter: ")


def test_a_hidden_arbiter_serves_all_the_same(project: Project) -> None:
    """The database has what the upsert needs, whoever looks after it."""
    project.sql(TABLE, "CREATE UNIQUE INDEX theirs ON accounts (tenant, email)")
    project.models(ACCOUNTS)
    project.configure(include_name='lambda name, *_: name != "theirs"')

    assert project.check().code == 0
    assert project.revise().is_empty


def test_what_is_not_hidden_is_mended(project: Project) -> None:
    """A filter on one table leaves the others to us."""
    project.sql(TABLE, "CREATE TABLE notes (id serial PRIMARY KEY, slug varchar NOT NULL)")
    project.models(
        ACCOUNTS
        + """
    class Note(Base):
        __tablename__ = "notes"
        __table_args__ = (UpsertKey("slug"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        slug: Mapped[str]
        """
    )
    project.configure(
        include_object='lambda o, name, kind, *_: (kind, name) != ("table", "accounts")'
    )

    revision = goes_red(project, "'notes', ('slug',)")
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('notes', ['slug'])",
        "op.create_unique_constraint('uq_notes_slug', 'notes', ['slug'])",
    ]
    goes_round(project, revision)
