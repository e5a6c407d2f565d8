"""``upsert-guard`` on MySQL and MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.commands import report
from tests.mysql.test_rows import ROWS
from tests.mysql.test_scenarios import TABLE, declare

if TYPE_CHECKING:
    from tests.project import Project

UNIQUE = "CREATE UNIQUE INDEX uq_accounts_tenant_email ON accounts (tenant, email)"

MODULE = """
from sqlalchemy import text
from sqlalchemy.dialects.mysql import insert
from models import Account

insert(Account).values(tenant=1, email="a").on_duplicate_key_update(name="x")
text("INSERT INTO accounts (tenant, email) VALUES (1, 'a') ON DUPLICATE KEY UPDATE name = 'x'")
text("INSERT INTO elsewhere (a) VALUES (1) ON DUPLICATE KEY UPDATE a = a")
"""


def test_a_key_is_short_and_then_satisfied(mysql_project: Project) -> None:
    """With its arbiter by name, the near miss with its prefix, and nothing said where all is well."""
    mysql_project.sql(TABLE, UNIQUE.replace("email)", "email(10))"))
    declare(mysql_project)

    short = report(mysql_project, "check")
    assert short.code == 1
    assert short.codes == ["missing-arbiter"]
    assert "(tenant, email(10)): only the first 10 characters of email" in short.findings[0]["fact"]

    mysql_project.sql("DROP INDEX uq_accounts_tenant_email ON accounts", UNIQUE)
    satisfied = report(mysql_project, "check", "--strict")
    assert satisfied.code == 0
    assert satisfied.codes == []
    assert satisfied.arbiters == {"accounts (tenant, email)": ["uq_accounts_tenant_email"]}


def test_rivals_are_a_warning(mysql_project: Project) -> None:
    """The key is satisfied all the same; under --strict the command fails; an entry accepts it."""
    mysql_project.sql(TABLE, UNIQUE, "CREATE UNIQUE INDEX uq_name ON accounts (name)")
    declare(mysql_project)

    checked = report(mysql_project, "check")
    assert checked.code == 0
    assert checked.verdicts == {"accounts (tenant, email)": "satisfied"}
    assert [(f["code"], f["severity"]) for f in checked.findings] == [
        ("rival-unique-key", "warning")
    ]
    assert checked.findings[0]["fact"].startswith("index uq_name (name) is unique as well: ")
    assert report(mysql_project, "check", "--strict").code == 1

    (mysql_project.path / "pyproject.toml").write_text(
        '[[tool.upsert_guard.ignore]]\ncode = "rival-unique-key"\ntable = "accounts"\n'
        'reason = "a name never moves"\n'
    )
    assert report(mysql_project, "check", "--strict").code == 0


def test_rows_are_read_and_no_line_is_promised_that_could_not_run(mysql_project: Project) -> None:
    """The hint names no directive that the database does not have, and no value is shown."""
    mysql_project.sql(TABLE, ROWS)
    declare(mysql_project)

    checked = report(mysql_project, "check", "--rows")
    assert checked.codes == ["missing-arbiter", "duplicate-rows"]
    found = checked.findings[1]
    assert found["fact"] == "2 duplicate groups, 3 surplus rows"
    assert found["hint"].endswith(
        "Keep one row of each key and merge or delete the others, with what refers to them"
    )
    assert "a@x" not in str(checked.findings).lower()


def test_what_cannot_be_read_is_reported_and_the_other_keys_are_checked(
    mysql_project: Project,
) -> None:
    """A column that the table lacks."""
    mysql_project.sql(TABLE, ROWS)
    declare(mysql_project, "UpsertKey('nowhere', nulls='distinct'), UpsertKey('tenant'),")
    with (mysql_project.path / "models.py").open("a") as models:
        models.write("    nowhere: Mapped[int | None]\n")

    checked = report(mysql_project, "check", "--rows")
    facts = {f["code"]: f["fact"] for f in checked.findings if f["code"].endswith("-rows")}
    assert facts["unread-rows"].startswith(
        "the rows could not be read, and nothing is known of them: "
    )
    assert "Unknown column" in facts["unread-rows"]
    assert facts["duplicate-rows"] == "2 duplicate groups, 3 surplus rows"


def test_upserts_without_a_target_are_held_against_the_tables_keys(mysql_project: Project) -> None:
    """``ON DUPLICATE KEY UPDATE`` in SQLAlchemy and in SQL; no database is asked."""
    declare(mysql_project)
    (mysql_project.path / "service.py").write_text(MODULE)

    scanned = report(mysql_project, "scan", "service.py")
    assert scanned.call_sites is not None
    assert [(c["table"], c["elements"], c["resolution"]) for c in scanned.call_sites] == [
        ("accounts", [], "declared"),
        ("accounts", [], "declared"),
        ("elsewhere", [], "undeclared"),
    ]
    assert scanned.codes == ["undeclared-upsert"]


def test_a_missing_table_is_reported(mysql_project: Project) -> None:
    """By its own code."""
    declare(mysql_project)
    assert report(mysql_project, "check").codes == ["missing-table"]
