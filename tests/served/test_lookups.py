"""MERGE and INSERT ... WHERE NOT EXISTS: what the catalog has for them, and what two sessions at once do without."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.served.judging import statements_in

if TYPE_CHECKING:
    from tests.served.judging import Database

USERS = (
    "CREATE TABLE users (id int PRIMARY KEY, tenant int NOT NULL, email text NOT NULL, gone date)"
)
MERGE = """MERGE INTO users u USING (VALUES (1, 'a')) AS v (tenant, email) ON u.tenant = v.tenant AND u.email = v.email
    WHEN NOT MATCHED THEN INSERT (id, tenant, email) VALUES ((random() * 1e9)::int, v.tenant, v.email)"""
ABSENT = """INSERT INTO users SELECT (random() * 1e9)::int, 1, 'a' WHERE NOT EXISTS
    (SELECT FROM users WHERE tenant = 1 AND email = 'a')"""


@pytest.mark.since(15)
@pytest.mark.parametrize("statement", [MERGE, ABSENT])
def test_two_sessions_insert_the_same_row(database: Database, statement: str) -> None:
    """Neither sees what the other has not committed: the finding's claim."""
    database.run(USERS)

    with ExitStack() as stack:
        sessions = [stack.enter_context(database.engine.connect()) for _ in range(2)]
        for session in sessions:
            session.execute(text(statement))
        for session in sessions:
            session.commit()
        rows = sessions[0].execute(text("SELECT count(*) FROM users")).scalar()

    assert rows == 2


@pytest.mark.parametrize("statement", [MERGE, ABSENT])
def test_nothing_unique_is_a_warning_with_the_constraint(
    database: Database, statement: str
) -> None:
    """The hint's SQL settles it."""
    database.run(USERS)

    site, finding = database.only(f"{statement};")

    assert site["resolution"] == "unserved"
    assert finding is not None
    assert (finding.code, finding.severity) == ("unserved-upsert", "warning")
    assert "two sessions at once can insert the same row" in finding.fact
    database.run(*statements_in(finding.hint))
    site, finding = database.only(f"{statement};")
    assert (site["resolution"], finding) == ("served", None)


@pytest.mark.parametrize(
    ("index", "resolution"),
    [
        ("(email)", "served"),
        ("(tenant, email, gone)", "unserved"),
        ("(email) WHERE gone IS NULL", "unresolved"),
        ("(lower(email))", "unserved"),
    ],
)
def test_what_is_unique_on_fewer_columns_serves(
    database: Database, index: str, resolution: str
) -> None:
    """Unlike for ON CONFLICT: two rows that differ in one of the columns differ in all of them."""
    database.run(USERS, f"CREATE UNIQUE INDEX ON users {index}")

    assert database.only(f"{ABSENT};")[0]["resolution"] == resolution


def test_a_table_that_is_not_there(database: Database) -> None:
    """The statement fails, and that is an error."""
    finding = database.only(f"{MERGE};")[1]

    assert finding is not None
    assert (finding.code, finding.severity) == ("missing-table", "error")
