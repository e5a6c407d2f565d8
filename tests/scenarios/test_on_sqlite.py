"""SQLite: what can be created without a batch, what its catalog does not hold, and what serves as it is."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from tests.project import Project, goes_red, goes_round

TABLE = """
    CREATE TABLE accounts (
        id INTEGER NOT NULL PRIMARY KEY, tenant INTEGER NOT NULL, email VARCHAR NOT NULL, kind VARCHAR NOT NULL
    )
"""
EXPRESSION = 'declare_upsert_key(Account, "tenant", func.lower(Account.email))'
PARTIAL = "UpsertKey('tenant', where=text(\"kind <> 'gone'\"))"


def accounts(*keys: str, after: str = "") -> str:
    return f"""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = ({"".join(f"{key}, " for key in keys)})
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int]
            email: Mapped[str]
            kind: Mapped[str]

        {after}
    """


def test_an_index_needs_no_batch(sqlite_project: Project) -> None:
    """as_index=True: the check, then the index."""
    sqlite_project.sql(TABLE)
    sqlite_project.models(accounts('UpsertKey("tenant", "email", as_index=True)'))

    revision = goes_red(sqlite_project, "missing-arbiter")
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'])",
        "op.create_index('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'], unique=True)",
    ]
    goes_round(sqlite_project, revision)


@pytest.mark.parametrize("batch", ["True", "False"])
def test_a_partial_key_goes_round(sqlite_project: Project, batch: str) -> None:
    """Its predicate is in the check and in the index."""
    sqlite_project.sql(
        TABLE,
        "INSERT INTO accounts VALUES (1, 1, 'a', 'gone'), (2, 1, 'a', 'gone'), (3, 1, 'b', '')",
    )
    sqlite_project.models(accounts(PARTIAL))
    sqlite_project.configure(render_as_batch=batch)

    revision = goes_red(sqlite_project, "missing-arbiter")
    assert revision.lines("upgrade")[0] == (
        "op.validate_upsert_key('accounts', ['tenant'], where=sa.text(\"kind <> 'gone'\"))"
    )
    goes_round(sqlite_project, revision)
    (index,) = sqlite_project.uniques()
    assert index.endswith("WHERE kind <> 'gone'")


@pytest.mark.parametrize("batch", ["True", "False"])
def test_an_expression_key_goes_round(sqlite_project: Project, batch: str) -> None:
    """Alembic does not see such an index here, and would create it in every revision."""
    sqlite_project.sql(TABLE)
    sqlite_project.models(accounts(after=EXPRESSION))
    sqlite_project.configure(render_as_batch=batch)

    revision = goes_red(sqlite_project, "missing-arbiter")
    assert revision.calls("upgrade")[0] == "op.validate_upsert_key"
    goes_round(sqlite_project, revision)
    (index,) = sqlite_project.uniques()
    assert index.endswith("(tenant, lower(email))")


def test_an_expression_key_of_a_stated_name_goes_round(sqlite_project: Project) -> None:
    """A stated name is Alembic's to compare, and Alembic does not see the index: the second is empty all the same."""
    sqlite_project.sql(TABLE)
    named = EXPRESSION.replace("))", '), name="by_email")')
    sqlite_project.models(accounts(after=named))

    revision = goes_red(sqlite_project, "missing-arbiter")
    goes_round(sqlite_project, revision)


def test_a_hand_written_expression_index_goes_round(sqlite_project: Project) -> None:
    """The same where the key points at the model's own index."""
    sqlite_project.sql(TABLE)
    index = 'Index("by_email", Account.tenant, func.lower(Account.email), unique=True)'
    sqlite_project.models(accounts(after=f"{EXPRESSION}; {index}"))

    revision = goes_red(sqlite_project, "missing-arbiter")
    goes_round(sqlite_project, revision)


@pytest.mark.parametrize(
    ("there", "key"),
    [
        ("CREATE UNIQUE INDEX theirs ON accounts (tenant) WHERE (KIND != 'gone')", PARTIAL),
        ('CREATE UNIQUE INDEX theirs ON accounts (LOWER("email"), tenant)', EXPRESSION),
    ],
    ids=["predicate", "expression"],
)
def test_the_same_in_other_words_is_there(sqlite_project: Project, there: str, key: str) -> None:
    """SQLite compares structure, and is asked: nothing is generated."""
    sqlite_project.sql(TABLE, there)
    sqlite_project.models(accounts(key) if key == PARTIAL else accounts(after=key))

    assert sqlite_project.check().code == 0
    assert sqlite_project.revise().is_empty


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("(id INTEGER NOT NULL PRIMARY KEY, tenant INTEGER NOT NULL)", ["id"]),
        (
            "(id INTEGER NOT NULL, tenant INTEGER NOT NULL, PRIMARY KEY (id, tenant))",
            ["tenant", "id"],
        ),
        ("(id INT NOT NULL, tenant INT NOT NULL, PRIMARY KEY (id)) WITHOUT ROWID", ["id"]),
    ],
    ids=["rowid", "composite", "without rowid"],
)
def test_the_primary_key_is_the_key(sqlite_project: Project, table: str, key: list[str]) -> None:
    """An INTEGER PRIMARY KEY is the rowid, with no index to be seen, and serves."""
    sqlite_project.sql(f"CREATE TABLE pairs {table}")
    sqlite_project.models(f"""
        class Pair(Base):
            __tablename__ = "pairs"
            __table_args__ = (UpsertKey(*{key}),)
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int] = mapped_column(primary_key={"tenant" in key})
    """)

    assert sqlite_project.check().code == 0
    assert sqlite_project.revise().is_empty


def test_an_index_over_the_rowid_serves_nothing(sqlite_project: Project) -> None:
    """SQLite infers no index that holds the rowid under its column's name: the check fails, index or no index."""
    sqlite_project.sql(TABLE, "CREATE UNIQUE INDEX theirs ON accounts (tenant, id)")
    upsert = "INSERT INTO accounts VALUES (1, 1, 'a', '') ON CONFLICT (tenant, id) DO NOTHING"
    with pytest.raises(OperationalError, match="does not match any PRIMARY KEY or UNIQUE"):
        sqlite_project.sql(upsert)
    sqlite_project.models(accounts('UpsertKey("tenant", "id", as_index=True)'))

    check = sqlite_project.check()
    assert check.code != 0
    assert "upsert key accounts (tenant, id) is never served on SQLite" in check.out


def test_a_unique_column_is_the_key(sqlite_project: Project) -> None:
    """An unnamed UNIQUE in CREATE TABLE serves, in any order of its columns."""
    sqlite_project.sql(
        TABLE.replace("VARCHAR NOT NULL\n", "VARCHAR NOT NULL, UNIQUE (email, tenant)\n")
    )
    sqlite_project.models(accounts('UpsertKey("tenant", "email")'))

    assert sqlite_project.check().code == 0
    assert sqlite_project.revise().is_empty


def test_a_removed_key_goes_with_its_constraint(sqlite_project: Project) -> None:
    """The key was made in a batch, and is dropped in a batch, and comes back in the downgrade."""
    sqlite_project.configure(render_as_batch="True")
    sqlite_project.sql(TABLE)
    sqlite_project.models(accounts('UpsertKey("tenant", "email")'))
    sqlite_project.revise()
    sqlite_project.upgrade()
    sqlite_project.models(accounts())

    revision = goes_red(sqlite_project, "remove_constraint")
    assert revision.calls("upgrade") == ["op.batch_alter_table", "batch_op.drop_constraint"]
    goes_round(sqlite_project, revision)


def test_without_a_batch_the_log_says_what_to_set(sqlite_project: Project) -> None:
    """Alembic writes the constraint and refuses to run it; the line names both ways out."""
    sqlite_project.sql(TABLE)
    sqlite_project.models(accounts('UpsertKey("tenant", "email")'))

    revision = goes_red(sqlite_project)
    (line,) = revision.ran.detected()
    assert "render_as_batch=True" in line
    assert "as_index=True" in line
    refused = sqlite_project.alembic("upgrade", "head")
    assert "No support for ALTER of constraints in SQLite dialect" in refused.said
