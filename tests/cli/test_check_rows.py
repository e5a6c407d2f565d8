"""``check --rows``: the rows themselves, whatever an index says of them; counts, and no values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import ACCOUNT, ACCOUNTS, UNIQUE, guard, report
from tests.rows.test_hidden_rows import FORCED, SECURED
from tests.rows.test_obstacles import role
from tests.rows.test_several_keys import MODELS as SHOP_MODELS
from tests.rows.test_several_keys import ORDER_LINES, PRODUCTS, SHOP

if TYPE_CHECKING:
    from tests.project import Project

NULLABLE = ACCOUNT.replace("Mapped[str]", "Mapped[str | None]")


def with_rows(project: Project, model: str = ACCOUNT) -> None:
    """Two keys with duplicate rows, and one without."""
    project.sql(
        ACCOUNTS,
        "INSERT INTO accounts (tenant, email) VALUES (1, 'secret'), (1, 'secret'), (1, 'secret'), (2, 'b'), "
        "(2, 'b'), (3, 'c')",
    )
    project.models(model)


def test_duplicates_are_counted_and_listed(project: Project) -> None:
    """The statement that lists them is ready to paste; no value is shown; without --rows none is read."""
    with_rows(project)

    assert report(project, "check").codes == ["missing-arbiter"]
    checked = report(project, "check", "--rows")
    assert checked.codes == ["missing-arbiter", "duplicate-rows"]
    found = checked.findings[1]
    assert (found["severity"], found["fact"]) == ("error", "2 duplicate groups, 3 surplus rows")
    listing = found["hint"].removeprefix("list them: ").partition(";")[0]
    assert [row[-1] for row in project.rows(listing)] == [3, 2]
    line = (
        "op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last', order_by=['id'], "
        "archive_table='accounts_duplicates')"
    )
    assert found["hint"].endswith(f"put this into the revision above the check: {line}")
    assert (found["deduplication"]["upgrade"], found["deduplication"]["place"]) == (line, 1)
    assert "secret" not in guard(project, "check", "--rows").said


def test_rows_outside_of_the_predicate_do_not_count(project: Project) -> None:
    """A partial key is unique among its own rows only."""
    with_rows(project, ACCOUNT.replace('"email")', '"email", where=text("tenant > 2"))'))

    assert report(project, "check", "--rows").codes == ["missing-arbiter"]


@pytest.mark.parametrize(
    ("nulls", "found"),
    [
        ("warn", [("nullable-key", "warning"), ("null-rows", "warning")]),
        ("distinct", []),
        ("forbid", [("null-rows", "error")]),
        pytest.param(
            "not_distinct",
            [("nulls-mismatch", "error"), ("duplicate-rows", "error")],
            marks=pytest.mark.since(15),
        ),
    ],
)
def test_nulls_under_each_mode(project: Project, nulls: str, found: list[tuple[str, str]]) -> None:
    """As the key states; each twin has the same rows and the same index."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar)",
        UNIQUE,
        "INSERT INTO accounts (tenant, email) VALUES (1, NULL), (1, NULL), (2, 'a')",
    )
    project.models(NULLABLE.replace('"email")', f'"email", nulls="{nulls}")'))

    checked = report(project, "check", "--rows")
    assert [(f["code"], f["severity"]) for f in checked.findings] == found
    assert checked.code == int(any(severity == "error" for _, severity in found))
    if "null-rows" in checked.codes:
        assert checked.findings[-1]["fact"] == (
            "2 rows with NULL in the key: no upsert ever matches them"
        )


def test_an_index_that_lies(project: Project) -> None:
    """The heap is read: rows that a valid unique index should have refused, as after a changed collation."""
    project.sql(ACCOUNTS, UNIQUE)
    project.sql(
        # the index is made to take no rows for a while, as a superuser can
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'uq_accounts'::regclass",
    )
    project.sql("INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')")
    project.sql("UPDATE pg_index SET indisready = true WHERE indexrelid = 'uq_accounts'::regclass")
    project.models(ACCOUNT)

    checked = report(project, "check", "--rows")
    assert list(checked.verdicts.values()) == ["satisfied"]
    assert checked.codes == ["duplicate-rows"]
    assert checked.findings[0]["hint"].endswith("fix the rows, then REINDEX it")
    assert report(project, "check").code == 0


def test_rows_that_are_hidden(project: Project) -> None:
    """Row level security: nothing is known, and that is an error; the other keys are read all the same."""
    with_rows(project)
    project.sql(
        *SECURED, FORCED, "CREATE TABLE notes (id serial PRIMARY KEY, slug varchar NOT NULL)"
    )
    project.sql("INSERT INTO notes (slug) VALUES ('a'), ('a')")
    project.models(
        ACCOUNT + ACCOUNT.replace("Account", "Note").replace('"accounts"', '"notes"')
        .replace('"tenant", "email"', '"slug"').replace("tenant: Mapped[int]", "slug: Mapped[str]")
        .replace("        email: Mapped[str]\n", "")
    )  # fmt: skip
    with role(project) as name:
        checked = report(project, "check", "--rows")
    assert checked.codes == [
        "missing-arbiter",
        "unread-rows",
        "missing-arbiter",
        "duplicate-rows",
    ]
    assert checked.findings[1]["fact"] == (
        "the rows could not be read, and nothing is known of them: row level security hides rows of accounts from the "
        f"role {name}, and an index would hold them all"
    )
    assert checked.findings[3]["fact"] == "1 duplicate group, 1 surplus row"


def test_an_expression_that_fails_on_a_row(project: Project) -> None:
    """As the database says it; the keys behind it are read, though its statement failed."""
    project.sql(
        ACCOUNTS, UNIQUE, "INSERT INTO accounts (tenant, email) VALUES (0, 'a'), (0, 'b'), (1, 'a')"
    )
    project.models(
        ACCOUNT
        + '    declare_upsert_key(Account, text("(1 / tenant)"))\n'
        + '    declare_upsert_key(Account, "email")\n'
    )
    checked = report(project, "check", "--rows")
    facts = {f["elements"][0]: (f["code"], f["fact"]) for f in checked.findings}
    assert facts["(1 / tenant)"] == (
        "unread-rows",
        "the rows could not be read, and nothing is known of them: division by zero",
    )
    assert facts["email"] == ("duplicate-rows", "1 duplicate group, 1 surplus row")


def test_what_cannot_be_indexed(project: Project) -> None:
    """The obstacle, and the way around it."""
    project.sql(
        "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email json NOT NULL)"
    )
    project.models(ACCOUNT.replace("Mapped[str]", "Mapped[str] = mapped_column(JSON)"))

    found = report(project, "check", "--rows").findings[-1]
    assert found["fact"] == (
        "no unique index can be made on these elements and rows: "
        'data type json has no default operator class for access method "btree"'
    )
    assert found["hint"].startswith("make the key of what can be indexed")


def test_rows_on_sqlite(sqlite_project: Project) -> None:
    """Duplicates and NULLs are read there too, one finding each."""
    sqlite_project.sql(
        "CREATE TABLE accounts (id integer PRIMARY KEY, tenant integer NOT NULL, email varchar)",
        "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a'), (2, NULL)",
    )
    sqlite_project.models(NULLABLE)

    checked = report(sqlite_project, "check", "--rows")
    assert checked.codes == ["missing-arbiter", "duplicate-rows", "null-rows"]
    assert checked.findings[2]["fact"].startswith("1 row with NULL in the key")


def test_lines_for_several_tables_come_with_their_order(project: Project) -> None:
    """In text and in JSON: a table after those that it refers to."""
    project.sql(*SHOP)
    project.models(SHOP_MODELS)
    lines = {
        finding["table"]: finding["deduplication"]
        for finding in report(project, "check", "--rows").findings
        if finding["code"] == "duplicate-rows"
    }

    assert [lines[table]["place"] for table in ("products", "order_lines")] == [1, 2]
    assert [lines[table]["upgrade"] for table in ("products", "order_lines")] == [
        PRODUCTS,
        ORDER_LINES,
    ]
    assert f"{PRODUCTS} (line 1 of 2: a table comes after those that it refers to)" in " ".join(
        guard(project, "check", "--rows").out.split()
    )
