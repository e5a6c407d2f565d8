"""``alembic upgrade --sql`` in psql says the first line that ``alembic upgrade`` says, in the same cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rows.test_deduplication import KEPT, ROWS, SURPLUS, accounts, mend
from tests.rows.test_preflight import ACCOUNTS, NULLS, TABLE, TWICE
from tests.rows.test_scripts import script
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from tests.project import Project

ONE_GROUP = "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')"
THOUSANDS = "INSERT INTO accounts (tenant, email) SELECT 1, (n % 1234)::text FROM generate_series(1, 12345) n"
CLEAN = "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'b'), (2, 'a')"
UQ = "uq_accounts_tenant_email"


def set_up(project: Project, rows: str, arguments: str = '"tenant", "email"') -> Project:
    """The table with its rows, and a generated revision that has yet to be applied."""
    project.sql(TABLE, rows)
    project.models(ACCOUNTS.replace('"tenant", "email"{key}', arguments))
    project.revise()
    return project


def said_online(project: Project) -> str:
    """The first line of the report that ``alembic upgrade`` prints."""
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    return ran.out.split("FAILED: ")[1].splitlines()[0]


def said_in_psql(project: Project) -> str:
    """The error that stops the script; it is the only one, and nothing of the script is left."""
    before = project.uniques()
    ran = in_psql(project, script(project))
    assert ran.code != 0
    assert project.uniques() == before
    (error,) = [line for line in ran.err.splitlines() if "ERROR:  " in line]
    return error.split("ERROR:  ")[1]


@pytest.mark.parametrize(
    ("rows", "arguments", "first_line"),
    [
        pytest.param(
            ONE_GROUP,
            '"tenant", "email"',
            "accounts (tenant, email) does not hold: 1 duplicate group, 1 surplus row",
            id="one group",
        ),
        pytest.param(
            TWICE,
            '"tenant", "email"',
            "accounts (tenant, email) does not hold: 2 duplicate groups, 3 surplus rows",
            id="several groups",
        ),
        pytest.param(
            THOUSANDS,
            '"tenant", "email"',
            "accounts (tenant, email) does not hold: 1,234 duplicate groups, 11,111 surplus rows",
            id="thousands",
        ),
        pytest.param(
            "INSERT INTO accounts (tenant, email) SELECT 1, 'a' FROM generate_series(1, 1000001)",
            '"tenant", "email"',
            "accounts (tenant, email) does not hold: 1 duplicate group, 1,000,000 surplus rows",
            id="a million",
        ),
        pytest.param(
            "INSERT INTO accounts (tenant, email) VALUES (NULL, 'n')",
            '"tenant", "email", nulls="forbid"',
            "accounts (tenant, email) does not hold: 1 row with NULL in the key",
            id="a forbidden NULL",
        ),
        pytest.param(
            "INSERT INTO accounts (email) SELECT 'n' FROM generate_series(1, 1001)",
            '"tenant", "email", nulls="forbid"',
            "accounts (tenant, email) does not hold: 1,001 rows with NULL in the key",
            id="forbidden NULLs",
        ),
        pytest.param(
            f"{TWICE}, (NULL, 'n'), (3, NULL)",
            '"tenant", "email", nulls="forbid"',
            "accounts (tenant, email) does not hold: 2 duplicate groups, 3 surplus rows, 2 rows with NULL in the key",
            id="duplicates and forbidden NULLs",
        ),
        pytest.param(
            f"{TWICE}, (NULL, 'n'), (NULL, 'n')",
            '"tenant", "email", nulls="distinct"',
            "accounts (tenant, email) does not hold: 2 duplicate groups, 3 surplus rows",
            id="duplicates beside NULLs",
        ),
        pytest.param(
            f"{TWICE}, (NULL, 'n'), (NULL, 'n'), (NULL, NULL), (NULL, NULL)",
            '"tenant", "email", nulls="not_distinct"',
            "accounts (tenant, email) does not hold: 4 duplicate groups, 5 surplus rows",
            id="NULLs that are not distinct",
            marks=pytest.mark.since(15),
        ),
        pytest.param(
            TWICE,
            '"tenant", "email", where=text("tenant > 1")',
            "accounts (tenant, email) WHERE tenant > 1 does not hold: 1 duplicate group, 2 surplus rows",
            id="partial",
        ),
        pytest.param(
            TWICE,
            '"tenant", "email", where=text("email LIKE \'a%\' AND tenant <> 1")',
            "accounts (tenant, email) WHERE email LIKE 'a%' AND tenant <> 1 does not hold: "
            "1 duplicate group, 2 surplus rows",
            id="partial with quotes and a percent sign",
        ),
        pytest.param(
            "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'A')",
            '"tenant", func.lower(text("email"))',
            "accounts (tenant, lower(email)) does not hold: 1 duplicate group, 1 surplus row",
            id="expression",
        ),
        pytest.param(
            "INSERT INTO accounts (tenant, email) VALUES (1, 'a:b'), (1, 'a:c')",
            '"tenant", text("split_part(email, \':\', 1)")',
            "accounts (tenant, split_part(email, ':', 1)) does not hold: 1 duplicate group, 1 surplus row",
            id="expression with quotes and a colon",
        ),
    ],
)
def test_a_script_says_the_first_line_of_the_report(
    project: Project, rows: str, arguments: str, first_line: str
) -> None:
    """To the letter."""
    set_up(project, rows, arguments)

    online = said_online(project)
    assert online == f"upsert key {first_line}; nothing was changed"
    assert said_in_psql(project) == online


def test_a_script_says_the_first_line_of_the_report_about_a_schema(project: Project) -> None:
    """The schema and names that must be quoted are in it as SQL has them."""
    project.configure(include_schemas="True")
    project.sql(
        'CREATE SCHEMA "Shop"',
        'CREATE TABLE "Shop".accounts (id serial PRIMARY KEY, "Email" varchar)',
        """INSERT INTO "Shop".accounts ("Email") VALUES ('a'), ('a'), ('b')""",
    )
    project.models("""
        class Account(Base):
            __tablename__ = "accounts"
            __table_args__ = (UpsertKey("Email"), {"schema": "Shop"})
            id: Mapped[int] = mapped_column(primary_key=True)
            Email: Mapped[str | None]
    """)
    project.revise()

    online = said_online(project)
    assert online == (
        'upsert key "Shop".accounts (Email) does not hold: 1 duplicate group, 1 surplus row; '
        "nothing was changed"
    )
    assert said_in_psql(project) == online


def test_a_script_of_two_keys_stops_at_the_one_that_does_not_hold(project: Project) -> None:
    """Not at the first, which does."""
    project.sql(TABLE, CLEAN)
    project.models(ACCOUNTS.replace('"email"{key})', '"email"), UpsertKey("email")'))
    project.revise()

    online = said_online(project)
    assert online.startswith("upsert key accounts (email) does not hold: 1 duplicate group")
    assert said_in_psql(project) == online


def test_a_script_takes_an_inheriting_table_for_another(project: Project) -> None:
    """An index does not hold the rows of tables that inherit, and neither witness counts them."""
    set_up(project, CLEAN)
    project.sql(
        "CREATE TABLE archived () INHERITS (accounts)",
        "INSERT INTO archived (tenant, email) VALUES (1, 'a')",
    )

    ran = in_psql(project, script(project))
    assert ran.code == 0, ran.err
    assert UQ in "".join(project.uniques())


@pytest.mark.parametrize(
    ("rows", "arguments"),
    [
        pytest.param(CLEAN, '"tenant", "email"', id="plain"),
        pytest.param(CLEAN, '"tenant", "email", as_index=True', id="an index"),
        pytest.param(NULLS, '"tenant", "email"', id="NULLs that are warned of"),
        pytest.param(NULLS, '"tenant", "email", nulls="distinct"', id="NULLs that are meant"),
        pytest.param(CLEAN, '"tenant", "email", nulls="forbid"', id="no NULLs"),
        pytest.param(
            CLEAN,
            '"tenant", "email", nulls="not_distinct"',
            id="equal NULLs",
            marks=pytest.mark.since(15),
        ),
        pytest.param(TWICE, '"tenant", "email", where=text("tenant > 2")', id="partial"),
        pytest.param(CLEAN, '"tenant", func.lower(text("email"))', id="expression"),
        pytest.param("SELECT 1", '"tenant", "email"', id="no rows"),
    ],
)
def test_a_script_on_clean_rows_runs_to_the_end(
    project: Project, rows: str, arguments: str
) -> None:
    """What it made is what ``alembic check`` wants."""
    set_up(project, rows, arguments)

    ran = in_psql(project, script(project))
    assert ran.code == 0, ran.err
    assert project.check().code == 0


def test_a_script_runs_again_once_the_rows_are_fixed(project: Project) -> None:
    """The refusal left nothing in its way."""
    set_up(project, TWICE)
    written = script(project)
    assert in_psql(project, written).code != 0

    project.sql(
        "DELETE FROM accounts a USING accounts b WHERE (a.tenant, a.email) = (b.tenant, b.email) AND a.id < b.id"
    )
    ran = in_psql(project, written)
    assert ran.code == 0, ran.err
    assert project.check().code == 0


def dirty(project: Project) -> str:
    """The upgrade's script, of the lines that the revision offers, check and creation; rows that need them."""
    project.sql(TABLE, ROWS)
    project.models(ACCOUNTS.replace("{key}", ', nulls="distinct"'))
    mend(project)
    return script(project)


def test_a_script_deduplicates_checks_and_creates(project: Project) -> None:
    """It runs to its end on rows that share a key, and the archive has those that went."""
    ran = in_psql(project, dirty(project))

    assert ran.code == 0, ran.err
    assert accounts(project) == KEPT
    assert accounts(project, "accounts_duplicates") == SURPLUS
    assert project.check().code == 0


def test_the_script_of_the_way_down_brings_the_rows_back(project: Project) -> None:
    """Every row is as it was before, and the archive is gone."""
    project.sql(TABLE, ROWS)
    before = accounts(project)
    project.sql("DROP TABLE accounts")
    assert in_psql(project, dirty(project)).code == 0

    ran = in_psql(project, project.alembic("downgrade", "r01:base", "--sql").out)
    assert ran.code == 0, ran.err
    assert accounts(project) == before
    assert project.rows("SELECT to_regclass('accounts_duplicates')") == [(None,)]
    assert UQ not in "".join(project.uniques())


def test_online_resumes_from_where_a_script_ended(project: Project) -> None:
    """What the script archived ``alembic downgrade`` brings back."""
    assert in_psql(project, dirty(project)).code == 0
    project.downgrade()

    assert len(accounts(project)) == len(KEPT) + len(SURPLUS)


def test_a_script_resumes_from_where_online_ended(project: Project) -> None:
    """What ``alembic upgrade`` archived the script brings back."""
    dirty(project)
    project.upgrade()
    ran = in_psql(project, project.alembic("downgrade", "r01:base", "--sql").out)

    assert ran.code == 0, ran.err
    assert len(accounts(project)) == len(KEPT) + len(SURPLUS)


def test_a_script_deduplicates_clean_rows_to_the_end(project: Project) -> None:
    """There is nothing to archive, and no archive."""
    written = dirty(project)
    project.sql("TRUNCATE accounts", CLEAN)

    ran = in_psql(project, written)
    assert ran.code == 0, ran.err
    assert project.rows("SELECT count(*) FROM accounts") == [(3,)]
    assert project.rows("SELECT to_regclass('accounts_duplicates')") == [(None,)]
