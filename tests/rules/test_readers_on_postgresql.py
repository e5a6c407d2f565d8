"""What a role with SELECT alone finds out, held against the real upsert of the table's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, text
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard import UpsertKey
from alembic_upsert_guard.catalog.reading import execute
from alembic_upsert_guard.verdict.check import check_keys

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from tests.rules.answers import PostgreSQLRules

TABLE = "CREATE TABLE t (id int PRIMARY KEY, state varchar NOT NULL, flag boolean NOT NULL, a int NOT NULL)"


class Answer(NamedTuple):
    """What the check says of one key."""

    verdict: str
    arbiters: tuple[str, ...]
    hint: str


def ask(
    connection: Connection, *indexes: str, key: str, where: str | None, grants: str = "SELECT"
) -> Answer:
    """Check a key as a role that has been granted so much, and nothing else."""
    database = connection.exec_driver_sql("SELECT current_database()").scalar()
    for statement in (
        TABLE,
        *(f"CREATE UNIQUE INDEX {index}" for index in indexes),
        "CREATE ROLE reader",
        f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
        *([f"GRANT {grants} ON t TO reader"] if grants else ()),
        "SET LOCAL ROLE reader",
    ):
        execute(connection, statement)
    metadata = MetaData()
    Table(
        "t",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("state", String, nullable=False),
        Column("flag", Boolean, nullable=False),
        Column("a", Integer, nullable=False),
        UpsertKey(key if key.isidentifier() else text(key), where=where and text(where)),
    )
    checked = check_keys(connection, [metadata], rows=False)
    execute(connection, "RESET ROLE")
    (answer,) = checked.keys
    hint = checked.findings[0].hint if checked.findings else ""
    return Answer(answer.verdict.value, answer.arbiters, hint)


def is_served(connection: Connection, key: str, where: str | None) -> bool:
    """Whether the owner's own upsert goes through."""
    condition = f" WHERE {where}" if where else ""
    try:
        with connection.begin_nested():
            execute(
                connection,
                f"INSERT INTO t VALUES (1, 'x', true, 1) ON CONFLICT ({key}){condition} DO NOTHING",
            )
    except DBAPIError:
        return False
    return True


@pytest.mark.parametrize(
    ("key", "where", "index"),
    [
        ("a", "state = 'open'", "i ON t (a) WHERE state = 'open'"),
        ("a", "state = 'a' OR state = 'b'", "i ON t (a) WHERE state IN ('b', 'a')"),
        ("a", "flag", "i ON t (a) WHERE flag = true"),
        ("a", "flag AND state = 'open'", "i ON t (a) WHERE state = 'open'"),
        ("lower(state)", None, "i ON t (lower(state))"),
        ("lower(state)", "state = 'open'", "i ON t (lower(state)) WHERE state = 'open'"),
    ],
)
def test_a_reader_sees_what_serves(
    pg: PostgreSQLRules, key: str, where: str | None, index: str
) -> None:
    """The server's own spelling, and what follows from the predicate, with no right but to read."""
    answer = ask(pg.connection, index, key=key, where=where)

    assert answer == Answer("satisfied", ("i",), "")
    assert is_served(pg.connection, key, where)


@pytest.mark.parametrize(
    ("key", "where", "index"),
    [
        ("a", "state = 'open'", "i ON t (a) WHERE state = 'shut'"),
        ("a", "state = 'open'", "i ON t (a) WHERE flag AND state = 'open'"),
        ("lower(state)", None, "i ON t (upper(state))"),
        ("(flag = true)", None, "i ON t ((flag = true))"),
    ],
)
def test_a_reader_sees_what_does_not_serve(
    pg: PostgreSQLRules, key: str, where: str | None, index: str
) -> None:
    """Each one word away; the last one is a column to the planner, whatever the index is made of."""
    answer = ask(pg.connection, index, key=key, where=where)

    assert answer.verdict == "short"
    assert not is_served(pg.connection, key, where)


BOTH = ("i ON t (a) WHERE state = 'open'", "j ON t (a) WHERE flag")


def test_of_two_indexes_the_one_of_equal_meaning_serves(pg: PostgreSQLRules) -> None:
    """The other one is none of the arbiters, as the planner says to the owner."""
    assert ask(pg.connection, *BOTH, key="a", where="state = 'open'").arbiters == ("i",)


def test_of_two_indexes_in_other_words_it_is_not_known_which_serves(pg: PostgreSQLRules) -> None:
    """What would tell is named, with the statements that grant it."""
    answer = ask(pg.connection, *BOTH, key="a", where="state = 'open' AND a > 0")

    assert answer.verdict == "unknown"
    assert "TO reader; or GRANT INSERT ON t TO reader;" in answer.hint
    assert answer.hint.startswith("run GRANT TEMPORARY ON DATABASE ")


def test_without_the_right_to_read_that_is_what_is_missing(pg: PostgreSQLRules) -> None:
    """The twin of the first test: nothing is granted, and nothing is guessed."""
    answer = ask(
        pg.connection,
        "i ON t (a) WHERE state = 'open'",
        key="a",
        where="state = 'open'",
        grants="",
    )

    assert answer.verdict == "unknown"
    assert answer.hint.startswith("run GRANT SELECT ON t TO reader;")


def test_policies_change_nothing(pg: PostgreSQLRules) -> None:
    """Row level security hides rows, and no index."""
    index = "i ON t (a) WHERE state = 'open'; ALTER TABLE t ENABLE ROW LEVEL SECURITY"

    assert ask(pg.connection, index, key="a", where="state = 'open'").arbiters == ("i",)


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE child () INHERITS (t)",
        "CREATE INDEX j ON t (state) WHERE state = 'open'",
        "SET LOCAL enable_seqscan = off",
    ],
)
def test_what_is_planned_otherwise_is_answered_alike(pg: PostgreSQLRules, ddl: str) -> None:
    """Children, other indexes and settings make other plans of a SELECT."""
    index = f"i ON t (a) WHERE state = 'open'; {ddl}"

    assert ask(pg.connection, index, key="a", where="state = 'open'").arbiters == ("i",)
