"""render_as_batch: a check reads the table before the block that changes it, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

from tests.project import Project, goes_red, goes_round

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = """
    CREATE TABLE accounts (
        id integer NOT NULL PRIMARY KEY, tenant integer NOT NULL, email varchar(50) NOT NULL, kind varchar NOT NULL
    )
"""
BLOCK = "with op.batch_alter_table('accounts', schema=None) as batch_op:"
VALIDATE = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
CREATE = "batch_op.create_unique_constraint('uq_accounts_tenant_email', ['tenant', 'email'])"


@pytest.fixture(params=["project", "sqlite_project"], ids=["postgresql", "sqlite"])
def batch_project(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A project with ``render_as_batch=True`` and the table, on each database."""
    made: Project = request.getfixturevalue(request.param)
    made.configure(render_as_batch="True")
    made.sql(TABLE)
    return made


def accounts(keys: str, email: str = "mapped_column(String(50))", more: str = "") -> str:
    return f"""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = ({keys},)
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int]
            email: Mapped[str] = {email}
            kind: Mapped[str]
            {more}
    """


def test_the_check_stands_before_the_block(batch_project: Project) -> None:
    """The block is applied when it is left, and the rows are read before."""
    batch_project.models(accounts('UpsertKey("tenant", "email")'))

    revision = goes_red(batch_project, "missing-arbiter")
    assert revision.lines("upgrade") == [VALIDATE, BLOCK, CREATE]
    assert revision.lines("downgrade") == [
        BLOCK,
        "batch_op.drop_constraint('uq_accounts_tenant_email', type_='unique')",
    ]
    goes_round(batch_project, revision)


def test_duplicates_are_refused_before_the_block(batch_project: Project) -> None:
    """The report comes out, and the table is as it was."""
    batch_project.sql("INSERT INTO accounts VALUES (1, 1, 'a', 'x'), (2, 1, 'a', 'y')")
    batch_project.models(accounts('UpsertKey("tenant", "email")'))
    batch_project.revise()

    refused = batch_project.alembic("upgrade", "head")
    assert refused.code != 0
    assert "tenant = 1, email = 'a': 2 rows, id 1, 2" in refused.out
    assert "Traceback" not in refused.said
    assert batch_project.rows("SELECT count(*) FROM accounts") == [(2,)]


def test_two_keys_share_one_block(batch_project: Project) -> None:
    """Both checks come before it."""
    batch_project.models(accounts('UpsertKey("tenant", "email"), UpsertKey("kind", as_index=True)'))

    revision = goes_red(batch_project)
    assert revision.calls("upgrade")[:3] == [
        "op.validate_upsert_key",
        "op.validate_upsert_key",
        "op.batch_alter_table",
    ]
    assert sorted(revision.calls("upgrade")[3:]) == [
        "batch_op.create_index",
        "batch_op.create_unique_constraint",
    ]
    goes_round(batch_project, revision)


def test_the_key_uses_a_column_that_the_revision_adds(batch_project: Project) -> None:
    """The block is parted around the check: only then is the column there."""
    batch_project.sql("INSERT INTO accounts VALUES (1, 1, 'a', 'x'), (2, 2, 'b', 'y')")
    batch_project.models(
        accounts(
            'UpsertKey("tenant", "login")',
            more='login: Mapped[str] = mapped_column(server_default="none")',
        )
    )

    revision = goes_red(batch_project)
    assert revision.calls("upgrade") == [
        "op.batch_alter_table",
        "batch_op.add_column",
        "op.validate_upsert_key",
        "op.batch_alter_table",
        "batch_op.create_unique_constraint",
    ]
    assert [call for call in revision.calls("downgrade") if call != "op.batch_alter_table"] == [
        "batch_op.drop_constraint",
        "batch_op.drop_column",
    ]
    goes_round(batch_project, revision)


def test_the_added_column_makes_duplicates(batch_project: Project) -> None:
    """They are reported, with the column's default."""
    batch_project.sql("INSERT INTO accounts VALUES (1, 1, 'a', 'x'), (2, 1, 'b', 'y')")
    batch_project.models(
        accounts(
            'UpsertKey("tenant", "login")',
            more='login: Mapped[str] = mapped_column(server_default="none")',
        )
    )
    batch_project.revise()

    refused = batch_project.alembic("upgrade", "head")
    assert refused.code != 0
    assert "tenant = 1, login = 'none': 2 rows, id 1, 2" in refused.out


def test_the_key_uses_a_column_that_the_revision_alters(batch_project: Project) -> None:
    """The rows are read after the change: they are compared as the index will compare them."""
    batch_project.models(
        accounts('UpsertKey("tenant", "email")', email="mapped_column(String(80))")
    )

    revision = goes_red(batch_project)
    assert revision.calls("upgrade") == [
        "op.batch_alter_table",
        "batch_op.alter_column",
        "op.validate_upsert_key",
        "op.batch_alter_table",
        "batch_op.create_unique_constraint",
    ]
    goes_round(batch_project, revision)


def test_another_column_that_is_added_parts_nothing(sqlite_project: Project) -> None:
    """The key does not need it: one block, the check before it."""
    sqlite_project.configure(render_as_batch="True")
    sqlite_project.sql(TABLE)
    sqlite_project.models(
        accounts(
            'UpsertKey("tenant", "email")',
            more='login: Mapped[str] = mapped_column(server_default="x")',
        )
    )

    revision = goes_red(sqlite_project)
    assert revision.calls("upgrade") == [
        "op.validate_upsert_key",
        "op.batch_alter_table",
        "batch_op.add_column",
        "batch_op.create_unique_constraint",
    ]
    goes_round(sqlite_project, revision)


def test_nothing_to_do_renders_no_block(batch_project: Project) -> None:
    """An arbiter of another name serves: the revision passes, and has no ``with`` without a body."""
    batch_project.sql("CREATE UNIQUE INDEX theirs ON accounts (email, tenant)")
    batch_project.models(accounts('UpsertKey("tenant", "email")'))

    assert batch_project.check().code == 0
    revision = batch_project.revise()
    assert revision.lines("upgrade") == ["pass"]
    assert revision.lines("downgrade") == ["pass"]


def test_a_deferrable_constraint_is_replaced_in_one_block(project: Project) -> None:
    """Create and drop are in the same block, the check before it, and the downgrade undoes both."""
    project.configure(render_as_batch="True")
    project.sql(
        TABLE, "ALTER TABLE accounts ADD CONSTRAINT theirs UNIQUE (tenant, email) DEFERRABLE"
    )
    project.models(accounts('UpsertKey("tenant", "email")'))

    revision = goes_red(project, "deferrable-arbiter")
    assert revision.lines("upgrade") == [
        VALIDATE,
        BLOCK,
        CREATE,
        "batch_op.drop_constraint('theirs', type_='unique')",
    ]
    goes_round(project, revision)


def test_a_primary_key_that_a_person_reshapes_in_a_block(batch_project: Project) -> None:
    """The verification is outside of any block, and no empty block beside it."""
    batch_project.sql("CREATE TABLE pairs (a integer NOT NULL PRIMARY KEY, b integer NOT NULL)")
    batch_project.models(
        """
        class Pair(Base):
            __tablename__ = "pairs"
            __table_args__ = (UpsertKey("a", "b"),)
            a: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
            b: Mapped[int] = mapped_column(primary_key=True)
        """
    )
    batch_project.configure(
        render_as_batch="True", include_object='lambda o, name, *_: name != "accounts"'
    )

    revision = goes_red(batch_project)
    assert revision.calls("upgrade") == ["op.verify_upsert_key"]
    assert revision.lines("downgrade") == ["pass"]


@pytest.mark.parametrize("good", [True, False], ids=["beside a valid one", "alone"])
def test_an_invalid_index_is_dropped_outside_of_a_block(project: Project, *, good: bool) -> None:
    """The downgrade does not bring it back, and has no block without a body where nothing else is to undo."""
    project.configure(render_as_batch="True")
    project.sql(TABLE, "INSERT INTO accounts VALUES (1, 1, 'a', 'x'), (2, 1, 'a', 'y')")
    with pytest.raises(IntegrityError, match="could not create unique index"):
        project.sql_outside_a_transaction(
            "CREATE UNIQUE INDEX CONCURRENTLY broken ON accounts (email, tenant)"
        )
    project.sql("DELETE FROM accounts")
    if good:
        project.sql("CREATE UNIQUE INDEX good ON accounts (tenant, email)")
    project.models(accounts('UpsertKey("tenant", "email")'))

    revision = goes_red(project)
    assert "op.drop_index" in revision.calls("upgrade")
    assert ("op.validate_upsert_key" in revision.calls("upgrade")) == (not good)
    project.upgrade()
    assert project.check().code == 0
    project.downgrade()


def test_an_index_of_the_stated_name_has_another_predicate(batch_project: Project) -> None:
    """The new one has a temporary name until the old one is dropped; the downgrade makes the old one again."""
    batch_project.sql("CREATE UNIQUE INDEX live ON accounts (tenant) WHERE kind = 'x'")
    batch_project.models(
        accounts("UpsertKey('tenant', where=text(\"kind <> 'gone'\"), name='live')")
    )

    revision = goes_red(batch_project, "predicate-mismatch")
    assert revision.calls("upgrade") == [
        "op.validate_upsert_key",
        "op.batch_alter_table",
        "batch_op.create_index",
    ]
    assert revision.contract is not None
    assert revision.contract.calls("upgrade")[0] == "op.drop_index"
    goes_round(batch_project, revision)


def test_a_partial_key_that_the_revision_makes_meaningful(batch_project: Project) -> None:
    """The predicate names a column that the same revision adds: the check reads it after the first part."""
    batch_project.models(
        accounts(
            "UpsertKey('tenant', where=text('gone = 0'))",
            more='gone: Mapped[int] = mapped_column(server_default="0")',
        )
    )

    revision = goes_red(batch_project)
    assert revision.calls("upgrade") == [
        "op.batch_alter_table",
        "batch_op.add_column",
        "op.validate_upsert_key",
        "op.batch_alter_table",
        "batch_op.create_index",
    ]
    goes_round(batch_project, revision)


def test_without_batch_the_order_is_add_check_create(project: Project) -> None:
    """The same revision as a flat list."""
    project.sql(TABLE)
    project.models(
        accounts(
            'UpsertKey("tenant", "login")',
            more='login: Mapped[str] = mapped_column(server_default="none")',
        )
    )

    revision = goes_red(project)
    assert revision.calls("upgrade") == [
        "op.add_column",
        "op.validate_upsert_key",
        "op.create_unique_constraint",
    ]
    assert revision.lines("downgrade") == [
        "op.drop_constraint('uq_accounts_tenant_login', 'accounts', type_='unique')",
        "op.drop_column('accounts', 'login')",
    ]
    goes_round(project, revision)
