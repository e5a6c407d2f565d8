"""Each row of the contract's table: what the database has, and what the revision then does."""

from __future__ import annotations

import pytest

from tests.project import Project, goes_round

ACCOUNTS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"{key}),{more})
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]
        kind: Mapped[str]
"""
TABLE = """
    CREATE TABLE accounts (
        id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL, kind varchar NOT NULL
    )
"""
VALIDATE = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
CREATE = "op.create_unique_constraint('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'])"


def accounts(key: str = "", more: str = "") -> str:
    return ACCOUNTS.format(key=key, more=more)


def test_nothing_is_there(project: Project) -> None:
    """A key without anything unique behind it is validated, then created; check is red until then."""
    project.sql(TABLE)
    project.models(accounts())

    check = project.check()
    assert check.code != 0
    assert (
        "('validate_upsert_key', None, 'accounts', ('tenant', 'email'), 'missing-arbiter')"
        in check.out
    )
    revision = project.revise()
    assert revision.lines("upgrade") == [VALIDATE, CREATE]
    assert revision.lines("downgrade") == [
        "op.drop_constraint('uq_accounts_tenant_email', 'accounts', type_='unique')"
    ]
    goes_round(project, revision)


@pytest.mark.parametrize(
    ("there", "fact"),
    [
        ("CREATE UNIQUE INDEX near ON accounts (tenant)", "one column too few (email)"),
        (
            "CREATE UNIQUE INDEX near ON accounts (tenant, email, kind)",
            "one column too many (kind)",
        ),
        ("CREATE UNIQUE INDEX near ON accounts (tenant, kind)", "it covers kind and not email"),
        ("CREATE INDEX near ON accounts (tenant, email)", "it is not unique"),
    ],
)
def test_a_near_miss_is_there(project: Project, there: str, fact: str) -> None:
    """The same as with nothing, and the log line names what comes near."""
    project.sql(TABLE, there)
    project.models(accounts())

    revision = project.revise()
    lines = revision.lines("upgrade")
    assert (lines[0], lines[-1]) == (VALIDATE, CREATE)
    assert fact in "".join(revision.ran.detected())
    goes_round(project, revision)


@pytest.mark.parametrize(
    "there",
    [
        "CREATE UNIQUE INDEX theirs ON accounts (tenant, email)",
        "CREATE UNIQUE INDEX theirs ON accounts (email DESC, tenant) INCLUDE (kind)",
        "CREATE UNIQUE INDEX uq_accounts_tenant_email ON accounts (tenant, email)",
        "ALTER TABLE accounts ADD CONSTRAINT theirs UNIQUE (email, tenant)",
        pytest.param(
            "ALTER TABLE accounts ADD CONSTRAINT theirs UNIQUE NULLS NOT DISTINCT (tenant, email)",
            marks=pytest.mark.since(15),
        ),
    ],
)
def test_an_arbiter_of_another_name_order_or_kind_is_there(project: Project, there: str) -> None:
    """Nothing is generated: what is there serves."""
    project.sql(TABLE, there)
    project.models(accounts())

    assert project.check().code == 0
    assert project.revise().is_empty


def test_several_arbiters_are_there(project: Project) -> None:
    """None of them is dropped."""
    project.sql(
        TABLE,
        "CREATE UNIQUE INDEX one ON accounts (tenant, email)",
        "CREATE UNIQUE INDEX other ON accounts (email, tenant)",
    )
    project.models(accounts())

    assert project.revise().is_empty


def test_an_arbiter_of_another_name_than_stated_is_there(project: Project) -> None:
    """Alembic's own operations stay, and the rows are validated."""
    project.sql(TABLE, "ALTER TABLE accounts ADD CONSTRAINT theirs UNIQUE (tenant, email)")
    project.models(accounts(key=', name="ours"'))

    revision = project.revise()
    assert revision.lines("upgrade") == [
        VALIDATE,
        "op.create_unique_constraint('ours', 'accounts', ['tenant', 'email'])",
        "op.drop_constraint(op.f('theirs'), 'accounts', type_='unique')",
    ]
    goes_round(project, revision)


@pytest.mark.parametrize("name", ["uq_accounts_tenant_email", "theirs"])
@pytest.mark.parametrize("timing", ["INITIALLY IMMEDIATE", "INITIALLY DEFERRED"])
def test_a_deferrable_constraint_is_there(project: Project, name: str, timing: str) -> None:
    """It is dropped when the new one is there, and comes back deferrable in the downgrade."""
    project.sql(
        TABLE,
        f"ALTER TABLE accounts ADD CONSTRAINT {name} UNIQUE (email, tenant) DEFERRABLE {timing}",
    )
    project.models(accounts())

    revision = project.revise()
    takes_its_name = ["op.execute"] if name != "theirs" else []
    assert [line.split("(")[0] for line in revision.lines("upgrade")] == [
        "op.validate_upsert_key",
        "op.create_unique_constraint",
        "op.drop_constraint",
        *takes_its_name,
    ]
    assert "deferrable-arbiter" in revision.ran.detected()[-1]
    goes_round(project, revision)


def test_a_deferrable_constraint_is_beside_a_good_one(project: Project) -> None:
    """It spoils every upsert all the same: it alone is dropped."""
    project.sql(
        TABLE,
        "ALTER TABLE accounts ADD CONSTRAINT spoils UNIQUE (email, tenant) DEFERRABLE",
        "CREATE UNIQUE INDEX good ON accounts (tenant, email)",
    )
    project.models(accounts())

    revision = project.revise()
    assert revision.lines("upgrade") == ["op.drop_constraint('spoils', 'accounts', type_='unique')"]
    goes_round(project, revision)


@pytest.mark.parametrize("name", ["uq_accounts_tenant_email", "theirs", "theirs_ccnew"])
def test_an_invalid_index_is_there(project: Project, name: str) -> None:
    """The rows are validated, it is dropped, the constraint created; the downgrade does not bring it back."""
    project.sql(
        TABLE, "INSERT INTO accounts (tenant, email, kind) VALUES (1, 'a', 'x'), (1, 'a', 'x')"
    )
    with pytest.raises(Exception, match="could not create unique index"):
        project.sql_outside_a_transaction(
            f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON accounts (tenant, email)"
        )
    project.sql("DELETE FROM accounts")
    project.models(accounts())

    check = project.check()
    assert "invalid-arbiter" in check.out
    revision = project.revise()
    assert [line.split("(")[0] for line in revision.lines("upgrade")] == [
        "op.validate_upsert_key",
        "op.drop_index",
        "op.create_unique_constraint",
    ]
    assert revision.lines("downgrade") == [
        "op.drop_constraint('uq_accounts_tenant_email', 'accounts', type_='unique')"
    ]
    project.upgrade()
    assert project.check().code == 0
    second = project.revise()
    assert second.is_empty
    second.path.unlink()
    project.downgrade()
    project.upgrade()


def test_an_invalid_index_is_beside_a_valid_one(project: Project) -> None:
    """The INVALID one alone is dropped."""
    project.sql(
        TABLE, "INSERT INTO accounts (tenant, email, kind) VALUES (1, 'a', 'x'), (1, 'a', 'x')"
    )
    with pytest.raises(Exception, match="could not create unique index"):
        project.sql_outside_a_transaction(
            "CREATE UNIQUE INDEX CONCURRENTLY broken ON accounts (email, tenant)"
        )
    project.sql("DELETE FROM accounts", "CREATE UNIQUE INDEX good ON accounts (tenant, email)")
    project.models(accounts())

    revision = project.revise()
    assert [line.split(",")[0] for line in revision.lines("upgrade")] == ["op.drop_index('broken'"]
    project.upgrade()
    assert project.check().code == 0


def test_a_partial_index_is_there(project: Project) -> None:
    """It does not serve a key without a predicate; it goes where the model does not have it."""
    project.sql(TABLE, "CREATE UNIQUE INDEX live ON accounts (tenant, email) WHERE kind <> 'gone'")
    project.models(accounts())

    revision = project.revise()
    assert revision.lines("upgrade")[:2] == [VALIDATE, CREATE]
    assert revision.calls("upgrade")[2:] == ["op.drop_index"]
    assert "predicate-mismatch" in revision.ran.detected()[-1]
    goes_round(project, revision)


def test_a_partial_index_that_the_model_has_as_well_is_there(project: Project) -> None:
    """It stays."""
    project.sql(TABLE, "CREATE UNIQUE INDEX live ON accounts (tenant, email) WHERE kind <> 'gone'")
    where = "text(\"kind <> 'gone'\")"
    project.models(
        accounts(more=f' Index("live", "tenant", "email", unique=True, postgresql_where={where})')
    )

    revision = project.revise()
    assert revision.lines("upgrade") == [VALIDATE, CREATE]
    goes_round(project, revision)


def test_a_partial_index_of_the_wanted_name_has_another_predicate(project: Project) -> None:
    """Plain Alembic says nothing; it is replaced after the deploy, and comes back in the downgrade."""
    project.sql(TABLE, "CREATE UNIQUE INDEX live ON accounts (tenant, email) WHERE kind = 'x'")
    project.models(accounts(key=", where=text(\"kind <> 'gone'\"), name='live'"))

    revision = project.revise()
    assert [line.split("(")[0] for line in revision.lines("upgrade")] == [
        "op.validate_upsert_key",
        "op.create_index",
    ]
    assert revision.contract is not None
    assert revision.contract.calls("upgrade") == ["op.drop_index", "op.execute"]
    assert "it is not known whether anything else serves" in revision.contract.text
    assert any("Detected predicate-mismatch" in line for line in revision.ran.detected())
    goes_round(project, revision)


def test_the_same_predicate_in_other_words_is_there(project: Project) -> None:
    """The server's spelling and the model's differ; the server is asked, and nothing is generated."""
    project.sql(
        TABLE, "CREATE UNIQUE INDEX theirs ON accounts (email, tenant) WHERE kind IN ('a', 'b')"
    )
    project.models(accounts(key=", where=text(\"(kind in ('a','b'))\")"))

    assert project.revise().is_empty


@pytest.mark.since(15)  # NULLS NOT DISTINCT
def test_the_other_null_mode_is_there(project: Project) -> None:
    """NULLs would not conflict as the key states: the constraint is made anew."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int, email varchar NOT NULL, kind varchar NOT NULL,"
        " CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email))"
    )
    project.models(
        accounts(key=', nulls="not_distinct"').replace(
            "tenant: Mapped[int]", "tenant: Mapped[int | None]"
        )
    )

    revision = project.revise()
    assert "nulls-mismatch" in "".join(revision.ran.detected())
    assert revision.lines("upgrade")[0] == VALIDATE.replace(")", ", nulls='not_distinct')")
    goes_round(project, revision)


def test_the_primary_key_is_reshaped_in_the_models_only(project: Project) -> None:
    """A person has to act: the revision says where, fails until it is done, and then passes."""
    project.sql("CREATE TABLE pairs (a int PRIMARY KEY, b int NOT NULL)")
    project.models("""
        class Pair(Base):
            __tablename__ = "pairs"
            __table_args__ = (UpsertKey("a", "b"),)
            a: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
            b: Mapped[int] = mapped_column(primary_key=True)
    """)

    assert project.check().code != 0
    revision = project.revise()
    assert revision.lines("upgrade")[0].startswith("# put the primary key change here")
    assert revision.lines("upgrade")[-1] == "op.verify_upsert_key('pairs', ['a', 'b'])"
    refused = project.alembic("upgrade", "head")
    assert refused.code != 0
    assert "no unique or exclusion constraint matching" in refused.out
    assert "Traceback" not in refused.said
    revision.path.write_text(
        revision.text.replace(
            "    op.verify_upsert_key",
            "    op.drop_constraint('pairs_pkey', 'pairs', type_='primary')\n"
            "    op.create_primary_key('pairs_pkey', 'pairs', ['a', 'b'])\n"
            "    op.verify_upsert_key",
        )
    )
    project.upgrade()
    assert project.check().code == 0


def test_the_table_is_new(project: Project) -> None:
    """The constraint is in create_table, and nothing more is said."""
    project.models(accounts())

    revision = project.revise()
    assert "validate_upsert_key" not in revision.text
    assert (
        "sa.UniqueConstraint('tenant', 'email', name='uq_accounts_tenant_email')" in revision.text
    )
    goes_round(project, revision)
