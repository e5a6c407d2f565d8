"""What Alembic creates by itself on a key's columns: primary keys that are unique=True, and what has no name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.project import goes_red, goes_round

if TYPE_CHECKING:
    from tests.project import Project

UPSERT = "INSERT INTO accounts (id, kind) VALUES (1, 1) ON CONFLICT (id) DO NOTHING"


def accounts(flags: str, kind: str = "primary_key=True") -> str:
    return f"""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("id"),)
            id: Mapped[int] = mapped_column({flags})
            kind: Mapped[int] = mapped_column({kind})
    """


@pytest.mark.parametrize(
    ("flags", "creation"),
    [
        ("unique=True", "op.create_unique_constraint('accounts_id_key', 'accounts', ['id'])"),
        (
            "unique=True, index=True",
            "op.create_index(op.f('ix_accounts_id'), 'accounts', ['id'], unique=True)",
        ),
    ],
)
def test_a_primary_key_that_is_unique_too(project: Project, flags: str, creation: str) -> None:
    """The table has no primary key, and Alembic compares none: what unique=True makes serves the upsert."""
    project.sql("CREATE TABLE accounts (id int NOT NULL, kind int NOT NULL)")
    project.models(accounts(f"primary_key=True, {flags}", kind=""))

    revision = goes_red(project)
    assert revision.lines("upgrade") == ["op.validate_upsert_key('accounts', ['id'])", creation]
    goes_round(project, revision)
    project.sql(UPSERT)


def test_a_primary_key_that_is_not(project: Project) -> None:
    """The twin: nothing is created that would serve, and a person has to act."""
    project.sql("CREATE TABLE accounts (id int NOT NULL, kind int NOT NULL)")
    project.models(accounts("primary_key=True", kind=""))

    assert goes_red(project).calls("upgrade") == ["op.verify_upsert_key"]


def test_a_constraint_without_a_name_can_be_undone(project: Project) -> None:
    """It gets the name that PostgreSQL gives it, so that the downgrade gets past it and restores what was there."""
    project.sql(
        "CREATE TABLE accounts (id int NOT NULL, kind int PRIMARY KEY, CONSTRAINT late UNIQUE (id) DEFERRABLE)"
    )
    project.models(accounts("unique=True"))

    revision = goes_red(project)
    assert revision.lines("upgrade")[-2:] == [
        "op.create_unique_constraint('accounts_id_key', 'accounts', ['id'])",
        "op.drop_constraint('late', 'accounts', type_='unique')",
    ]
    assert revision.lines("downgrade") == [
        "op.create_unique_constraint('late', 'accounts', ['id'], deferrable=True)",
        "op.drop_constraint('accounts_id_key', 'accounts', type_='unique')",
    ]
    goes_round(project, revision)


def test_the_servers_name_is_taken(project: Project) -> None:
    """Another constraint of the table has it, and stays: the key's own name is taken."""
    project.sql(
        "CREATE TABLE accounts (id int NOT NULL, kind int PRIMARY KEY, CONSTRAINT accounts_id_key UNIQUE (id, kind))"
    )
    project.models(
        accounts("unique=True").replace(
            '(UpsertKey("id"),)',
            '(UpsertKey("id"), UniqueConstraint("id", "kind", name="accounts_id_key"))',
        )
    )

    revision = goes_red(project)
    assert revision.lines("upgrade")[-1] == (
        "op.create_unique_constraint('uq_accounts_id', 'accounts', ['id'])"
    )
    goes_round(project, revision)


def test_in_a_batch_on_sqlite(sqlite_project: Project) -> None:
    """A batch takes no constraint without a name; with one it goes round."""
    sqlite_project.configure(render_as_batch="True")
    sqlite_project.sql("CREATE TABLE accounts (id INT NOT NULL, kind INTEGER NOT NULL PRIMARY KEY)")
    sqlite_project.models(accounts("unique=True"))

    revision = goes_red(sqlite_project)
    assert revision.lines("upgrade")[-1] == (
        "batch_op.create_unique_constraint('uq_accounts_id', ['id'])"
    )
    goes_round(sqlite_project, revision)
