"""What a revision executes as SQL text: the server is asked what it makes unique, and nothing else is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mysql.test_rows import ROWS
from tests.mysql.test_scenarios import TABLE, declare
from tests.rows.test_any_revision import write

if TYPE_CHECKING:
    from tests.project import Project

COUNTS = "2 duplicate groups, 3 surplus rows; what changed the schema above the operation stays"


def executed(project: Project, *statements: str) -> str:
    """Whatever an upgrade that executes them says, which does not go through."""
    write(project, *(f"op.execute({statement!r})" for statement in statements))
    ran = project.alembic("upgrade", "head")
    assert ran.code != 0
    return ran.said


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE UNIQUE INDEX uq ON accounts (tenant, email)",
        "ALTER TABLE `accounts` ADD CONSTRAINT uq UNIQUE KEY (`tenant`, email DESC) -- 100 % theirs",
        "alter table accounts add unique uq (tenant, email), add index ix (name)",
    ],
    ids=["CREATE UNIQUE INDEX", "ADD CONSTRAINT", "several clauses"],
)
def test_refused_rows_are_reported(mysql_project: Project, sql: str) -> None:
    """As those of Alembic's own operations are, and no parser is needed."""
    mysql_project.sql(TABLE, ROWS)
    said = executed(mysql_project, sql)

    assert f"unique index uq on accounts (tenant, email) cannot be created: {COUNTS}" in said
    assert "tenant = 2, email = 'b': 3 rows, id 3, 4, 5" in said
    assert "Traceback" not in said
    assert "1062" not in said
    assert mysql_project.rows("SELECT count(*) FROM accounts") == [(6,)]
    assert "UNIQUE" not in "".join(mysql_project.uniques())


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO accounts (id, tenant, email) VALUES (1, 1, 'unique')",
        "CREATE UNIQUE INDEX uq ON accounts (email(1))",
        "ALTER TABLE accounts MODIFY email varchar(30) COLLATE utf8mb4_bin, ADD UNIQUE uq (email)",
        "CREATE TABLE copies (UNIQUE (tenant)) SELECT tenant FROM accounts",
        "ALTER TABLE accounts ADD UNIQUE uq (tenant), ALGORITHM=INPLACE",
    ],
    ids=["a row", "a prefix", "a column changes too", "another table", "no copy takes it"],
)
def test_what_cannot_be_known_keeps_the_servers_error(mysql_project: Project, sql: str) -> None:
    """Also where the rows are the same in something that the text names."""
    mysql_project.sql(TABLE, ROWS)
    said = executed(mysql_project, sql)

    assert "1062" in said
    assert "cannot be created" not in said
    assert mysql_project.rows("SHOW TABLES LIKE 'copies'") == []
    assert "UNIQUE" not in "".join(mysql_project.uniques())


def test_values_are_kept_back(mysql_project: Project) -> None:
    """The server's message has the key of a row in it."""
    mysql_project.configure(upsert_guard_reveal="False")
    mysql_project.sql(TABLE, ROWS)
    said = executed(mysql_project, "ALTER TABLE accounts ADD UNIQUE uq (tenant, email)")

    assert COUNTS in said
    assert "a@x" not in said.lower()


@pytest.mark.parametrize(
    ("line", "is_taken"),
    [
        (
            "op.alter_column('accounts', 'email', new_column_name='mail', existing_type=sa.String(100))",
            True,
        ),
        ("op.alter_column('accounts', 'email', type_=sa.String(50), nullable=False)", False),
    ],
    ids=["renamed", "shortened"],
)
def test_a_column_that_is_taken_from_the_declared_key_is_reported(
    mysql_project: Project, line: str, *, is_taken: bool
) -> None:
    """What names it fails then (1054), and doubles no rows; with another type it is the key's as before."""
    mysql_project.sql(TABLE, "ALTER TABLE accounts ADD UNIQUE uq (tenant, email)")
    declare(mysql_project)
    write(mysql_project, line)
    said = mysql_project.upgrade().detected()

    warning = (
        "arbiter-removed: upsert key accounts (tenant, email) has lost its last arbiter, uq, with the column "
        "email: code that still upserts on it fails"
    )
    assert said == ([warning] if is_taken else [])
