"""Tables of PostgreSQL that are more, or less, than a table."""

from __future__ import annotations

import pytest
from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql.base import PGDialect

from tests.project import ALEMBIC_RESTORES, Project, goes_red, goes_round

COLUMNS = "id int NOT NULL, tenant int NOT NULL, email varchar NOT NULL"
CREATE = "op.create_unique_constraint('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'])"


def accounts(*, primary_key: bool = True, more: str = "") -> str:
    return f"""
        Table(
            "accounts", Base.metadata,
            Column("id", Integer, primary_key={primary_key}, autoincrement=False, nullable=False),
            Column("tenant", Integer, nullable=False),
            Column("email", String, nullable=False),
            UpsertKey("tenant", "email"),
        )
        {more}
    """


def test_a_partitioned_table(project: Project) -> None:
    """The key holds the partition column; the constraint is on the table and on every partition."""
    project.sql(
        f"CREATE TABLE accounts ({COLUMNS}) PARTITION BY LIST (tenant)",
        "CREATE TABLE accounts_1 PARTITION OF accounts FOR VALUES IN (1)",
        "CREATE TABLE accounts_2 PARTITION OF accounts FOR VALUES IN (2)",
        "INSERT INTO accounts VALUES (1, 1, 'a'), (2, 1, 'a'), (3, 2, 'a')",
    )
    project.models(accounts(primary_key=False))
    project.configure(include_object='lambda o, name, *_: not name.startswith("accounts_")')

    revision = goes_red(project, "missing-arbiter")
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'])",
        CREATE,
    ]
    refused = project.alembic("upgrade", "head")
    assert "tenant = 1, email = 'a': 2 rows" in refused.out
    project.sql("DELETE FROM accounts WHERE id = 1")
    goes_round(project, revision)
    assert len(project.uniques()) == 3


def test_a_partitioned_table_with_one_partition_short(project: Project) -> None:
    """An index ON ONLY the partitioned table is INVALID until each partition has its part."""
    project.sql(
        f"CREATE TABLE accounts ({COLUMNS}) PARTITION BY LIST (tenant)",
        "CREATE TABLE accounts_1 PARTITION OF accounts FOR VALUES IN (1)",
        "CREATE UNIQUE INDEX theirs ON ONLY accounts (tenant, email)",
    )
    project.models(accounts(primary_key=False))
    project.configure(include_object='lambda o, name, *_: not name.startswith("accounts_")')

    goes_red(project, "invalid-arbiter")
    project.upgrade()
    assert project.check().code == 0


WRAPPER = ("CREATE FOREIGN DATA WRAPPER none", "CREATE SERVER nowhere FOREIGN DATA WRAPPER none")


@pytest.mark.parametrize("is_foreign", [True, False])
def test_a_partition_that_is_a_foreign_table(project: Project, *, is_foreign: bool) -> None:
    """No unique index spans one, so the key is refused before a revision is written; the twin is a plain partition."""
    kind, server = ("FOREIGN TABLE", " SERVER nowhere") if is_foreign else ("TABLE", "")
    project.sql(
        *WRAPPER,
        f"CREATE TABLE accounts ({COLUMNS}) PARTITION BY LIST (tenant)",
        f"CREATE {kind} accounts_1 PARTITION OF accounts FOR VALUES IN (1){server}",
    )
    project.models(accounts(primary_key=False))
    project.configure(include_object='lambda o, name, *_: not name.startswith("accounts_")')

    ran = project.alembic("revision", "--autogenerate", "-m", "r")
    said = " ".join(ran.said.split())
    assert (ran.code != 0) == is_foreign
    assert (
        "it contains partitions that are foreign tables. Make the key of each" in said
    ) == is_foreign


def test_the_hint_for_a_foreign_table_is_the_table_behind_it(project: Project) -> None:
    """Autogenerate, which does not see foreign tables, writes nothing."""
    project.sql(*WRAPPER, f"CREATE FOREIGN TABLE accounts ({COLUMNS}) SERVER nowhere")
    project.models(accounts())

    said = " ".join(project.python("-m", "alembic_upsert_guard", "check").said.split())
    assert "missing-arbiter" in said
    assert "a foreign table has nothing unique" in said
    assert "Upsert into the table behind it" in said
    assert "--autogenerate, which writes the check" not in said


@pytest.mark.parametrize("is_served", [True, False])
def test_the_hint_for_a_view_is_the_table_behind_it(project: Project, *, is_served: bool) -> None:
    """Where the planner finds nothing there; the twin has it unique there."""
    project.sql(
        f"CREATE TABLE base ({COLUMNS}, PRIMARY KEY (id){', UNIQUE (tenant, email)' if is_served else ''})",
        "CREATE VIEW accounts AS SELECT * FROM base",
    )
    project.models(accounts())

    said = " ".join(project.python("-m", "alembic_upsert_guard", "check").said.split())
    assert ("in the table behind the view" in said) != is_served
    assert "--autogenerate, which writes the check" not in said


def test_the_parents_constraint_is_not_inherited(project: Project) -> None:
    """INHERITS takes columns along and no constraint: the child's key has to be made on the child."""
    project.sql(
        f"CREATE TABLE parents ({COLUMNS}, PRIMARY KEY (id), UNIQUE (tenant, email))",
        "CREATE TABLE accounts (PRIMARY KEY (id)) INHERITS (parents)",
    )
    project.models(accounts())
    project.configure(include_object='lambda o, name, *_: name != "parents"')

    revision = goes_red(project, "missing-arbiter")
    assert revision.lines("upgrade")[-1] == CREATE
    goes_round(project, revision)


def test_the_rows_of_a_child_are_not_the_parents(project: Project) -> None:
    """The constraint on a parent sees the parent's own rows alone: a child's duplicate does not stop it."""
    project.sql(
        f"CREATE TABLE accounts ({COLUMNS}, PRIMARY KEY (id))",
        "CREATE TABLE children () INHERITS (accounts)",
        "INSERT INTO accounts VALUES (1, 1, 'a')",
        "INSERT INTO children VALUES (2, 1, 'a'), (3, 1, 'a')",
    )
    project.models(accounts())
    project.configure(include_object='lambda o, name, *_: name != "children"')

    revision = goes_red(project, "missing-arbiter")
    goes_round(project, revision)


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_view_in_the_models_is_ignored(project: Project, kind: str) -> None:
    """Kept out of autogenerate as the recipes do, its key is neither judged nor mentioned."""
    project.sql(
        f"CREATE TABLE base ({COLUMNS}, PRIMARY KEY (id))",
        f"CREATE {kind} accounts AS SELECT * FROM base",
    )
    project.models(accounts(more='Base.metadata.tables["accounts"].info["is_view"] = True'))
    project.configure(
        include_object='lambda o, name, *_: name != "base" and not o.info.get("is_view")'
    )

    check = project.check()
    assert check.code == 0
    assert check.detected() == []


def test_an_unlogged_table_and_generated_columns(project: Project) -> None:
    """A key over a generated column of an identity table goes round."""
    project.sql(
        "CREATE UNLOGGED TABLE accounts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email varchar NOT NULL,"
        " folded varchar GENERATED ALWAYS AS (lower(email)) STORED NOT NULL)",
        "INSERT INTO accounts (email) VALUES ('A'), ('b')",
    )
    project.models("""
        Table(
            "accounts", Base.metadata,
            Column("id", Integer, Identity(always=True), primary_key=True),
            Column("email", String, nullable=False),
            Column("folded", String, Computed("lower(email)", persisted=True), nullable=False),
            UpsertKey("folded"),
        )
    """)

    goes_round(project, goes_red(project, "missing-arbiter"))


CARRIES = pytest.mark.skipif(
    not any(
        kind is UniqueConstraint and "include" in options
        for kind, options in PGDialect.construct_arguments or ()
    ),
    reason="SQLAlchemy 2.0.41 brought INCLUDE to constraints",
)
KEY_AND_INCLUDE = (
    'UpsertKey("tenant"), UniqueConstraint("tenant", name="u", postgresql_include=["email"])'
)


@CARRIES
@ALEMBIC_RESTORES
@pytest.mark.parametrize(
    ("there", "key"),
    [
        ("", KEY_AND_INCLUDE),
        ("UNIQUE (tenant) INCLUDE (email) DEFERRABLE", 'UpsertKey("tenant", name="u")'),
        ("UNIQUE (tenant) INCLUDE (email)", 'UpsertKey("tenant", "email")'),
    ],
    ids=["created", "replaced", "dropped by Alembic"],
)
def test_a_constraint_that_carries_columns(project: Project, there: str, key: str) -> None:
    """Upgrade and downgrade make it with its INCLUDE; Alembic's own line fails on the column's name."""
    project.sql(
        f"CREATE TABLE accounts ({COLUMNS}, PRIMARY KEY (id){there and f', CONSTRAINT u {there}'})"
    )
    project.models(accounts().replace('UpsertKey("tenant", "email")', key))

    revision = goes_red(project)
    assert "postgresql_include=[sa.column('email')]" in revision.text + (
        revision.contract.text if revision.contract else ""
    )
    goes_round(project, revision)
