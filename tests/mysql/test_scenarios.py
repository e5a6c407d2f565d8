"""MySQL and MariaDB through the real ``alembic`` command: red, generated, upgraded, clean, down and up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.project import goes_red, goes_round

if TYPE_CHECKING:
    from tests.mysql.servers import MySQLServer
    from tests.project import Project

TABLE = """
CREATE TABLE accounts (
    id int AUTO_INCREMENT PRIMARY KEY, tenant int NOT NULL, email varchar(100) NOT NULL, name varchar(100)
)
"""

MODEL = """
class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = ({args})
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[int]
    email: Mapped[str] = mapped_column(String(100))
    name: Mapped[str | None] = mapped_column(String(100))
"""

KEY = "UpsertKey('tenant', 'email'),"
CHECK = "op.validate_upsert_key('accounts', ['tenant', 'email'])"


def declare(project: Project, args: str = KEY) -> None:
    project.models(MODEL.replace("{args}", args))


@pytest.mark.parametrize(
    "args",
    [
        KEY,
        "UpsertKey('tenant', 'email', as_index=True),",
        "UpsertKey('tenant', 'email', name='by_tenant'),",
        "UpsertKey('tenant', 'email'), UniqueConstraint('email', 'tenant', name='uq_mine')",
        "UpsertKey('tenant', 'email'), Index('ix_mine', 'tenant', 'email', unique=True)",
    ],
    ids=["constraint", "index", "named", "its own constraint", "its own index"],
)
def test_nothing_is_there(mysql_project: Project, args: str) -> None:
    """The check of the rows and the creation, and no line that could not run here."""
    mysql_project.sql(TABLE)
    declare(mysql_project, args)
    revision = goes_red(mysql_project, "'missing-arbiter'")

    assert revision.written("upgrade")[0] == CHECK
    assert len(revision.written("upgrade")) == 2
    assert len(revision.written("downgrade")) == 1
    goes_round(mysql_project, revision)


def test_a_new_table_has_it_inline(mysql_project: Project) -> None:
    """There are no rows to check."""
    declare(mysql_project)
    revision = goes_red(mysql_project)

    assert revision.calls("upgrade") == ["op.create_table"]
    goes_round(mysql_project, revision)


@pytest.mark.parametrize(
    "made",
    [
        "CREATE UNIQUE INDEX other_name ON accounts (tenant, email)",
        "CREATE UNIQUE INDEX uq_accounts_tenant_email ON accounts (email, tenant)",
        "CREATE UNIQUE INDEX other_name ON accounts (email DESC, tenant)",
        "ALTER TABLE accounts ADD CONSTRAINT other_name UNIQUE (tenant, email)",
    ],
)
@pytest.mark.parametrize("args", [KEY, "UpsertKey('tenant', 'email', as_index=True),"])
def test_what_serves_is_kept(mysql_project: Project, made: str, args: str) -> None:
    """Under whatever name, in whatever order."""
    mysql_project.sql(TABLE, made)
    declare(mysql_project, args)

    check = mysql_project.check()

    assert check.code == 0, check.said


@pytest.mark.parametrize("name", ["uq_accounts_tenant_email", "other_name"])
def test_a_prefix_does_not_serve(mysql_project: Project, name: str) -> None:
    """Alembic sees no difference where it has the wanted name; the way back brings the prefix back."""
    mysql_project.sql(TABLE, f"CREATE UNIQUE INDEX {name} ON accounts (tenant, email(10))")
    declare(mysql_project)
    revision = goes_red(mysql_project, "'missing-arbiter'")

    assert f"nearest is index {name} (tenant, email(10)): only the first 10" in revision.ran.err
    assert revision.written("upgrade")[0] == CHECK
    goes_round(mysql_project, revision)


@pytest.mark.parametrize(
    ("made", "near"),
    [
        ("CREATE INDEX {} ON accounts (tenant, email)", "it is not unique"),
        ("CREATE UNIQUE INDEX {} ON accounts (tenant)", "one column too few (email)"),
        ("CREATE UNIQUE INDEX {} ON accounts (tenant, email, name)", "one column too many (name)"),
    ],
)
@pytest.mark.parametrize("name", ["uq_accounts_tenant_email", "other_name"])
def test_near_misses_are_named(mysql_project: Project, made: str, near: str, name: str) -> None:
    """In the line that the log has for the key."""
    mysql_project.sql(TABLE, made.format(name))
    declare(mysql_project)
    revision = goes_red(mysql_project, "'missing-arbiter'")

    assert near in revision.ran.err
    goes_round(mysql_project, revision)


def test_an_expression_key_is_a_functional_index(mysql_project: Project) -> None:
    """On MySQL; on MariaDB, which has none, it is reported before anything is generated."""
    mysql_project.sql(TABLE)
    declare(mysql_project, "UpsertKey('tenant', func.lower(column('email')), nulls='distinct'),")
    if mysql_project.url.startswith("mariadb"):
        check = mysql_project.check()
        assert "has the expression lower(email), which MariaDB has no indexes on" in check.said
        return
    revision = goes_red(mysql_project, "'missing-arbiter'")
    goes_round(mysql_project, revision)


def test_a_column_without_a_length_is_reported_beforehand(mysql_project: Project) -> None:
    """MySQL would fail with 1170; MariaDB makes it unique by a hash."""
    mysql_project.sql(TABLE, "ALTER TABLE accounts ADD body text NOT NULL")
    mysql_project.models(
        MODEL.replace("{args}", "UpsertKey('body'),")
        + "    body: Mapped[str] = mapped_column(Text)\n"
    )
    if mysql_project.url.startswith("mariadb"):
        goes_round(mysql_project, goes_red(mysql_project, "'missing-arbiter'"))
        return
    said = mysql_project.check().said
    assert (
        "upsert key accounts (body) has the column body of type TEXT, and MySQL makes no column unique whose length "
        "it does not know: declare body as String(length), or key a generated column with its hash, such as "
        "Computed('sha2(body, 256)')"
    ) in said


def test_a_partial_key_is_reported_beforehand(mysql_project: Project) -> None:
    """The servers have no partial indexes."""
    mysql_project.sql(TABLE)
    declare(mysql_project, "UpsertKey('tenant', where=text('name IS NULL')),")

    assert "is partial, and" in mysql_project.check().said


def test_rivals_are_a_warning_and_no_difference(mysql_project: Project) -> None:
    """``alembic check`` exits with 0."""
    mysql_project.sql(
        TABLE,
        "CREATE UNIQUE INDEX uq_accounts_tenant_email ON accounts (tenant, email)",
        "CREATE UNIQUE INDEX uq_name ON accounts (name)",
    )
    declare(mysql_project, KEY + "UniqueConstraint('name', name='uq_name')")

    check = mysql_project.check()

    assert check.code == 0, check.said
    (told,) = check.detected()
    assert told == (
        "rival-unique-key: upsert key accounts (tenant, email): index uq_name (name) is unique as well: ON DUPLICATE "
        "KEY UPDATE updates the row that breaks any of them, this key's or not"
    )


def test_a_widened_primary_key_is_verified_by_the_catalog(mysql_project: Project) -> None:
    """It fails until a person has made the change, and says that it goes by the catalog."""
    mysql_project.sql("CREATE TABLE prices (sku int NOT NULL, day int NOT NULL, PRIMARY KEY (sku))")
    mysql_project.models("""
        class Price(Base):
            __tablename__ = "prices"
            __table_args__ = (UpsertKey("sku", "day"),)
            sku: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
            day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """)
    revision = goes_red(mysql_project, "'missing-arbiter'")
    refused = mysql_project.alembic("upgrade", "head")
    assert refused.code != 0
    assert "is not verified. Its catalog says: nothing is unique on exactly these" in refused.err

    mysql_project.edit(
        str(revision.path.relative_to(mysql_project.path)),
        "    op.verify_upsert_key",
        "    op.execute('ALTER TABLE prices DROP PRIMARY KEY, ADD PRIMARY KEY (sku, day)')\n"
        "    op.verify_upsert_key",
    )
    mysql_project.upgrade()
    assert mysql_project.check().code == 0


def test_another_database_is_a_schema(mysql_project: Project, mysql_server: MySQLServer) -> None:
    """Its name in quotes, with a per cent sign in it."""
    mysql_server.database("other 100%")
    mysql_project.sql(TABLE.replace("accounts", "`other 100%`.accounts"))
    named = "lambda name, kind, _: kind != 'schema' or name in (None, 'other 100%')"
    mysql_project.configure(include_schemas="True", include_name=named)
    declare(mysql_project, KEY + "{'schema': 'other 100%'}")
    revision = goes_red(mysql_project, "'other 100%'")

    assert "schema='other 100%'" in revision.text
    mysql_project.upgrade()
    check = mysql_project.check()
    assert check.code == 0, check.said
    mysql_server.execute("DROP DATABASE `other 100%`")


def test_a_mysql_url_may_lead_to_mariadb(mariadb_project: Project) -> None:
    """The server is asked what it is."""
    mariadb_project.url = mariadb_project.url.replace("mariadb+", "mysql+")
    mariadb_project.sql(TABLE)
    declare(mariadb_project)
    goes_round(mariadb_project, goes_red(mariadb_project, "'missing-arbiter'"))


def test_in_batch_mode_it_goes_round_as_well(mysql_project: Project) -> None:
    """``render_as_batch=True``."""
    mysql_project.sql(TABLE)
    mysql_project.configure(render_as_batch="True")
    declare(mysql_project)
    goes_round(mysql_project, goes_red(mysql_project, "'missing-arbiter'"))


def test_an_index_for_a_foreign_key_is_needed_on_the_way_down(mysql_project: Project) -> None:
    """The server drops its own index where the key's serves the foreign key, and then holds on to that."""
    mysql_project.sql(
        "CREATE TABLE tenants (id int PRIMARY KEY)",
        TABLE,
        "ALTER TABLE accounts ADD CONSTRAINT fk_tenant FOREIGN KEY (tenant) REFERENCES tenants (id)",
    )
    mysql_project.models(
        "class Tenant(Base):\n"
        "    __tablename__ = 'tenants'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)\n"
        + MODEL.replace(
            "{args}",
            KEY + "ForeignKeyConstraint(['tenant'], ['tenants.id'], name='fk_tenant')",
        )
    )
    revision = goes_red(mysql_project, "'missing-arbiter'")
    mysql_project.upgrade()
    assert mysql_project.check().code == 0
    second = mysql_project.revise()
    assert second.is_empty
    second.path.unlink()
    assert "1553" in mysql_project.alembic("downgrade", "-1").said

    file = str(revision.path.relative_to(mysql_project.path))
    drop = revision.lines("downgrade")[0]
    above = "op.create_index('ix_accounts_tenant', 'accounts', ['tenant'])"
    mysql_project.edit(file, f"    {drop}", f"    {above}\n    {drop}")
    mysql_project.downgrade()
    assert "uq_accounts" not in "".join(mysql_project.uniques())


def test_a_key_that_is_dropped_is_reported_with_what_then_happens(mysql_project: Project) -> None:
    """Nothing fails: rows double in silence."""
    mysql_project.sql(TABLE)
    declare(mysql_project)
    goes_round(mysql_project, goes_red(mysql_project))
    declare(mysql_project, "UpsertKey('tenant'),")
    revision = goes_red(mysql_project, "'arbiter-removed'")

    assert "code that still upserts on it doubles rows in silence" in revision.ran.err
    assert revision.contract is not None
    assert "doubles rows in silence from here on" in revision.contract.text


def test_sql_without_parentheses_is_reported_beforehand(mysql_project: Project) -> None:
    """SQLAlchemy writes text() as it is, and MySQL wants parentheses around every expression of an index."""
    if mysql_project.url.startswith("mariadb"):
        pytest.skip("MariaDB has no indexes on expressions")
    mysql_project.sql(TABLE)
    declare(mysql_project, "UpsertKey('tenant', text('lower(email)'), nulls='distinct'),")
    said = mysql_project.check().said
    assert (
        "MySQL takes an expression in an index in parentheses alone: write text('(lower(email))')"
        in said
    )

    declare(mysql_project, "UpsertKey('tenant', text('(lower(email))'), nulls='distinct'),")
    goes_round(mysql_project, goes_red(mysql_project, "'missing-arbiter'"))


def test_a_foreign_key_needs_the_index_of_the_old_key(mysql_project: Project) -> None:
    """The new one is there when the old one goes, so that the server lets it go (error 1553), on the way back too."""
    mysql_project.sql(
        "CREATE TABLE tenants (id int PRIMARY KEY)",
        TABLE.replace(
            "name varchar(100)",
            "name varchar(100) NOT NULL, CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email), "
            "CONSTRAINT of_tenant FOREIGN KEY (tenant) REFERENCES tenants (id)",
        ),
    )
    declare(mysql_project, "UpsertKey('tenant', 'name'),")
    model = (mysql_project.path / "models.py").read_text()
    model = model.replace("Mapped[str | None]", "Mapped[str]").replace(
        "tenant: Mapped[int]",
        "tenant: Mapped[int] = mapped_column(ForeignKey('tenants.id', name='of_tenant'))",
    )
    model += "\nTable('tenants', Base.metadata, Column('id', Integer, primary_key=True, autoincrement=False))\n"
    (mysql_project.path / "models.py").write_text(model)

    revision = goes_red(mysql_project, "'missing-arbiter'")

    assert revision.contract is not None
    goes_round(mysql_project, revision)
