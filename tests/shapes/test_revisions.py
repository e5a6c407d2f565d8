"""Histories that are no single line: branches, dependencies, several folders, merges, stamps, scripts of a range."""

from __future__ import annotations

from tests.project import Project, goes_red, goes_round
from tests.scenarios.test_names import in_psql
from tests.shapes.keys import (
    ACCOUNTS,
    ARBITER,
    CREATE,
    DROP,
    REFUSAL,
    TABLE,
    TWICE,
    VALIDATE,
    WITHOUT_A_KEY,
    is_clean,
    ran,
    revised,
)

ORDERS = """
    class Order(Base):
        __tablename__ = "orders"
        __table_args__ = (UpsertKey("number"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[str]
        account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))

"""


def with_two_folders(project: Project) -> None:
    (project.path / "shop").mkdir()
    project.edit(
        "alembic.ini",
        "sqlalchemy.url =",
        "path_separator = space\nversion_locations = %(here)s/migrations/versions %(here)s/shop",
    )


def test_a_branch_of_its_own_that_depends_on_another(project: Project) -> None:
    """Each branch in its folder; a key that comes to the first is checked there, and the branches go down and up."""
    with_two_folders(project)
    project.models(WITHOUT_A_KEY)
    labelled = ("--branch-label", "core", "--version-path", "migrations/versions")
    revised(project, "--autogenerate", "-m", "a", "--rev-id", "core1", "--head", "base", *labelled)
    ran(project, "upgrade", "heads")
    project.models(WITHOUT_A_KEY + ORDERS)
    apart = ("--head", "base", "--branch-label", "shop", "--version-path", "shop")
    shop = revised(
        project, "--autogenerate", "-m", "o", "--rev-id", "shop1", "--depends-on", "core1", *apart
    )
    assert shop.calls("upgrade") == ["op.create_table"]
    assert "sa.UniqueConstraint('number', name='uq_orders_number')" in shop.text
    ran(project, "upgrade", "heads")
    project.sql(TWICE)
    project.models(ACCOUNTS + ORDERS)

    check = project.check()
    assert check.code != 0
    assert "'accounts', ('tenant', 'email'), 'missing-arbiter'" in check.out
    key = revised(project, "--autogenerate", "-m", "k", "--rev-id", "core2", "--head", "core@head")
    assert key.lines("upgrade") == [VALIDATE, CREATE]
    assert key.lines("downgrade") == [DROP]
    refused = project.alembic("upgrade", "heads")
    assert REFUSAL in refused.out
    assert project.rows("SELECT version_num FROM alembic_version") == [("shop1",)]
    project.sql("DELETE FROM accounts")
    ran(project, "upgrade", "heads")
    assert ARBITER in project.uniques()
    assert project.check().code == 0
    ran(project, "downgrade", "core@-1")
    assert ARBITER not in project.uniques()
    ran(project, "upgrade", "heads")
    assert project.check().code == 0
    ran(project, "downgrade", "base")
    ran(project, "upgrade", "heads")
    assert project.check().code == 0


def test_a_merge_of_two_heads(project: Project) -> None:
    """The same key made on two branches is made once: the second, checked after the first, finds it there."""
    project.sql(TABLE, "CREATE TABLE notes (id serial PRIMARY KEY, slug varchar NOT NULL)")
    notes = """
    class Note(Base):
        __tablename__ = "notes"
        __table_args__ = (UpsertKey("slug"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        slug: Mapped[str]
"""
    ran(project, "ensure_version")
    project.models(ACCOUNTS + notes.replace('        __table_args__ = (UpsertKey("slug"),)\n', ""))
    left = revised(project, "--autogenerate", "-m", "l", "--rev-id", "left")
    project.models(WITHOUT_A_KEY + notes)
    left.path.rename(left.path.with_suffix(".away"))  # as on another person's branch
    revised(project, "--autogenerate", "-m", "r", "--rev-id", "right")
    left.path.with_suffix(".away").rename(left.path)
    project.models(ACCOUNTS + notes)

    ran(project, "merge", "heads", "-m", "m", "--rev-id", "both")
    ran(project, "upgrade", "head")
    assert is_clean(project)
    assert len([unique for unique in project.uniques() if "UNIQUE (" in unique]) == 2
    ran(project, "downgrade", "base")
    assert not [unique for unique in project.uniques() if "UNIQUE (" in unique]
    ran(project, "upgrade", "head")
    assert project.check().code == 0


def test_a_database_that_create_all_made_is_stamped(project: Project) -> None:
    """It has every arbiter already."""
    project.models(ACCOUNTS)
    revised(project, "--autogenerate", "-m", "a")
    project.application("""
        import os, models, sqlalchemy
        models.Base.metadata.create_all(sqlalchemy.create_engine(os.environ["PROJECT_URL"]))
    """)
    ran(project, "stamp", "head")
    assert is_clean(project)


def test_a_stamp_over_the_revision_does_not_hide_the_key(project: Project) -> None:
    """The database is asked, and not the version table; the next revision fixes it."""
    project.sql(TABLE)
    project.models(ACCOUNTS)
    project.revise()
    ran(project, "stamp", "head")

    revision = goes_red(project, "missing-arbiter")
    assert revision.lines("upgrade") == [VALIDATE, CREATE]
    goes_round(project, revision)


def test_the_version_table_alone_is_there(project: Project) -> None:
    """``alembic ensure_version`` first, as a role that may create tables does for one that may not."""
    project.sql(TABLE)
    ran(project, "ensure_version")
    project.models(ACCOUNTS)
    goes_round(project, goes_red(project, "missing-arbiter"))


def test_a_script_of_a_range(project: Project) -> None:
    """From one revision to another, and back; psql stops where the rows stop it."""
    project.models(WITHOUT_A_KEY)
    project.revise()
    project.upgrade()
    project.models(ACCOUNTS)
    project.revise()
    project.sql(TWICE)

    up = ran(project, "upgrade", "r01:r02", "--sql").out
    assert "CREATE TABLE" not in up
    refused = in_psql(project, up)
    assert refused.code != 0
    assert REFUSAL in refused.err
    assert project.rows("SELECT version_num FROM alembic_version") == [("r01",)]
    project.sql("DELETE FROM accounts")
    assert in_psql(project, up).code == 0
    assert is_clean(project)
    down = ran(project, "downgrade", "r02:r01", "--sql").out
    assert in_psql(project, down).code == 0
    assert ARBITER not in project.uniques()
    project.upgrade()
    assert project.check().code == 0


def test_a_revision_that_commits_each_statement(project: Project) -> None:
    """The refusal says that what is above the check stays: the next upgrade would meet it there."""
    project.sql(TABLE, TWICE)
    project.models(ACCOUNTS)
    revision = project.revise()
    path = revision.path.relative_to(project.path)
    in_block = (
        "    with op.get_context().autocommit_block():\n"
        "        op.add_column('accounts', sa.Column('x', sa.Integer()))\n"
    )
    project.edit(str(path), f"    {VALIDATE}", f"{in_block}        {VALIDATE}")

    refused = project.alembic("upgrade", "head")
    assert (
        f"{REFUSAL}; what the revision did above the check stays, for it runs in AUTOCOMMIT\n"
        in refused.out
    )
    assert project.rows("SELECT x FROM accounts") == [(None,), (None,)]
