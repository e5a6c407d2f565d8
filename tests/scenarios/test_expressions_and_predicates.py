"""Keys that hold SQL: what is in the database afterwards is what the model says, to the letter."""

from __future__ import annotations

import pytest

from tests.project import Project, goes_red, goes_round

TABLE = """
    CREATE TABLE accounts (
        id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL, kind varchar NOT NULL,
        parent int, doc jsonb NOT NULL DEFAULT '{}'
    )
"""
MODEL = """
    from sqlalchemy.dialects.postgresql import JSONB

    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]
        kind: Mapped[str]
        parent: Mapped[int | None]
        doc: Mapped[dict] = mapped_column(JSONB, server_default="{}")

"""
UPSERT = """
    import os
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import insert
    from alembic_upsert_guard import conflict_target
    from models import Account

    row = dict(tenant=1, email="A@x", kind="live", doc=dict(state="live"))
    upsert = insert(Account).values(**row).on_conflict_do_update(
        **conflict_target(Account), set_=dict(kind="live")
    )
    with sa.create_engine(os.environ["PROJECT_URL"]).begin() as connection:
        for _ in range(7):  # a bound value in the target would fail from the sixth on, once prepared
            connection.execute(upsert)
        print(connection.scalar(sa.text("SELECT count(*) FROM accounts")))
"""

EXPRESSIONS = [
    ('"tenant", func.lower(Account.email)', "(tenant, lower((email)::text))"),
    ('"tenant", func.coalesce(Account.parent, -1)', "(tenant, COALESCE(parent, '-1'::integer))"),
    ('"tenant", Account.doc["state"].astext', "(tenant, ((doc ->> 'state'::text)))"),
    (
        "text(\"replace(email, '%', ' \\\\:p')\")",
        "(replace((email)::text, '%'::text, ' :p'::text))",
    ),
    ('"tenant", text("lower(email) -- folded")', "(tenant, lower((email)::text))"),
    ('func.replace(Account.email, "%", " :p")', "(replace((email)::text, '%'::text, ' :p'::text))"),
]
PREDICATES = [
    ('Account.email.like("%@x")', "((email)::text ~~ '%@x'::text)"),
    ("text(\"email LIKE '%@x'\")", "((email)::text ~~ '%@x'::text)"),
    ("text(\"kind = 'live' -- no others\")", "((kind)::text = 'live'::text)"),
    ('Account.kind != "a :b"', "((kind)::text <> 'a :b'::text)"),
    ("text(\"kind <> 'a \\\\:b'\")", "((kind)::text <> 'a :b'::text)"),
    (
        "text(\"kind::text <> 'x'::varchar::text\")",
        "((kind)::text <> ('x'::character varying)::text)",
    ),
    ('Account.doc["state"].astext == "live"', "((doc ->> 'state'::text) = 'live'::text)"),
    ("Account.tenant.in_([1, 2])", "(tenant = ANY (ARRAY[1, 2]))"),
    ("text(r\"kind !~ '^\\d+\\:%$'\")", r"((kind)::text !~ '^\d+:%$'::text)"),
]


@pytest.mark.parametrize(("elements", "made"), EXPRESSIONS)
def test_an_expression_key_goes_round(project: Project, elements: str, made: str) -> None:
    """The expression is created as declared, serves the upsert, and compares as equal afterwards."""
    project.sql(TABLE)
    project.models(MODEL + f"    declare_upsert_key(Account, {elements})\n")

    revision = goes_red(project, "missing-arbiter")
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_index"]
    assert revision.calls("downgrade") == ["op.drop_index"]
    goes_round(project, revision)
    assert any(index.endswith(f"USING btree {made}") for index in project.uniques())
    if "parent" not in elements:
        assert project.application(UPSERT).out == "1\n"


@pytest.mark.parametrize(("where", "made"), PREDICATES)
def test_a_partial_key_goes_round(project: Project, where: str, made: str) -> None:
    """The predicate is created as declared, serves the upsert, and compares as equal afterwards."""
    project.sql(TABLE)
    project.models(MODEL + f'    declare_upsert_key(Account, "tenant", "email", where={where})\n')

    revision = goes_red(project, "missing-arbiter")
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_index"]
    goes_round(project, revision)
    (made_of,) = project.rows(
        "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indpred IS NOT NULL"
    )
    assert made_of == (made,)
    assert project.application(UPSERT).out == "1\n"


@pytest.mark.parametrize("name", ["order", "Is primary", "live"])
def test_a_predicate_that_is_a_column_goes_round(project: Project, name: str) -> None:
    """A boolean column by itself, in quotes where its name needs them."""
    project.sql(
        f'CREATE TABLE flagged (id int PRIMARY KEY, a int NOT NULL, "{name}" bool NOT NULL)'
    )
    project.models(f"""
        Table(
            "flagged", Base.metadata,
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("a", Integer, nullable=False),
            (flag := Column({name!r}, Boolean, nullable=False)),
            UpsertKey("a", where=flag),
        )
    """)

    goes_round(project, goes_red(project, "missing-arbiter"))


def test_the_check_reads_the_rows_within_the_predicate(project: Project) -> None:
    """Rows outside it may repeat; those inside are reported with the predicate, per cent sign and colon."""
    project.sql(
        TABLE,
        "INSERT INTO accounts (tenant, email, kind) VALUES"
        " (1, 'A', 'gone%:'), (1, 'a', 'gone%:'), (1, 'A', 'live'), (1, 'a', 'live')",
    )
    project.models(
        MODEL
        + '    declare_upsert_key(Account, "tenant", func.lower(Account.email), where=Account.kind != "gone%:")\n'
    )
    project.revise()

    refused = project.alembic("upgrade", "head")
    assert "WHERE kind != 'gone%:' does not hold: 1 duplicate group, 1 surplus row" in refused.out
    assert "tenant = 1, lower(email) = 'a': 2 rows, id 3, 4" in refused.out
    assert "Traceback" not in refused.said
    listing = refused.out.split("List them all:\n")[1].split(";")[0]
    project.sql(listing)


@pytest.mark.parametrize(
    ("there", "key"),
    [
        ("((lower(email::text)), tenant)", '"tenant", func.lower(Account.email)'),
        ("(coalesce(parent, - 1), tenant)", '"tenant", func.coalesce(Account.parent, -1)'),
        (
            "(tenant, email) WHERE email::text ~~ '%@x'::text",
            '"email", "tenant", where=Account.email.like("%@x")',
        ),
        (
            "(tenant, email) WHERE kind <> 'a :b' AND tenant > 0",
            '"email", "tenant", where=text("(tenant > 0) AND kind != \'a \\\\:b\'")',
        ),
    ],
)
def test_the_same_in_other_words_is_there(project: Project, there: str, key: str) -> None:
    """The server is asked, and what is the same to it is left alone, the order of an AND included."""
    project.sql(TABLE, f"CREATE UNIQUE INDEX theirs ON accounts {there}")
    project.models(MODEL + f"    declare_upsert_key(Account, {key})\n")

    assert project.revise().is_empty


def test_two_keys_that_differ_in_the_predicate_alone(project: Project) -> None:
    """Each has its own check and its own index."""
    project.sql(TABLE)
    project.models(
        MODEL
        + '    declare_upsert_key(Account, "tenant", where=Account.kind == "a")\n'
        + '    declare_upsert_key(Account, "tenant", where=Account.kind == "b")\n'
        + '    declare_upsert_key(Account, "tenant", "email")\n'
    )

    revision = goes_red(project)
    assert revision.calls("upgrade").count("op.validate_upsert_key") == 3
    assert revision.calls("upgrade").count("op.create_index") == 2
    goes_round(project, revision)


@pytest.mark.parametrize("name", ["", ', name="stated"'], ids=["unnamed", "stated"])
def test_a_changed_predicate_replaces_the_index(project: Project, name: str) -> None:
    """The new index comes, and after the deploy the old one goes; the downgrade restores the old one to the letter."""
    key = '    declare_upsert_key(Account, "tenant", where=Account.kind == "{kind}"{name})\n'
    project.sql(TABLE)
    project.models(MODEL + key.format(kind="a%: :b", name=name))
    project.revise()
    project.upgrade()
    project.models(MODEL + key.format(kind="c%: :d", name=name))

    revision = goes_red(project)
    assert revision.calls("upgrade") == ["op.validate_upsert_key", "op.create_index"]
    assert revision.contract is not None
    assert revision.contract.calls("upgrade")[0] == "op.drop_index"
    goes_round(project, revision)


def test_a_changed_expression_replaces_the_index(project: Project) -> None:
    """The same for an element of the key."""
    project.sql(TABLE)
    project.models(
        MODEL + '    declare_upsert_key(Account, func.replace(Account.email, "%", ":x"))\n'
    )
    project.revise()
    project.upgrade()
    project.models(
        MODEL + '    declare_upsert_key(Account, func.replace(Account.email, "%", ":y"))\n'
    )

    goes_round(project, goes_red(project))


def test_keys_that_hold_sql_in_batch_mode(project: Project) -> None:
    """render_as_batch=True on PostgreSQL: every check before the block, every index in it, exactly as declared."""
    project.configure(render_as_batch="True")
    project.sql(TABLE)
    project.models(
        MODEL
        + '    declare_upsert_key(Account, "tenant", where=Account.kind == "a%: :b")\n'
        + '    declare_upsert_key(Account, func.replace(Account.email, "%", ":x"), "kind")\n'
    )

    revision = goes_red(project)
    assert revision.calls("upgrade") == [
        "op.validate_upsert_key",
        "op.validate_upsert_key",
        "op.batch_alter_table",
        "batch_op.create_index",
        "batch_op.create_index",
    ]
    goes_round(project, revision)
    made = "\n".join(project.uniques())
    assert "WHERE ((kind)::text = 'a%: :b'::text)" in made
    assert "(replace((email)::text, '%'::text, ':x'::text), kind)" in made


def test_a_column_whose_key_is_not_its_name(project: Project) -> None:
    """The revision and the database go by the name, whichever of the two the declaration uses."""
    project.sql(TABLE)
    project.models("""
        accounts = Table(
            "accounts", Base.metadata,
            Column("id", Integer, primary_key=True),
            Column("tenant", Integer, key="tenant_id", nullable=False),
            Column("email", String, key="address", nullable=False),
            Column("kind", String, key="sort", nullable=False),
            Column("parent", Integer),
            Column("doc", JSON, nullable=False, server_default="{}"),
            UpsertKey("tenant_id", "email"),
        )
        declare_upsert_key(accounts, func.lower(accounts.c.address), where=accounts.c.sort == "a")
    """)
    project.configure(compare_type="False")

    revision = goes_red(project)
    assert "op.validate_upsert_key('accounts', ['tenant', 'email'])" in revision.lines("upgrade")
    assert (
        "op.validate_upsert_key('accounts', [sa.text('lower(email)')], where=sa.text(\"kind = 'a'\"))"
    ) in revision.lines("upgrade")
    goes_round(project, revision)


@pytest.mark.filterwarnings("ignore:Expression #2")
def test_an_operator_class_is_in_the_index_and_not_in_the_check(project: Project) -> None:
    """Rows are compared by columns; where SQL names an operator class, the index alone has it, in scripts too."""
    project.sql(TABLE)
    project.models(
        MODEL
        + "    declare_upsert_key(Account, 'tenant', text('email varchar_pattern_ops'), nulls='distinct')\n"
    )
    revision = goes_red(project)

    assert revision.lines("upgrade")[0] == (
        "op.validate_upsert_key('accounts', ['tenant', 'email'], nulls='distinct')"
    )
    goes_round(project, revision)
    assert "(tenant, email varchar_pattern_ops)" in "".join(project.uniques())
