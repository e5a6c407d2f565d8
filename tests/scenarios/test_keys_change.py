"""Models that change: keys renamed, removed, added beside others, and moved to other columns."""

from __future__ import annotations

import pytest

from tests.project import ALEMBIC_RESTORES, Project, goes_red, goes_round

TABLE = """
    CREATE TABLE accounts (
        id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL, kind varchar NOT NULL
    )
"""


def accounts(keys: str, email: str = "email: Mapped[str]", after: str = "") -> str:
    return f"""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = ({keys})
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int]
            {email}
            kind: Mapped[str]

        {after}
    """


def test_a_hand_written_index_has_another_name_than_the_database(project: Project) -> None:
    """The key points at it, and its name is the model's: Alembic renames it, and the rows are validated."""
    project.sql(TABLE, "CREATE UNIQUE INDEX theirs ON accounts (tenant, email)")
    project.models(
        accounts(
            'UpsertKey("tenant", "email"),',
            after='Index("ours", Account.tenant, Account.email, unique=True)',
        )
    )

    revision = goes_red(project)
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'])",
        "op.create_index('ours', 'accounts', ['tenant', 'email'], unique=True)",
        "op.drop_index(op.f('theirs'), table_name='accounts')",
    ]
    goes_round(project, revision)


def test_the_stated_name_changes(project: Project) -> None:
    """The constraint is made anew under the new name, validated; and back."""
    project.sql(TABLE, "ALTER TABLE accounts ADD CONSTRAINT old_name UNIQUE (tenant, email)")
    project.models(accounts('UpsertKey("tenant", "email", name="new_name"),'))

    revision = goes_red(project)
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'])",
        "op.create_unique_constraint('new_name', 'accounts', ['tenant', 'email'])",
        "op.drop_constraint(op.f('old_name'), 'accounts', type_='unique')",
    ]
    goes_round(project, revision)


def test_a_name_that_is_no_longer_stated_changes_nothing(project: Project) -> None:
    """Any arbiter will do then, and the one that is there does."""
    project.sql(TABLE, "ALTER TABLE accounts ADD CONSTRAINT old_name UNIQUE (tenant, email)")
    project.models(accounts('UpsertKey("tenant", "email"),'))

    assert project.check().code == 0
    assert project.revise().is_empty


@ALEMBIC_RESTORES
def test_the_key_is_removed_from_the_models(project: Project) -> None:
    """Its constraint goes as any other does."""
    project.sql(
        TABLE, "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email)"
    )
    project.models(accounts(""))

    revision = goes_red(project, "remove_constraint")
    assert revision.calls("upgrade") == ["op.drop_constraint"]
    goes_round(project, revision)


def test_one_of_two_keys_is_removed(project: Project) -> None:
    """A comment is directly above the drop, and one warning line: old code still upserts on it."""
    project.sql(
        TABLE,
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email)",
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_kind UNIQUE (kind)",
    )
    project.models(accounts('UpsertKey("kind"),'))

    revision = goes_red(project, "remove_constraint")
    comment, drop = revision.lines("upgrade")[-2:]
    assert comment.startswith("# ")
    assert drop.startswith("op.drop_constraint")
    (warning,) = [line for line in revision.ran.err.splitlines() if "arbiter-removed" in line]
    assert warning.startswith("WARNI")
    goes_round(project, revision)


def test_the_key_becomes_an_index(project: Project) -> None:
    """as_index=True on a key that has its constraint changes nothing: what is there serves."""
    project.sql(
        TABLE, "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email)"
    )
    project.models(accounts('UpsertKey("tenant", "email", as_index=True),'))

    assert project.check().code == 0
    assert project.revise().is_empty


@pytest.mark.since(15)  # NULLS NOT DISTINCT
def test_the_stated_meaning_of_null_changes(project: Project) -> None:
    """The constraint is made anew under the same name; the downgrade restores the old NULL mode."""
    project.sql(
        TABLE.replace("tenant int NOT NULL", "tenant int"),
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE NULLS NOT DISTINCT (tenant, email)",
    )
    project.models(
        accounts('UpsertKey("tenant", "email", nulls="distinct"),').replace(
            "tenant: Mapped[int]", "tenant: Mapped[int | None]"
        )
    )

    revision = goes_red(project)
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'], nulls='distinct')",
        "op.create_unique_constraint(op.f('uq_accounts_tenant_email_new'), 'accounts', ['tenant', 'email'])",
        "op.drop_constraint(op.f('uq_accounts_tenant_email'), 'accounts', type_='unique')",
        "op.execute('ALTER TABLE accounts RENAME CONSTRAINT uq_accounts_tenant_email_new TO uq_accounts_tenant_email')",
    ]
    goes_round(project, revision)


def test_one_of_two_keys_is_short(project: Project) -> None:
    """The other one is left as it is and not mentioned."""
    project.sql(TABLE, "CREATE UNIQUE INDEX theirs ON accounts (kind)")
    project.models(accounts('UpsertKey("kind"), UpsertKey("tenant", "email"),'))

    revision = goes_red(project, "('tenant', 'email'), 'missing-arbiter'")
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'])",
        "op.create_unique_constraint('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'])",
    ]
    assert [
        line.split(" on upsert")[0] for line in revision.ran.detected() if "Detected" in line
    ] == ["Detected missing-arbiter"]
    goes_round(project, revision)


def test_a_key_comes_with_a_column_that_it_does_not_use(project: Project) -> None:
    """Both are in the revision."""
    project.sql(TABLE)
    project.models(
        accounts(
            'UpsertKey("tenant", "kind"),', email="email: Mapped[str]; note: Mapped[str | None]"
        )
    )

    revision = goes_red(project)
    assert sorted(revision.calls("upgrade")) == [
        "op.add_column",
        "op.create_unique_constraint",
        "op.validate_upsert_key",
    ]
    goes_round(project, revision)


def test_the_key_moves_from_a_dropped_column_to_an_added_one(project: Project) -> None:
    """The new column is there before the check, the old one goes after the deploy; the downgrade restores the key."""
    project.sql(
        TABLE, "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email)"
    )
    project.models(accounts('UpsertKey("tenant", "login"),', email="login: Mapped[str]"))

    revision = goes_red(project)
    calls = revision.calls("upgrade")
    assert calls[0] == "op.add_column"
    assert calls.index("op.validate_upsert_key") + 1 == calls.index("op.create_unique_constraint")
    assert revision.contract is not None
    assert revision.contract.calls("upgrade") == ["op.drop_constraint", "op.drop_column"]
    goes_round(project, revision)


def test_the_key_loses_a_column(project: Project) -> None:
    """A column of the key is dropped: the constraint on the others is validated and created before the deploy."""
    project.sql(
        TABLE,
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email)",
        "INSERT INTO accounts (tenant, email, kind) VALUES (1, 'a', 'x'), (1, 'b', 'x')",
    )
    project.models(accounts('UpsertKey("tenant"),', email=""))

    revision = goes_red(project)
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_unique_constraint"]
    assert revision.contract is not None
    assert revision.contract.calls("upgrade")[-1] == "op.drop_column"
    refused = project.alembic("upgrade", "head")
    assert "tenant = 1: 2 rows, id 1, 2" in refused.out
    project.sql("DELETE FROM accounts")
    goes_round(project, revision)


def test_a_dropped_column_takes_an_arbiter_with_it(project: Project) -> None:
    """PostgreSQL drops the constraint with its column: a comment above that line and a warning say so."""
    project.sql(
        TABLE,
        "ALTER TABLE accounts ADD CONSTRAINT by_email UNIQUE (email)",
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_kind UNIQUE (kind)",
    )
    project.models(accounts('UpsertKey("kind"),', email=""))
    project.configure(include_name='lambda name, *_: name != "by_email"')

    revision = goes_red(project)
    assert "arbiter-removed" in revision.ran.err
    comment, drop = revision.lines("upgrade")[-2:]
    assert comment.startswith("# ")
    assert drop == "op.drop_column('accounts', 'email')"
