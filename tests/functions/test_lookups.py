"""MERGE and INSERT ... WHERE NOT EXISTS in functions of the database: what keeps unique the row that is looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from alembic_upsert_guard.upserts.functions import judge_functions
from tests.functions.judging import body

if TYPE_CHECKING:
    from tests.functions.judging import Database

USERS = "CREATE TABLE users (id serial PRIMARY KEY, tenant int NOT NULL, email text NOT NULL);"
UNIQUE = USERS + "ALTER TABLE users ADD CONSTRAINT uq UNIQUE (email) DEFERRABLE;"
MERGE = (
    "MERGE INTO users u USING (VALUES (1, 'a')) AS v (t, e) ON u.tenant = v.t AND u.email = v.e "
    "WHEN NOT MATCHED THEN INSERT (tenant, email) VALUES (v.t, v.e)"
)
ABSENT = (
    "INSERT INTO users (tenant, email) SELECT 1, who WHERE NOT EXISTS "
    "(SELECT FROM users u WHERE u.tenant = 1 AND u.email = who)"
)
HEAD = "f(who text) RETURNS void"


@pytest.mark.since(15)
def test_a_merge_is_judged_by_the_catalog(database: Database) -> None:
    """What is unique on fewer columns serves, deferrable or not."""
    site, fact = database.only(USERS + body(MERGE))
    assert (site["line"], site["elements"], site["resolution"]) == (
        4,
        ["tenant", "email"],
        "unserved",
    )
    assert fact.startswith(
        "the upsert into users (tenant, email) looks the row up with MERGE, and "
    )
    assert database.only("DROP TABLE users;" + UNIQUE)[0]["resolution"] == "served"


def test_nothing_unique_is_a_warning(database: Database) -> None:
    """The statement runs all the same; the hint is the key, or the SQL where there are no models."""
    (finding,) = database.judged(USERS + body(ABSENT, head=HEAD)).findings
    assert (finding.code, finding.severity) == ("unserved-function", "warning")
    assert finding.hint.startswith(
        'add UpsertKey("tenant", "email") to the model of users and run '
    )
    with database.engine.connect() as connection:
        (finding,) = judge_functions(connection, in_sql=True).findings
    assert "UNIQUE (tenant, email)" in finding.hint
    assert database.answer("SELECT f('a')") is None


@pytest.mark.parametrize("path", ["SET search_path = other", ""])
def test_the_table_is_looked_for_under_the_functions_own_path(
    database: Database, path: str
) -> None:
    """Another schema has one of the same name, and what is unique there."""
    other = USERS.replace("users", "other.users") + "CREATE UNIQUE INDEX ON other.users (email);"
    function = body(ABSENT, head=f"{HEAD} {path}")
    site, _ = database.only(USERS + "CREATE SCHEMA other;" + other + function)
    expected = ("other", "served") if path else (None, "unserved")
    assert (site["schema"], site["resolution"]) == expected


@pytest.mark.since(14)
def test_the_body_of_sql_that_the_server_prints(database: Database) -> None:
    """BEGIN ATOMIC, whose names the server qualifies."""
    atomic = f"CREATE FUNCTION {HEAD} LANGUAGE sql BEGIN ATOMIC {ABSENT}; END;"
    site, _ = database.only(USERS + atomic)
    assert (site["elements"], site["resolution"]) == (["tenant", "email"], "unserved")


def test_a_variable_of_a_columns_name_is_not_guessed_at(database: Database) -> None:
    """The call is refused with 42702; its twin has another name."""
    site, fact = database.only(
        USERS + body(ABSENT.replace("who", "email"), head=HEAD.replace("who", "email"))
    )
    assert site["resolution"] == "unresolved"
    assert fact == "email in the condition is the name of a column and of a variable"
    assert database.answer("SELECT f('a')") == "42702"


def test_a_table_that_is_not_there_is_an_error(database: Database) -> None:
    """The call fails."""
    (finding,) = database.judged(body(ABSENT, head=HEAD)).findings
    assert (finding.code, finding.severity) == ("unserved-function", "error")
    assert "42P01" in finding.fact


def test_a_role_that_may_not_insert_is_answered_by_the_catalog(database: Database) -> None:
    """It reads no row."""
    database.run(USERS + body(ABSENT, head=HEAD) + "CREATE ROLE reader LOGIN;")
    engine = create_engine(database.engine.url.set(username="reader"))
    with engine.connect() as connection:
        (judged,) = judge_functions(connection).upserts
    engine.dispose()
    database.run("DROP ROLE reader;")
    assert judged.resolution == "unserved"


def test_rows_of_a_view_are_not_judged(database: Database) -> None:
    """What is unique below it need not keep them apart."""
    view = "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people;"
    site, _ = database.only(USERS + view + body(ABSENT, head=HEAD))
    assert site["resolution"] == "unresolved"
