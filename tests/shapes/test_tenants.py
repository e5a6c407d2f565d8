"""A schema for each tenant: declared in the models, translated by the connection, or found by the search path."""

from __future__ import annotations

import pytest

from tests.cli.commands import guard, heads, report
from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import ran, revised

TENANTS = [f"tenant_{number:02}" for number in range(40)]
COLUMNS = "(id serial PRIMARY KEY, team int NOT NULL, email varchar NOT NULL)"
ACCOUNTS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("team", "email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        team: Mapped[int]
        email: Mapped[str]

"""
DECLARED = """
    from sqlalchemy.engine import Engine
    import pathlib

    @event.listens_for(Engine, "before_cursor_execute")
    def note(connection, cursor, statement, *_):
        with pathlib.Path("statements.log").open("a") as log:
            log.write("\\0" + statement)

    account = Table(
        "accounts", MetaData(),
        Column("id", Integer, primary_key=True),
        Column("team", Integer, nullable=False),
        Column("email", String, nullable=False),
        UpsertKey("team", "email"),
    )
    for number in range(40):
        account.to_metadata(Base.metadata, schema=f"tenant_{number:02}")
"""
SUBJECT = (
    "upsert key accounts (team, email) in 40 schemas (tenant_00, tenant_01, tenant_02 and 37 more)"
)
SUBJECT_OF_THE_REST = (
    "upsert key accounts (team, email) in 38 schemas (tenant_02, tenant_03, tenant_04 and 35 more)"
)
ALL = ", ".join(repr(tenant) for tenant in TENANTS)
NOTHING = "nothing is unique on exactly these elements"

BY_MAP = f"""
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        for tenant in [{ALL}]:
            translated = connection.execution_options(schema_translate_map={{None: tenant}})
            context.configure(connection=translated, version_table_schema=tenant, **options)
            with context.begin_transaction():
                context.run_migrations()
"""
BY_SEARCH_PATH = f"""
    x = context.get_x_argument(as_dictionary=True)
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        for tenant in [x["tenant"]] if "tenant" in x else [{ALL}]:
            connection.exec_driver_sql(f'SET search_path TO "{{tenant}}", public')
            connection.commit()
            connection.dialect.default_schema_name = tenant
            context.configure(connection=connection, **options)
            with context.begin_transaction():
                context.run_migrations()
"""
"""Alembic's cookbook: Rudimental Schema-Level Multi Tenancy for PostgreSQL Databases."""


def make_tenants(project: Project) -> None:
    for tenant in TENANTS:
        project.sql(f"CREATE SCHEMA {tenant}", f"CREATE TABLE {tenant}.accounts {COLUMNS}")


def loop(project: Project, online: str) -> None:
    """Let env.py go through the tenants, in the place of its one connection."""
    env = project.path / "migrations" / "env.py"
    env.write_text(env.read_text().partition("else:\n")[0] + "else:\n" + online)


def reads_of_the_catalog(project: Project) -> int:
    """How often it was read since the last time."""
    log = project.path / "statements.log"
    statements = log.read_text().split("\0")
    log.unlink()
    return sum("jsonb_to_recordset" in statement for statement in statements)


def test_tenants_in_the_models(project: Project) -> None:
    """One line and one catalog read for all; a check of the rows for each, and the deduplication offered once."""
    make_tenants(project)
    project.models(DECLARED)
    project.configure(include_schemas="True")

    revision = goes_red(project, "('validate_upsert_key', 'tenant_39', 'accounts', ")
    assert revision.ran.detected() == [f"Detected missing-arbiter on {SUBJECT}: {NOTHING}"]
    assert reads_of_the_catalog(project) == 2  # check, and revision
    assert (
        revision.calls("upgrade")
        == ["op.validate_upsert_key"] * 40 + ["op.create_unique_constraint"] * 40
    )
    assert revision.text.count("# op.deduplicate_upsert_key(") == 1
    goes_round(project, revision)


def test_one_tenant_of_many_is_named(project: Project) -> None:
    """The key of the only one that lacks its arbiter is named with its schema, in the log and by the command."""
    make_tenants(project)
    project.models(DECLARED)
    project.configure(include_schemas="True")
    project.revise()
    project.upgrade()
    project.sql("ALTER TABLE tenant_17.accounts DROP CONSTRAINT uq_accounts_team_email")

    assert project.check().detected() == [
        f"Detected missing-arbiter on upsert key tenant_17.accounts (team, email): {NOTHING}"
    ]
    shown = guard(project, "check").out
    assert heads(shown) == [
        f"error[missing-arbiter]: upsert key tenant_17.accounts (team, email): {NOTHING}"
    ]
    assert shown.endswith("\n40 upsert keys: 1 error.\n")


@pytest.mark.parametrize("how", ["models", "schema_translate_map", "search_path"])
def test_the_command_tells_many_tenants_in_one_line(project: Project, how: str) -> None:
    """Text and annotations in one, JSON each by its schema."""
    make_tenants(project)
    project.models(DECLARED if how == "models" else ACCOUNTS)
    if how != "models":
        loop(project, BY_MAP if how == "schema_translate_map" else BY_SEARCH_PATH)

    shown = guard(project, "check").out
    assert heads(shown) == [f"error[missing-arbiter]: {SUBJECT}: {NOTHING}"]
    assert shown.endswith("\n40 upsert keys: 40 errors.\n")
    assert len(guard(project, "check", "--format", "github").out.splitlines()) == 2
    assert [finding["schema"] for finding in report(project, "check").findings] == TENANTS


def test_facts_that_differ_are_told_for_a_few(project: Project) -> None:
    """Other numbers in each tenant are no reason for a line each."""
    make_tenants(project)
    project.models(DECLARED)
    for number, tenant in enumerate(TENANTS, 1):
        project.sql(f"ALTER TABLE {tenant}.accounts ADD UNIQUE (team, email, id)")
        project.sql(
            f"INSERT INTO {tenant}.accounts (team, email) SELECT 1, 'a' FROM generate_series(0, {number})"
        )

    shown = guard(project, "check", "--rows").out
    rows = [head for head in heads(shown) if "[duplicate-rows]" in head]
    assert [head.removeprefix("error[duplicate-rows]: ") for head in rows] == [
        "upsert key tenant_00.accounts (team, email): 1 duplicate group, 1 surplus row",
        "upsert key tenant_01.accounts (team, email): 1 duplicate group, 2 surplus rows",
        f"{SUBJECT_OF_THE_REST}: the same, in other numbers or under other names",
    ]
    assert shown.endswith("\n40 upsert keys: 80 errors.\n")


def test_tenants_by_the_search_path(project: Project) -> None:
    """Generated on one tenant, run on each; a refusal names the tenant, and a shared table is reported once."""
    make_tenants(project)
    project.sql("CREATE TABLE plans (id serial PRIMARY KEY, slug varchar NOT NULL)")
    project.models(
        ACCOUNTS
        + """
    class Plan(Base):
        __tablename__ = "plans"
        __table_args__ = (UpsertKey("slug"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        slug: Mapped[str]
"""
    )
    loop(project, BY_SEARCH_PATH)
    assert heads(guard(project, "check").out) == [
        f"error[missing-arbiter]: {SUBJECT}: {NOTHING}",
        f"error[missing-arbiter]: upsert key plans (slug): {NOTHING}",
    ]

    checked = project.alembic("-x", "tenant=tenant_05", "check")
    assert checked.detected() == [
        f"Detected missing-arbiter on upsert key tenant_05.accounts (team, email): {NOTHING}",
        f"Detected missing-arbiter on upsert key plans (slug): {NOTHING}",
    ]


def test_a_revision_made_on_one_tenant_runs_on_each(project: Project) -> None:
    """A refusal and its listing name the tenant; once fixed, all go round, each with its own version table."""
    make_tenants(project)
    project.models(ACCOUNTS)
    loop(project, BY_SEARCH_PATH)
    one = ("-x", "tenant=tenant_05")
    assert ran(project, *one, "current").code == 0
    revision = revised(project, "--autogenerate", "-m", "r", "--rev-id", "r01", options=one)
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_unique_constraint"]
    project.sql("INSERT INTO tenant_23.accounts (team, email) VALUES (1, 'a'), (1, 'a')")

    refused = project.alembic("upgrade", "head")
    assert (
        "upsert key tenant_23.accounts (team, email) does not hold: 1 duplicate group"
        in refused.out
    )
    listing = refused.out.split("List them all:\n")[1].split(";")[0]
    assert project.rows(listing) == [(1, "a", 2)]
    project.sql("DELETE FROM tenant_23.accounts")
    for command in ("upgrade head", "check", "downgrade base", "upgrade head", "check"):
        ran(project, *command.split())
    assert guard(project, "check").out == "40 upsert keys: nothing to do.\n"
    assert len([unique for unique in project.uniques() if "UNIQUE (" in unique]) == 40


def test_a_tenant_without_the_table(project: Project) -> None:
    """It is named, though nothing of it is in the catalog."""
    make_tenants(project)
    project.sql("DROP TABLE tenant_31.accounts")
    for tenant in TENANTS:
        if tenant != "tenant_31":
            project.sql(f"ALTER TABLE {tenant}.accounts ADD UNIQUE (team, email)")
    project.models(ACCOUNTS)
    loop(project, BY_SEARCH_PATH)

    checked = report(project, "check")
    assert [(f["code"], f["schema"]) for f in checked.findings] == [("missing-table", "tenant_31")]


@pytest.mark.parametrize("named", ["accounts", "tenant_03.accounts"])
def test_a_finding_of_a_tenant_is_suppressed_by_either_name(project: Project, named: str) -> None:
    """The model's, or that of the schema which the search path led to."""
    make_tenants(project)
    for tenant in TENANTS:
        if tenant != "tenant_03":
            project.sql(f"ALTER TABLE {tenant}.accounts ADD UNIQUE (team, email)")
    project.models(ACCOUNTS)
    loop(project, BY_SEARCH_PATH)
    (project.path / "pyproject.toml").write_text(
        "[[tool.upsert_guard.ignore]]\n"
        f'code = "missing-arbiter"\ntable = "{named}"\nreason = "tenant_03 is read only"\n'
    )
    checked = report(project, "check")
    assert (checked.code, checked.findings) == (0, [])
