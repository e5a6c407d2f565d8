"""What else acts on autogenerate: the user's hooks, Alembic as a library, the list of plugins."""

from __future__ import annotations

from tests.project import Project, goes_red, goes_round

TABLE = "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL)"
ACCOUNTS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]

"""
VALIDATE = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
CREATE = "op.create_unique_constraint('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'])"
OFF = '["alembic.autogenerate.*", "~alembic.autogenerate.upsert_guard"]'


def test_a_rewriter_turns_the_constraint_into_an_index(project: Project) -> None:
    """The check stays in front of what creates the arbiter."""
    project.sql(TABLE)
    project.models(
        ACCOUNTS
        + """
    from alembic.autogenerate.rewriter import Rewriter
    from alembic.operations import ops

    rewriter = Rewriter()

    @rewriter.rewrites(ops.CreateUniqueConstraintOp)
    def as_index(context, revision, op):
        return ops.CreateIndexOp(op.constraint_name, op.table_name, op.columns, unique=True)
        """
    )
    project.configure(process_revision_directives="models.rewriter")

    revision = goes_red(project, "missing-arbiter")
    assert revision.lines("upgrade") == [
        VALIDATE,
        "op.create_index('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'], unique=True)",
    ]
    project.upgrade()
    assert project.check().code == 0
    assert project.revise().is_empty


def test_a_rewriter_of_our_own_operation_is_heard(project: Project) -> None:
    """A team that validates elsewhere takes the check out, by its class."""
    project.sql(TABLE)
    project.models(
        ACCOUNTS
        + """
    from alembic.autogenerate.rewriter import Rewriter
    from alembic_upsert_guard.migration.operations import ValidateUpsertKeyOp

    rewriter = Rewriter()

    @rewriter.rewrites(ValidateUpsertKeyOp)
    def nowhere(context, revision, op):
        return []
        """
    )
    project.configure(process_revision_directives="models.rewriter")

    assert goes_red(project).lines("upgrade") == [CREATE]


def test_a_hook_that_leaves_out_empty_revisions_finds_them_empty(project: Project) -> None:
    """The recipe of Alembic's cookbook: a served key leaves nothing behind that would count as a change."""
    project.sql(TABLE, "CREATE UNIQUE INDEX theirs ON accounts (email, tenant)")
    project.models(
        ACCOUNTS
        + """
    def no_empty_revision(context, revision, directives):
        if directives[0].upgrade_ops.is_empty():
            directives[:] = []
        """
    )
    project.configure(process_revision_directives="models.no_empty_revision")

    revised = project.alembic("revision", "--autogenerate", "-m", "r")
    assert revised.code == 0, revised.said
    assert not list((project.path / "migrations" / "versions").glob("*.py"))


def test_a_hook_that_clears_the_operations_has_the_last_word(project: Project) -> None:
    """Nothing is generated, and ``alembic check`` is green."""
    project.sql(TABLE)
    project.models(
        ACCOUNTS
        + """
    def clear(context, revision, directives):
        directives[0].upgrade_ops.ops[:] = []
        directives[0].downgrade_ops.ops[:] = []
        """
    )
    project.configure(process_revision_directives="models.clear")

    assert project.check().code == 0
    assert project.revise().is_empty


def test_compare_metadata_tells_the_key(project: Project) -> None:
    """As a library, Alembic hands out our diff tuple before its own."""
    project.sql(TABLE)
    project.models(ACCOUNTS)

    ran = project.application("""
        import os
        from alembic.autogenerate import compare_metadata
        from alembic.runtime.migration import MigrationContext
        from sqlalchemy import create_engine
        from models import Base

        with create_engine(os.environ["PROJECT_URL"]).connect() as connection:
            diffs = compare_metadata(MigrationContext.configure(connection), Base.metadata)
            print(diffs[0], *(diff[0] for diff in diffs[1:]))
    """)
    assert ran.out == (
        "('validate_upsert_key', None, 'accounts', ('tenant', 'email'), 'missing-arbiter') add_constraint\n"
    )


def test_the_plugin_is_turned_off_by_name(project: Project) -> None:
    """Plain Alembic remains: the constraint, without a check, and not a word of ours."""
    project.sql(TABLE)
    project.models(ACCOUNTS)
    project.configure(autogenerate_plugins=OFF)

    revision = goes_red(project, "add_constraint")
    assert revision.lines("upgrade") == [CREATE]
    assert "upsert" not in revision.ran.said.replace(str(project.path), "")


def test_a_revision_made_with_the_plugin_runs_with_it_off(project: Project) -> None:
    """The switch is about autogenerate; the directives stay."""
    project.sql(TABLE, "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')")
    project.models(ACCOUNTS)
    project.revise()
    project.configure(autogenerate_plugins=OFF)

    refused = project.alembic("upgrade", "head")
    assert "does not hold: 1 duplicate group, 1 surplus row" in refused.out
    project.sql("DELETE FROM accounts")
    project.upgrade()


def test_one_transaction_a_migration(project: Project) -> None:
    """transaction_per_migration=True: a refusal keeps the earlier revisions and undoes its own."""
    project.configure(transaction_per_migration="True")
    project.models(ACCOUNTS.replace('UpsertKey("tenant", "email"),', ""))
    project.revise()
    project.upgrade()
    project.sql("INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')")
    project.models(
        ACCOUNTS.replace("tenant: Mapped[int]", "tenant: Mapped[int]; note: Mapped[str | None]")
    )
    revision = goes_red(project)

    refused = project.alembic("upgrade", "head")
    assert "tenant = 1, email = 'a': 2 rows, id 1, 2" in refused.out
    assert project.rows("SELECT version_num FROM alembic_version") == [("r01",)]
    project.sql("DELETE FROM accounts WHERE id = 1")
    goes_round(project, revision)


def test_several_metadata_are_compared_together(project: Project) -> None:
    """target_metadata is a list: the keys of each are guarded."""
    project.sql(TABLE, "CREATE TABLE notes (id serial PRIMARY KEY, slug varchar NOT NULL)")
    project.models(
        ACCOUNTS
        + """
    class Other(DeclarativeBase):
        pass

    class Note(Other):
        __tablename__ = "notes"
        __table_args__ = (UpsertKey("slug"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        slug: Mapped[str]
        """
    )
    project.edit(
        "migrations/env.py",
        "target_metadata=models.Base.metadata",
        "target_metadata=[models.Base.metadata, models.Other.metadata]",
    )

    revision = goes_red(project, "'accounts', ('tenant', 'email')", "'notes', ('slug',)")
    assert (
        revision.calls("upgrade")
        == ["op.validate_upsert_key"] * 2 + ["op.create_unique_constraint"] * 2
    )
    goes_round(project, revision)
