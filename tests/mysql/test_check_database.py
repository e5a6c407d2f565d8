"""``upsert-guard check --database`` on MariaDB and MySQL, where an upsert names no target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.commands import report
from tests.served.judging import statements_in

if TYPE_CHECKING:
    from tests.project import Project

BARE = "INSERT INTO logs (line) VALUES ('a') ON DUPLICATE KEY UPDATE line = VALUES(line);\n"
KEYED = (
    "INSERT INTO accounts (tenant, email) VALUES (1, 'a') ON CONFLICT (tenant, email) DO NOTHING;\n"
)


def test_nothing_unique_means_that_rows_double(mysql_project: Project) -> None:
    """Silent there, an error here; with anything unique it is served."""
    mysql_project.sql("CREATE TABLE logs (line varchar(20))")
    (mysql_project.path / "app.sql").write_text(BARE)
    options = ("check", "--database", mysql_project.url, "--code", "app.sql")
    (finding,) = report(mysql_project, *options).findings
    assert (finding["code"], "rows double in silence" in finding["fact"]) == (
        "unserved-upsert",
        True,
    )
    mysql_project.sql("ALTER TABLE logs ADD UNIQUE (line)")
    assert report(mysql_project, *options).findings == []


def test_the_sql_of_the_hint_makes_the_key(mysql_project: Project) -> None:
    """Where the upsert names its columns, as Supabase's and SQLite's do."""
    mysql_project.sql("CREATE TABLE accounts (id int PRIMARY KEY, tenant int, email varchar(20))")
    mysql_project.sql("INSERT INTO accounts VALUES (1, 1, 'a'), (2, 1, 'b')")
    (mysql_project.path / "app.sql").write_text(KEYED)
    options = ("check", "--database", mysql_project.url, "--code", "app.sql")
    (finding,) = report(mysql_project, *options).findings
    statements = statements_in(finding["hint"])
    assert statements == [
        "ALTER TABLE accounts ADD CONSTRAINT uq_accounts_tenant_email UNIQUE (tenant, email);"
    ]
    mysql_project.sql(*statements)
    assert report(mysql_project, *options).findings == []
