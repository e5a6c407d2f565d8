"""``check`` through every env.py: schemas, tenants, several MetaData and databases, Alembic's templates and options."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import ACCOUNT, ACCOUNTS, COLUMNS, UNIQUE, could_not_run, guard, report
from tests.scenarios.test_templates import InitialisedProject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project

KEY = "accounts (tenant, email)"
IN_TWO_SCHEMAS = ACCOUNT + ACCOUNT.replace("Account", "Billed").replace(
    '"email"),', '"email"), {"schema": "billing"},'
)


def test_each_schema_is_read(project: Project) -> None:
    """The table of one has the constraint, its namesake in the other has not."""
    project.sql(
        ACCOUNTS, UNIQUE, "CREATE SCHEMA billing", f"CREATE TABLE billing.accounts {COLUMNS}"
    )
    project.models(IN_TWO_SCHEMAS)

    checked = report(project, "check")
    assert checked.verdicts == {KEY: "satisfied", f"billing.{KEY}": "short"}
    assert [(f["schema"], f["table"]) for f in checked.findings] == [("billing", "accounts")]
    assert "upsert key billing.accounts (tenant, email): " in guard(project, "check").out


TENANTS = """
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        for tenant in ("acme", "zeta"):
            translated = connection.execution_options(schema_translate_map={{{schema!r}: tenant}})
            context.configure(connection=translated, **options)
            with context.begin_transaction():
                context.run_migrations()
"""


def tenants(project: Project, schema: str | None) -> None:
    """A loop over two tenants' schemas, of which the second lacks the constraint."""
    env = project.path / "migrations" / "env.py"
    online = env.read_text().partition("else:\n")[0] + "else:\n"
    env.write_text(online + TENANTS.format(schema=schema))
    for name in ("acme", "zeta"):
        project.sql(f"CREATE SCHEMA {name}", f"CREATE TABLE {name}.accounts {COLUMNS}")
    project.sql(UNIQUE.replace("accounts ADD", "acme.accounts ADD", 1))


@pytest.mark.parametrize("schema", [None, "tenant"])
def test_each_tenant_is_read(project: Project, schema: str | None) -> None:
    """By the connection's schema_translate_map; keys and findings name the tenant's schema."""
    tenants(project, schema)
    arguments = "" if schema is None else f', {{"schema": "{schema}"}}'
    project.models(ACCOUNT.replace('"email"),)', f'"email"){arguments or ","})'))

    checked = report(project, "check", "--rows")
    assert checked.verdicts == {f"acme.{KEY}": "satisfied", f"zeta.{KEY}": "short"}
    assert [(f["code"], f["schema"]) for f in checked.findings] == [("missing-arbiter", "zeta")]


@pytest.mark.parametrize("named", ["tenant.accounts", "zeta.accounts"])
def test_a_tenants_finding_is_suppressed_by_either_name(project: Project, named: str) -> None:
    """The model's, for all tenants; or the tenant's."""
    tenants(project, "tenant")
    project.models(ACCOUNT.replace('"email"),)', '"email"), {"schema": "tenant"})'))
    (project.path / "pyproject.toml").write_text(
        "[[tool.upsert_guard.ignore]]\n"
        f'code = "missing-arbiter"\ntable = "{named}"\nreason = "zeta is read only"\n'
    )
    assert report(project, "check").code == 0

    project.edit("pyproject.toml", named, "accounts")
    assert report(project, "check").codes == ["missing-arbiter", "stale-ignore"]


def test_several_metadata(project: Project) -> None:
    """Each one's keys; what two of them declare alike is reported once."""
    project.sql(ACCOUNTS, UNIQUE, "CREATE TABLE notes (id int PRIMARY KEY, slug varchar NOT NULL)")
    project.models(
        ACCOUNT
        + """
    other, third = MetaData(), MetaData()
    Table("notes", other, Column("id", Integer, primary_key=True), Column("slug", String, nullable=False),
          UpsertKey("slug"))
    Account.__table__.to_metadata(third)
    declare_upsert_key(third.tables["accounts"], "email")
"""
    )
    project.edit(
        "migrations/env.py",
        "target_metadata=models.Base.metadata",
        "target_metadata=[models.Base.metadata, models.other, models.third]",
    )
    checked = report(project, "check")
    assert len(checked.keys) == 3
    assert checked.verdicts == {
        KEY: "satisfied",
        "accounts (email)": "short",
        "notes (slug)": "short",
    }
    assert checked.codes == ["missing-arbiter", "missing-arbiter"]


def initialised(
    path: Path, url: str, template: str, driver: str | None = None
) -> InitialisedProject:
    project = InitialisedProject(path / "project", url, template=template)
    project.connect_to(url if driver is None else url.replace("psycopg2", driver))
    project.models(ACCOUNT)
    return project


@pytest.mark.parametrize(
    ("template", "driver"),
    [("async", "asyncpg"), ("pyproject", "psycopg"), ("generic", "psycopg2")],
)
def test_a_template_on_postgresql(tmp_path: Path, url: str, template: str, driver: str) -> None:
    """Red without the constraint, green with it, rows and all, under each driver."""
    project = initialised(tmp_path, url, template, driver)
    project.target("models.Base.metadata")
    project.sql(ACCOUNTS, "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')")

    checked = report(project, "check", "--rows")
    assert checked.codes == ["missing-arbiter", "duplicate-rows"]
    project.sql("DELETE FROM accounts", UNIQUE)
    checked = report(project, "check", "--rows")
    assert (checked.codes, checked.arbiters) == ([], {KEY: ["uq_accounts"]})
    project.dispose()


def test_the_async_template_on_sqlite(tmp_path: Path) -> None:
    """With aiosqlite."""
    path = tmp_path / "database.sqlite"
    project = InitialisedProject(tmp_path / "project", f"sqlite:///{path}", template="async")
    project.connect_to(f"sqlite+aiosqlite:///{path}")
    project.target("models.Base.metadata")
    project.models(ACCOUNT)
    project.sql(
        "CREATE TABLE accounts (id integer PRIMARY KEY, tenant int NOT NULL, email NOT NULL)"
    )

    assert report(project, "check", "--rows").codes == ["missing-arbiter"]
    project.sql("CREATE UNIQUE INDEX uq_accounts ON accounts (tenant, email)")
    assert report(project, "check", "--rows").arbiters == {KEY: ["uq_accounts"]}
    project.dispose()


def test_two_databases(tmp_path: Path, url: str) -> None:
    """The multidb template: each database is asked about its own models."""
    other = tmp_path / "other.sqlite"
    project = initialised(tmp_path, url, "multidb")
    project.connect_to(f"sqlite:///{other}", "driver://user:pass@localhost/dbname2\n")
    project.target(
        '{"engine1": models.Base.metadata, "engine2": models.Other.metadata}',
        "target_metadata = {}",
    )
    project.sql(ACCOUNTS, UNIQUE)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE notes (id integer PRIMARY KEY, slug varchar NOT NULL)")
    project.models(
        ACCOUNT
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
    checked = report(project, "check")
    assert checked.verdicts == {KEY: "satisfied", "notes (slug)": "short"}
    with closing(sqlite3.connect(other)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]

    # and scan reads the models without a database, and leaves no <name>.sql
    kept = project.path / "engine1.sql"
    kept.write_text("a script of theirs")
    (project.path / "service.py").write_text(
        'execute("INSERT INTO notes (slug) VALUES (1) ON CONFLICT (slug) DO NOTHING")\n'
        'execute("INSERT INTO accounts (email) VALUES (1) ON CONFLICT (email) DO NOTHING")\n'
    )
    project.edit("alembic.ini", f"host={url.split('host=')[1]}".split("&")[0], "host=/nowhere")
    scanned = report(project, "scan", "service.py")
    assert [s["resolution"] for s in scanned.call_sites or []] == ["declared", "undeclared"]
    assert kept.read_text() == "a script of theirs"
    assert not (project.path / "engine2.sql").exists()
    project.dispose()


@pytest.mark.parametrize("before", [True, False], ids=["before the command", "behind it"])
def test_the_options_of_alembic(project: Project, before: bool) -> None:
    """-c, -n and -x reach env.py, where Alembic takes them and where people write them."""
    project.sql(ACCOUNTS, UNIQUE)
    project.models(ACCOUNT)
    project.edit("alembic.ini", "[alembic]\n", "[elsewhere]\nmine = yes\n")
    (project.path / "alembic.ini").rename(project.path / "other.ini")
    project.edit(
        "migrations/env.py",
        "import models\n",
        "import models\n"
        "x = context.get_x_argument(as_dictionary=True)\n"
        "assert x == {'a': '1', 'b': '2'}, x\n"
        "assert context.config.get_main_option('mine') == 'yes'\n"
        "assert context.config.cmd_opts.cmd[0].__name__ == 'check'\n",
    )
    options = ["-c", "other.ini", "-n", "elsewhere", "-x", "a=1", "-x", "b=2"]
    ran = guard(project, *([*options, "check"] if before else ["check", *options]))
    assert ran.code == 0, ran.said

    assert "AssertionError: {'a': '1'}" in could_not_run(project, "check", *options[:-2])
    assert could_not_run(project, "check", "-c", "other.ini") == (
        "other.ini has no section [alembic]"
    )


def test_the_environment_names_the_configuration(project: Project) -> None:
    """ALEMBIC_CONFIG, as for alembic."""
    project.sql(ACCOUNTS, UNIQUE)
    project.models(ACCOUNT)
    (project.path / "alembic.ini").rename(project.path / "other.ini")
    project.environment["ALEMBIC_CONFIG"] = "other.ini"

    assert guard(project, "check").code == 0


def test_what_env_prints_is_not_in_the_report(project: Project) -> None:
    """Nor what the processes that it starts print; it goes to standard error."""
    project.sql(ACCOUNTS, UNIQUE)
    project.models(ACCOUNT)
    project.edit(
        "migrations/env.py",
        "import models\n",
        "import models, subprocess, sys\nprint('from env')\ncontext.config.print_stdout('by alembic')\n"
        "subprocess.run(['echo', 'from a process'])\nsys.__stdout__.write('from far\\n')\n"
        "sys.__stdout__.flush()\n",
    )
    for arguments in (["check"], ["scan", "models.py"]):
        checked = report(project, *arguments)
        for printed in ("from env", "by alembic", "from a process", "from far"):
            assert printed in checked.err
