"""Tables in several schemas, in the default schema by name, and where only the search path finds them."""

from __future__ import annotations

from tests.project import Project, goes_red, goes_round

ACCOUNTS = """
    def accounts(name, schema):
        return Table(
            "accounts", Base.metadata,
            Column("id", Integer, primary_key=True),
            Column("tenant", Integer, nullable=False),
            Column("email", String, nullable=False),
            UpsertKey("tenant", "email"),
            schema=schema,
        )
"""
COLUMNS = "(id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL)"


def test_several_schemas_are_compared(project: Project) -> None:
    """Each table's key is validated and created in its own schema; the default one is not written."""
    project.sql(
        "CREATE SCHEMA s1",
        'CREATE SCHEMA "Second Schema"',
        f"CREATE TABLE accounts {COLUMNS}",
        f"CREATE TABLE s1.accounts {COLUMNS}",
        f'CREATE TABLE "Second Schema".accounts {COLUMNS}',
    )
    project.models(ACCOUNTS + '    for s in (None, "s1", "Second Schema"): accounts(s, s)\n')
    project.configure(include_schemas="True")

    revision = goes_red(
        project,
        "('validate_upsert_key', None, 'accounts', ('tenant', 'email'), 'missing-arbiter')",
        "('validate_upsert_key', 's1', 'accounts', ('tenant', 'email'), 'missing-arbiter')",
        "('validate_upsert_key', 'Second Schema', 'accounts', ('tenant', 'email'), 'missing-arbiter')",
    )
    assert sorted(line for line in revision.lines("upgrade") if "validate" in line) == [
        "op.validate_upsert_key('accounts', ['tenant', 'email'])",
        "op.validate_upsert_key('accounts', ['tenant', 'email'], schema='Second Schema')",
        "op.validate_upsert_key('accounts', ['tenant', 'email'], schema='s1')",
    ]
    goes_round(project, revision)


def test_each_of_a_few_schemas_has_its_own_line_for_duplicates(project: Project) -> None:
    """All that is offered, run as it is offered, lets the upgrade through, and back."""
    schemas = ("public", "s1", "s2")
    project.sql(
        "CREATE SCHEMA s1",
        "CREATE SCHEMA s2",
        *(f"CREATE TABLE {each}.accounts {COLUMNS}" for each in schemas),
        *(
            f"INSERT INTO {each}.accounts (tenant, email) VALUES (1, 'a'), (1, 'a')"
            for each in schemas
        ),
    )
    project.models(ACCOUNTS + '    for s in (None, "s1", "s2"): accounts(s, s)\n')
    project.configure(include_schemas="True")
    revision = project.revise()
    assert revision.text.count("# op.deduplicate_upsert_key(") == 3

    revision.path.write_text(revision.text.replace("# op.", "op."))
    project.upgrade()
    project.downgrade()
    assert all(project.rows(f"SELECT count(*) FROM {each}.accounts") == [(2,)] for each in schemas)


def test_the_model_names_the_default_schema(project: Project) -> None:
    """The revision names it as the model does."""
    project.sql(f"CREATE TABLE accounts {COLUMNS}")
    project.models(ACCOUNTS + '    accounts("default", "public")\n')
    project.configure(include_schemas="True")

    revision = goes_red(project)
    assert revision.lines("upgrade")[0] == (
        "op.validate_upsert_key('accounts', ['tenant', 'email'], schema='public')"
    )
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_unique_constraint"]
    goes_round(project, revision)


def test_the_search_path_alone_finds_the_table(project: Project) -> None:
    """A namesake in a schema off the search path does not answer for it."""
    project.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE app.accounts {COLUMNS}",
        f"CREATE TABLE public.accounts {COLUMNS}",
        "CREATE UNIQUE INDEX not_ours ON public.accounts (tenant, email)",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END $$",
    )
    project.engine.dispose()
    project.models(ACCOUNTS + '    accounts("default", None)\n')

    revision = goes_red(project)
    assert revision.lines("upgrade")[0] == "op.validate_upsert_key('accounts', ['tenant', 'email'])"
    goes_round(project, revision)
    assert (
        "CREATE UNIQUE INDEX uq_accounts_tenant_email ON app.accounts USING btree (tenant, email)"
        " / UNIQUE (tenant, email)"
    ) in project.uniques()


def test_tenant_schemas_are_translated(project: Project) -> None:
    """A key in a schema that the application translates for each tenant is judged in the schema that env.py names."""
    project.sql("CREATE SCHEMA tenant_1", f"CREATE TABLE tenant_1.accounts {COLUMNS}")
    project.models(ACCOUNTS + '    accounts("default", None)\n')
    project.edit(
        "migrations/env.py",
        "        context.configure(connection",
        '        connection.exec_driver_sql("SET search_path = tenant_1")\n'
        "        connection.commit()\n"
        '        connection.dialect.default_schema_name = "tenant_1"\n'
        "        context.configure(connection",
    )

    revision = goes_red(project)
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_unique_constraint"]
    goes_round(project, revision)
