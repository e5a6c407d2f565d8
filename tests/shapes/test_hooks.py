"""``process_revision_directives`` and Rewriters that projects use, as Alembic's cookbook and frameworks have them."""

from __future__ import annotations

from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import ACCOUNTS, CREATE, TABLE, VALIDATE

RENUMBER = """
    def renumber(context, revision, directives):
        (script,) = directives
        head = context.script.get_current_head()
        script.rev_id = f"{int(head or 0) + 1:04}"

"""
ADD_THEN_ALTER = """
    from alembic.autogenerate import rewriter
    from alembic.operations import ops

    add_then_alter = rewriter.Rewriter()

    @add_then_alter.rewrites(ops.AddColumnOp)
    def add_nullable(context, revision, op):
        if op.column.nullable:
            return op
        op.column.nullable = True
        return [op, ops.AlterColumnOp(op.table_name, op.column.name, modify_nullable=False,
                                      existing_type=op.column.type, schema=op.schema)]

"""
EMPTY_NEVER = """
    from alembic.autogenerate import rewriter
    from alembic.operations import ops

    empty_never = rewriter.Rewriter()

    @empty_never.rewrites(ops.ModifyTableOps)
    def none_without_operations(context, revision, op):
        return op if op.ops else []

    def no_empty_revision(context, revision, directives):
        empty_never(context, revision, directives)
        if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
            directives[:] = []

"""


def test_a_hook_that_renumbers(project: Project) -> None:
    """Its numbers stay, and each step goes down and up."""
    project.sql(TABLE)
    project.models(RENUMBER + ACCOUNTS)
    project.configure(process_revision_directives="models.renumber")

    revision = goes_red(project, "missing-arbiter")
    assert "revision = '0001'" in revision.text
    assert revision.lines("upgrade") == [VALIDATE, CREATE]
    goes_round(project, revision)
    assert project.rows("SELECT version_num FROM alembic_version") == [("0001",)]


def test_a_hook_that_writes_no_empty_revision(project: Project) -> None:
    """The key is written, and once it is served nothing more; ``alembic check`` works both times."""
    project.sql(TABLE)
    project.models(EMPTY_NEVER + ACCOUNTS)
    project.configure(process_revision_directives="models.no_empty_revision")

    assert goes_red(project, "missing-arbiter").lines("upgrade") == [VALIDATE, CREATE]
    project.upgrade()
    assert project.check().code == 0
    again = project.alembic("revision", "--autogenerate", "-m", "r")
    assert again.code == 0, again.said
    assert len(list((project.path / "migrations" / "versions").glob("*.py"))) == 1
    project.downgrade()
    project.upgrade()


def test_a_rewriter_that_adds_a_column_in_two_steps(project: Project) -> None:
    """The check of a key on that column comes after both."""
    project.sql(TABLE)
    project.models(
        ADD_THEN_ALTER
        + ACCOUNTS.replace('UpsertKey("tenant", "email")', 'UpsertKey("tenant", "region")').replace(
            "email: Mapped[str]", "email: Mapped[str]\n        region: Mapped[str]"
        )
    )
    project.configure(process_revision_directives="models.add_then_alter")

    revision = goes_red(project, "missing-arbiter")
    assert revision.calls("upgrade") == [
        "op.add_column",
        "op.alter_column",
        "op.validate_upsert_key",
        "op.create_unique_constraint",
    ]
    goes_round(project, revision)


def test_hooks_in_a_chain(project: Project) -> None:
    """A Rewriter, and another behind it."""
    project.sql(TABLE)
    project.models(
        ADD_THEN_ALTER
        + """
    as_index = rewriter.Rewriter()

    @as_index.rewrites(ops.CreateUniqueConstraintOp)
    def index_instead(context, revision, op):
        return ops.CreateIndexOp(op.constraint_name, op.table_name, op.columns, unique=True)

    chain = add_then_alter.chain(as_index)

"""
        + ACCOUNTS
    )
    project.configure(process_revision_directives="models.chain")

    assert goes_red(project, "missing-arbiter").calls("upgrade") == [
        "op.validate_upsert_key",
        "op.create_index",
    ]
    project.upgrade()
    assert project.check().code == 0
