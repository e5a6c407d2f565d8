"""Where text cannot prove it: the database is asked, and what it cannot be asked is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.project import Project

MODELS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", where=text("kind in ('a', 'b')"), name="live"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        kind: Mapped[str]
"""


@pytest.fixture
def bound_project(project: Project) -> Iterator[Project]:
    """A project whose role may not make temporary tables: predicates cannot be spelled alike."""
    (database,) = project.rows("SELECT current_database()")[0]
    project.sql(
        f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "CREATE ROLE bound LOGIN",
        "GRANT ALL ON SCHEMA public TO bound",
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, kind varchar NOT NULL)",
        "ALTER TABLE accounts OWNER TO bound",
    )
    everybody = project.url
    project.url = everybody.replace("://postgres", "://bound")
    project.models(MODELS)
    yield project
    project.sql("DROP OWNED BY bound", "DROP ROLE bound")


def test_the_planner_settles_what_text_cannot(bound_project: Project) -> None:
    """The index serves, in other words: nothing is generated, and nothing is said."""
    bound_project.sql("CREATE UNIQUE INDEX live ON accounts (tenant) WHERE kind IN ('b', 'a')")

    check = bound_project.check()
    assert check.code == 0
    assert check.detected() == []


def test_what_the_planner_refuses_is_told(bound_project: Project) -> None:
    """The index is another one: a warning names it, and no diff is made of a doubt."""
    bound_project.sql("CREATE UNIQUE INDEX live ON accounts (tenant) WHERE kind = 'c'")

    check = bound_project.check()
    assert check.code == 0
    (line,) = check.detected()
    assert line.startswith("unproven-arbiter: upsert key accounts (tenant)")
    assert "index live (tenant)" in line


def test_a_partition_column_is_lacking(project: Project) -> None:
    """Nothing unique can span the partitions: no revision is written that PostgreSQL would refuse."""
    project.sql(
        "CREATE TABLE accounts (id int NOT NULL, tenant int NOT NULL, kind varchar NOT NULL,"
        " PRIMARY KEY (id, kind)) PARTITION BY LIST (kind)"
    )
    project.models("""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("tenant"),)
            id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
            kind: Mapped[str] = mapped_column(primary_key=True)
            tenant: Mapped[int]
    """)

    check = project.check()
    said = " ".join(check.said.split())
    assert check.code != 0
    assert "partition-key-missing" in said
    assert "partitioned by kind, which the key lacks" in said
    assert 'declare UpsertKey("tenant", "kind")' in said

    project.edit("models.py", 'UpsertKey("tenant")', 'UpsertKey("tenant", "kind")')
    assert project.revise().calls("upgrade") == [
        "op.validate_upsert_key",
        "op.create_unique_constraint",
    ]
    project.upgrade()


@pytest.mark.parametrize("below", ["tenant", "id"], ids=["lacking", "held"])
def test_a_partition_that_is_partitioned_again_asks_for_its_columns_too(
    project: Project, below: str
) -> None:
    """An index on the whole table is one on each partition; the twin partitions by a column of the key."""
    project.sql(
        "CREATE TABLE accounts (id int NOT NULL, tenant int NOT NULL, kind varchar NOT NULL) PARTITION BY LIST (kind)",
        f"CREATE TABLE accounts_a PARTITION OF accounts FOR VALUES IN ('a') PARTITION BY HASH ({below})",
    )
    project.models("""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("id", "kind"),)
            __mapper_args__ = {"primary_key": ["id", "kind"]}
            id: Mapped[int]
            kind: Mapped[str]
            tenant: Mapped[int]
    """)
    project.configure(include_object='lambda o, name, *_: name != "accounts_a"')

    said = " ".join(project.check().said.split())
    if below == "tenant":
        assert "which the key lacks" in said
        assert 'declare UpsertKey("id", "kind", "tenant")' in said
    else:
        project.revise()
        project.upgrade()


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ("((SELECT 1))", "cannot use subquery in index expression"),
        ("(tenant + random())", "must be marked IMMUTABLE"),
        ("count(*)", "aggregate functions are not allowed"),
        ("(ROW(tenant, id))", "has pseudo-type record"),
    ],
)
def test_an_element_that_no_index_holds(project: Project, element: str, words: str) -> None:
    """The server is asked before a revision is written, and its message is in an error of ours."""
    project.sql("CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL)")
    project.models(f"""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("tenant", text("{element}")),)
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int]
    """)

    check = project.check()
    assert words in " ".join(check.said.split())
    assert "Traceback" not in check.said
    project.edit("models.py", element, "abs(tenant)")
    assert project.revise().calls("upgrade") == ["op.validate_upsert_key", "op.create_index"]


@pytest.mark.parametrize(("columns", "refused"), [(33, True), (32, False)])
def test_more_elements_than_an_index_holds(
    project: Project, columns: int, *, refused: bool
) -> None:
    """PostgreSQL's indexes hold 32 columns."""
    names = [f"c{number}" for number in range(columns)]
    ddl = ", ".join(f"{name} int NOT NULL" for name in names)
    project.sql(f"CREATE TABLE wide (id serial PRIMARY KEY, {ddl})")
    listed = ", ".join(f"Column({name!r}, Integer, nullable=False)" for name in names)
    project.models(f"""
        Table("wide", Base.metadata, Column("id", Integer, primary_key=True), {listed},
              UpsertKey(*{names}, name="uq_wide"))
    """)

    check = project.check()
    assert (
        "has 33 elements, and an index of postgresql holds 32" in " ".join(check.said.split())
    ) is refused
    assert "Traceback" not in check.said
    if not refused:
        project.revise()
        project.upgrade()


@pytest.mark.parametrize(("collation", "remains"), [("POSIX", False), ("C", True)])
def test_an_index_of_the_wanted_name_has_another_collation(
    project: Project, collation: str, *, remains: bool
) -> None:
    """A key that names a collation is served by it alone; plain Alembic compares the text and flaps."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, email varchar NOT NULL)",
        f'CREATE UNIQUE INDEX live ON accounts (email COLLATE "{collation}")',
    )
    project.models("""
        class Account(Base):
            __tablename__ = "accounts"
            id: Mapped[int] = mapped_column(primary_key=True)
            email: Mapped[str]

        declare_upsert_key(Account, collate(Account.email, "C"), name="live")
    """)

    check = project.check()
    assert (check.code == 0) == remains
    if not remains:
        assert "collation-mismatch" in check.detected()[-1]
        revision = project.revise()
        assert "op.create_index" in revision.calls("upgrade")
        project.upgrade()
        (live,) = [line for line in project.uniques() if " live " in line]
        assert 'COLLATE "C"' in live
        project.downgrade()
        (live,) = [line for line in project.uniques() if " live " in line]
        assert f'COLLATE "{collation}"' in live
