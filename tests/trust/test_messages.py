"""One function decides what of a database's message may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

import alembic_upsert_guard
from alembic_upsert_guard.catalog.messages import message_of

SECRET = "s3cret@example"  # noqa: S105 - of a row

OF_NO_ROW = {
    "catalog/functions.py": "EXPLAIN",
    "catalog/messages.py": "the function that decides",
    "catalog/mysql/server.py": "an index on an empty copy",
    "catalog/postgresql/planner.py": "EXPLAIN",
    "catalog/reading.py": "its definition",
    "online/catalog.py": "an index on an empty copy",
    "rows/batched_postgresql.py": "refusals of our own blocks, which hold numbers and names",
    "rows/deduplicate.py": "refusals of our own blocks, which hold numbers and names",
    "rows/mysql.py": "errors about the key's definition",
    "rows/postgresql/indexed_key.py": "an index on an empty copy",
    "rows/postgresql/proof.py": "the size of a key",
    "rows/sqlite/obstacles.py": "EXPLAIN, and what is not deterministic",
}
"""Modules that show a message as it is, each with the reason why no value of a row is in it."""


def test_messages_are_shown_as_they_are_only_where_no_row_was_read() -> None:
    """Whatever reads rows asks message_of()."""
    root = Path(alembic_upsert_guard.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "first_sentence(" in path.read_text(encoding="utf-8")
        or "server_message(" in path.read_text(encoding="utf-8")
    }

    assert found == set(OF_NO_ROW)


def refused(*statements: str) -> DBAPIError:
    """The error of the last statement, on SQLite."""
    with create_engine("sqlite://").connect() as connection:
        *before, last = statements
        for statement in before:
            connection.exec_driver_sql(statement)
        with pytest.raises(DBAPIError) as raised:
            connection.exec_driver_sql(last)
    return raised.value


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT json_extract('{}', email) FROM t",
        "SELECT email ->> email FROM t",
        "SELECT email LIKE 'a' ESCAPE email FROM t",
    ],
)
def test_sqlite_says_a_value_and_we_do_not(statement: str) -> None:
    """Messages of functions quote their arguments; held back whether this one did or not."""
    error = refused("CREATE TABLE t (email)", f"INSERT INTO t VALUES ('{SECRET}')", statement)

    message = message_of(error, reveal=False)
    assert SECRET not in message
    assert "reveal=True shows it" in message or "malformed JSON" in message


def test_sqlite_names_a_constraint_and_no_value() -> None:
    """The twin: the message is of names, and shown."""
    error = refused(
        "CREATE TABLE t (email UNIQUE)",
        f"INSERT INTO t VALUES ('{SECRET}')",
        f"INSERT INTO t VALUES ('{SECRET}')",
    )
    assert message_of(error, reveal=False) == "UNIQUE constraint failed: t.email"


def test_what_a_trigger_raises_on_sqlite_is_held_back() -> None:
    """People chose the message."""
    error = refused(
        "CREATE TABLE t (email)",
        f"CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'not {SECRET}'); END",
        "INSERT INTO t VALUES (1)",
    )
    assert SECRET in message_of(error, reveal=True)
    assert SECRET not in message_of(error, reveal=False)
