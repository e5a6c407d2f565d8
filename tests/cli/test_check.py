"""``upsert-guard check``: every verdict and every code that it can report, on the model, the DDL and the database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.cli.commands import ACCOUNT, ACCOUNTS, UNIQUE, guard, heads, report

if TYPE_CHECKING:
    from tests.project import Project

KEY = "accounts (tenant, email)"
PARTIAL = ACCOUNT.replace('"email")', '"email", where=text("tenant > 0"))')


def test_a_served_key_is_satisfied_and_its_arbiter_named(project: Project) -> None:
    """Exit 0, one line; and with one word changed in the database, red."""
    project.sql(ACCOUNTS, UNIQUE)
    project.models(ACCOUNT)

    checked = report(project, "check")
    assert (checked.code, checked.findings, checked.call_sites) == (0, [], None)
    assert checked.keys == [
        {
            "schema": None,
            "table": "accounts",
            "elements": ["tenant", "email"],
            "where": None,
            "verdict": "satisfied",
            "arbiters": ["uq_accounts"],
        }
    ]
    assert guard(project, "check").out == "1 upsert key: nothing to do.\n"


@pytest.mark.parametrize(
    ("code", "models", "ddl", "arbiters", "fact"),
    [
        pytest.param(*case, id=case[0])
        for case in [
            (
                "missing-arbiter",
                ACCOUNT,
                "CREATE UNIQUE INDEX near ON accounts (tenant, email, id)",
                [],
                (
                    "nothing is unique on exactly these elements; nearest is index near (tenant, email, id): "
                    "one column too many (id)"
                ),
            ),
            (
                "predicate-mismatch",
                ACCOUNT,
                "CREATE UNIQUE INDEX part ON accounts (tenant, email) WHERE tenant > 0",
                [],
                "index part (tenant, email) WHERE tenant > 0 is partial, the key is not",
            ),
            (
                "deferrable-arbiter",
                ACCOUNT,
                f"{UNIQUE} DEFERRABLE",
                ["uq_accounts"],
                "unique constraint uq_accounts (tenant, email) is DEFERRABLE, and ON CONFLICT fails on it with 55000",
            ),
            (
                "collation-mismatch",
                ACCOUNT.replace('"tenant", "email"', "text('email COLLATE \"C\"')"),
                "CREATE UNIQUE INDEX plain ON accounts (email)",
                [],
                "index plain (email) has another collation or operator class than the key names",
            ),
            (
                "missing-table",
                ACCOUNT,
                "DROP TABLE accounts",
                [],
                "the table is not in the database",
            ),
            (
                "partition-key-missing",
                ACCOUNT,
                (
                    "DROP TABLE accounts; CREATE TABLE accounts (id int, tenant int NOT NULL, email varchar NOT NULL, "
                    "day date NOT NULL) PARTITION BY RANGE (day)"
                ),
                [],
                "the table is partitioned by day, which the key lacks: nothing unique can span the partitions",
            ),
        ]
    ],
)
def test_a_short_key(
    project: Project, code: str, models: str, ddl: str, arbiters: list[str], fact: str
) -> None:
    """One finding of that code, an error, and exit 1; in text the code comes first."""
    project.sql(ACCOUNTS, *ddl.split("; "))
    project.models(models)

    checked = report(project, "check")
    assert checked.code == 1
    assert list(checked.verdicts.values()) == ["short"]
    assert list(checked.arbiters.values()) == [arbiters]
    assert [(f["code"], f["severity"], f["fact"]) for f in checked.findings] == [
        (code, "error", fact)
    ]
    shown = guard(project, "check").out
    (head,) = heads(shown)
    assert head.startswith(f"error[{code}]: upsert key accounts (")
    assert head.endswith(fact)
    assert shown.endswith("\n1 upsert key: 1 error.\n")


def test_an_index_that_failed_to_build(project: Project) -> None:
    """invalid-arbiter."""
    project.sql(ACCOUNTS, "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')")
    with pytest.raises(Exception, match="could not create unique index"):
        project.sql_outside_a_transaction(
            "CREATE UNIQUE INDEX CONCURRENTLY broken ON accounts (tenant, email)"
        )
    project.models(ACCOUNT)

    checked = report(project, "check")
    assert checked.codes == ["invalid-arbiter"]
    assert (checked.verdicts, checked.arbiters) == ({KEY: "short"}, {KEY: []})


@pytest.mark.since(15)  # NULLS NOT DISTINCT
def test_nulls_taken_otherwise_than_stated(project: Project) -> None:
    """nulls-mismatch, in either direction; the twin that fits is satisfied."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar)", UNIQUE
    )
    nullable = ACCOUNT.replace("Mapped[str]", "Mapped[str | None]")
    stated = nullable.replace('"email")', '"email", nulls="{}")')

    project.models(stated.format("not_distinct"))
    checked = report(project, "check")
    assert (checked.codes, checked.verdicts) == (["nulls-mismatch"], {KEY: "short"})
    assert checked.arbiters == {KEY: ["uq_accounts"]}

    project.models(stated.format("distinct"))
    checked = report(project, "check")
    assert (checked.codes, checked.verdicts) == ([], {KEY: "satisfied"})

    project.models(nullable)
    checked = report(project, "check")
    assert (checked.codes, checked.verdicts) == (["nullable-key"], {KEY: "satisfied"})
    assert checked.code == 0
    assert "email may hold NULL in the database" in checked.findings[0]["fact"]


def test_a_predicate_that_excludes_null(project: Project) -> None:
    """The key is about no row with NULL in it, and autogenerate says nothing either; the twin is about such rows."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar)",
        "CREATE UNIQUE INDEX live ON accounts (tenant, email) WHERE email IS NOT NULL",
        "CREATE UNIQUE INDEX old ON accounts (tenant, email) WHERE id < 9",
    )
    stated = ACCOUNT.replace("Mapped[str]", "Mapped[str | None]").replace(
        '"email")', '"email", where=text("{}"), name="{}")'
    )

    project.models(stated.format("email IS NOT NULL", "live"))
    assert report(project, "check").codes == []
    assert "nullable-key" not in project.check().said

    project.models(stated.format("id < 9", "old"))
    assert report(project, "check").codes == ["nullable-key"]
    assert "nullable-key" in project.check().said
    assert guard(project, "check", "--strict").code == 1


@pytest.mark.since(15)  # NULLS NOT DISTINCT
def test_nulls_of_an_arbiter_that_the_database_was_asked_for(project: Project) -> None:
    """A predicate written otherwise: the planner names the arbiter, and its NULLs count."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar)",
        "CREATE UNIQUE INDEX positive ON accounts (tenant, email) WHERE tenant > 0",
    )
    model = ACCOUNT.replace("Mapped[str]", "Mapped[str | None]")
    key = 'where=text("tenant > 0 AND tenant > 5"), nulls="{}")'
    project.models(model.replace('"email")', f'"email", {key.format("not_distinct")}'))
    checked = report(project, "check")
    assert checked.codes == ["nulls-mismatch"]
    assert list(checked.arbiters.values()) == [["positive"]]

    project.models(model.replace('"email")', f'"email", {key.format("distinct")}'))
    checked = report(project, "check")
    assert list(checked.verdicts.values()) == ["satisfied"]
    assert checked.codes == []


def test_what_text_cannot_tell_the_database_is_asked(project: Project) -> None:
    """Implication, refused and granted; with arbiters named."""
    project.sql(
        ACCOUNTS, "CREATE UNIQUE INDEX part ON accounts (tenant, email) WHERE tenant > 3 OR id > 7"
    )
    project.models(PARTIAL.replace("tenant > 0", "id > 8"))
    checked = report(project, "check")
    assert (checked.codes, list(checked.arbiters.values())) == ([], [["part"]])

    project.models(PARTIAL.replace("tenant > 0", "id > 5"))
    checked = report(project, "check")
    assert checked.codes == ["predicate-mismatch"]
    assert list(checked.verdicts.values()) == ["short"]


def test_an_expression_of_a_column_that_is_not_there_is_an_error(project: Project) -> None:
    """Whatever else is unique on the table: it was a warning that the primary key might serve."""
    project.sql(ACCOUNTS, "ALTER TABLE accounts DROP COLUMN email")
    project.models(ACCOUNT.replace('"tenant", "email"', 'func.lower(text("email"))'))
    checked = report(project, "check")
    assert (checked.code, checked.codes) == (1, ["missing-arbiter"])
    assert checked.findings[0]["fact"].endswith(
        'every upsert on it fails: column "email" does not exist'
    )


def test_every_arbiter_is_named(project: Project) -> None:
    """The constraint and the index beside it."""
    project.sql(ACCOUNTS, UNIQUE, "CREATE UNIQUE INDEX beside ON accounts (email, tenant)")
    project.models(ACCOUNT)

    assert report(project, "check").arbiters == {KEY: ["beside", "uq_accounts"]}


def test_what_cannot_be_asked_is_unknown(project: Project) -> None:
    """unproven-arbiter: a rule rewrites the INSERT away, so the planner has nothing to say; a warning, exit 0."""
    project.sql(
        ACCOUNTS,
        "CREATE UNIQUE INDEX part ON accounts (tenant, email) WHERE tenant > 3",
        "CREATE RULE away AS ON INSERT TO accounts DO INSTEAD NOTHING",
    )
    project.models(PARTIAL.replace("tenant > 0", "tenant > 5"))

    checked = report(project, "check")
    assert list(checked.verdicts.values()) == ["unknown"]
    assert (checked.codes, checked.code) == (["unproven-arbiter"], 0)
    assert guard(project, "check", "--strict").code == 1


def test_a_role_that_may_only_read_checks_too(project: Project) -> None:
    """It writes nothing, so it needs no more; what it cannot ask it says."""
    name = f"reader_{uuid4().hex[:8]}"
    project.sql(
        ACCOUNTS,
        UNIQUE,
        f"CREATE ROLE {name} LOGIN PASSWORD '{name}'",
        f"GRANT SELECT ON accounts TO {name}",
    )
    project.models(ACCOUNT)
    reader = project.engine.url.set(username=name, password=name)
    url, project.url = project.url, reader.render_as_string(hide_password=False)
    try:
        assert report(project, "check").verdicts == {KEY: "satisfied"}
    finally:
        project.url = url
        project.sql(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_nothing_is_written(project: Project) -> None:
    """No alembic_version, no temporary table left, no sequence value taken, with expressions and rows and all."""
    project.sql(ACCOUNTS, "CREATE UNIQUE INDEX part ON accounts (tenant, email) WHERE tenant > 3")
    project.models(PARTIAL)
    project.sql("INSERT INTO accounts (tenant, email) VALUES (1, 'a')")
    relations = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'i') ORDER BY 1"
    before = project.rows(relations), project.rows("SELECT * FROM accounts_id_seq")

    assert guard(project, "check", "--rows").code == 1

    assert (project.rows(relations), project.rows("SELECT * FROM accounts_id_seq")) == before
    assert not project.rows("SELECT * FROM pg_class WHERE relname = 'alembic_version'")


def test_a_project_without_keys_has_nothing_to_do(project: Project) -> None:
    """It says how much it looked at."""
    project.models("")
    ran = guard(project, "check")
    assert (ran.code, ran.out) == (
        0,
        "0 upsert keys: none is declared; upsert-guard scan . finds what the code upserts on.\n",
    )


def test_on_sqlite(sqlite_project: Project) -> None:
    """Named arbiters, the primary key by its kind, a near miss; and no file or table is left behind."""
    sqlite_project.sql(
        "CREATE TABLE accounts (id integer PRIMARY KEY, tenant integer NOT NULL, email varchar NOT NULL)",
        "CREATE UNIQUE INDEX uq_accounts ON accounts (tenant, email)",
    )
    sqlite_project.models(
        ACCOUNT
        + '    declare_upsert_key(Account, "id")\n    declare_upsert_key(Account, "email")\n'
    )

    checked = report(sqlite_project, "check", "--rows")
    assert checked.verdicts == {
        "accounts (email)": "short",
        "accounts (id)": "satisfied",
        KEY: "satisfied",
    }
    assert checked.arbiters == {
        "accounts (email)": [],
        "accounts (id)": ["primary key"],
        KEY: ["uq_accounts"],
    }
    assert checked.codes == ["missing-arbiter"]
    assert sqlite_project.rows("SELECT name FROM sqlite_master ORDER BY 1") == [
        ("accounts",),
        ("uq_accounts",),
    ]


def test_a_key_that_holds_the_rowid_is_reported_with_the_way_out(sqlite_project: Project) -> None:
    """Nothing that a revision could make would serve it."""
    sqlite_project.sql("CREATE TABLE accounts (id INTEGER NOT NULL PRIMARY KEY, tenant INTEGER)")
    sqlite_project.models("""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("tenant", "id"),)
            id: Mapped[int] = mapped_column(primary_key=True)
            tenant: Mapped[int]
    """)

    (finding,) = report(sqlite_project, "check").findings
    assert (finding["code"], finding["severity"]) == ("missing-arbiter", "error")
    assert finding["fact"].startswith("id is the rowid, and SQLite infers nothing that holds it")
    assert finding["hint"].startswith('declare UpsertKey("id") and upsert on it')


UNKNOWN_DIALECT = """
from alembic.ddl.impl import DefaultImpl
from sqlalchemy.dialects import registry
registry.register("elsewhere.pysqlite", "elsewhere", "Elsewhere")

class ElsewhereImpl(DefaultImpl):
    __dialect__ = "elsewhere"
"""


def test_a_database_that_cannot_be_judged(sqlite_project: Project) -> None:
    """unknown-dialect, once, and never a pass."""
    project = sqlite_project
    project.models(ACCOUNT)
    (project.path / "elsewhere.py").write_text(
        "from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite\n\n"
        "class Elsewhere(SQLiteDialect_pysqlite):\n    name = 'elsewhere'\n"
        "    supports_statement_cache = True\n"
    )
    project.edit("migrations/env.py", "import models\n", f"import models\n{UNKNOWN_DIALECT}")
    project.url = project.url.replace("sqlite:", "elsewhere+pysqlite:")

    checked = report(project, "check", "--rows")
    assert (checked.code, checked.codes, checked.keys) == (1, ["unknown-dialect"], [])
    assert checked.findings[0]["fact"] == (
        "elsewhere is not a database that upsert keys can be judged on; nothing was checked"
    )
    assert heads(guard(project, "check").out)[0].startswith("error[unknown-dialect]: elsewhere is")


def test_one_read_of_the_catalog_for_all_tables(project: Project) -> None:
    """Fifty tables cost the statements of one."""

    def statements(number: int) -> list[str]:
        project.models(f"""
    import pathlib
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "before_cursor_execute")
    def note(connection, cursor, statement, *_):
        with pathlib.Path("statements.log").open("a") as log:
            log.write("\\0" + statement)

    for n in range({number}):
        Table(
            f"accounts_{{n}}", Base.metadata, Column("id", Integer, primary_key=True),
            Column("tenant", Integer, nullable=False), UpsertKey("tenant"),
        )
""")
        log = project.path / "statements.log"
        log.unlink(missing_ok=True)
        checked = report(project, "check")
        assert len(checked.keys) == number
        assert set(checked.verdicts.values()) == {"satisfied"}
        return log.read_text().split("\0")[1:]

    project.sql(
        *(
            f"CREATE TABLE accounts_{n} (id int PRIMARY KEY, tenant int NOT NULL UNIQUE)"
            for n in range(50)
        )
    )
    of_one, of_fifty = statements(1), statements(50)
    assert len(of_fifty) == len(of_one)
    assert sum("pg_index" in statement for statement in of_fifty) == 1


def test_the_order_is_that_of_names(project: Project) -> None:
    """Tables by name, each key in its place, on every run."""
    project.models(
        ACCOUNT
        + '    declare_upsert_key(Account, "email")\n'
        + ACCOUNT.replace("Account", "Aardvark").replace('"accounts"', '"aardvarks"')
    )
    checked = report(project, "check")
    assert list(checked.verdicts) == ["aardvarks (tenant, email)", "accounts (email)", KEY]
    again = report(project, "check")
    assert again == replace(checked, err=again.err, run=again.run)


def test_tables_without_a_model_are_said_where_a_revision_is_advised(project: Project) -> None:
    """Autogenerate drops them; where each table has its model the hint says nothing of the kind."""
    project.sql(ACCOUNTS, "CREATE TABLE invoices (id serial PRIMARY KEY)")
    project.models(ACCOUNT)
    (partial,) = report(project, "check").findings
    project.sql("DROP TABLE invoices")
    (whole,) = report(project, "check").findings

    assert partial["code"] == whole["code"] == "missing-arbiter"
    assert partial["hint"] == (
        f"{whole['hint']}; 1 table of the database is in no model, and autogenerate writes a drop for each, unless "
        "env.py leaves them out (include_name, include_object): read the revision before it is run"
    )
    assert project.check().said.count("Detected removed table") == 0
