"""What is read of the server's own log, in both of its formats."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.statements.log import ServerLogError, read_server_log

if TYPE_CHECKING:
    from alembic_upsert_guard.upserts.statements.log import FailedStatement
    from tests.statements.conftest import Database, Log

TABLE = "CREATE TABLE account (id int, email text, UNIQUE (id) DEFERRABLE)"
NO_ARBITER = "INSERT INTO account VALUES (1, 'a \"name\"') ON CONFLICT (email) DO NOTHING"
DEFERRABLE = "INSERT INTO account VALUES (1, 'a\nline') ON CONFLICT (id) DO NOTHING"
NO_CONSTRAINT = "INSERT INTO account VALUES (1) ON CONFLICT ON CONSTRAINT missing DO NOTHING"


def failed(database: Database, log: Log, *statements: str) -> list[FailedStatement]:
    """What is read of these statements, which fail."""
    found = read_server_log(str(log.after(database, *statements)))
    return [each for each in found if each.database == database.name]


@pytest.mark.parametrize(
    ("sqlstate", "statement"),
    [("42P10", NO_ARBITER), ("55000", DEFERRABLE), ("42704", NO_CONSTRAINT)],
)
def test_an_upsert_without_its_arbiter_is_read(
    logging_database: Database, log: Log, sqlstate: str, statement: str
) -> None:
    """Quotes and lines of a statement come back as they were sent, with the server's SQLSTATE."""
    logging_database.run(TABLE)

    (found,) = failed(logging_database, log, statement)

    assert found.sqlstate == sqlstate
    assert found.sql == f"{statement} -- {logging_database.name}"


def test_what_fails_otherwise_is_left_out(logging_database: Database, log: Log) -> None:
    """A duplicate key is no missing arbiter."""
    duplicate = "INSERT INTO account VALUES (1), (1)"
    logging_database.run(TABLE)

    assert failed(logging_database, log, duplicate) == []


def test_the_line_is_where_the_entry_begins(logging_database: Database, log: Log) -> None:
    """Statements before it take several lines of a csvlog, and one of a jsonlog."""
    logging_database.run(TABLE)

    found = failed(logging_database, log, DEFERRABLE, NO_ARBITER)

    lines = Path(found[0].path).read_text().splitlines()
    for each, message in zip(found, ("deferrable", "no unique or exclusion"), strict=True):
        assert message in lines[each.line - 1]


def test_the_upsert_of_a_function_is_read_and_not_its_call(
    logging_database: Database, log: Log
) -> None:
    """PL/pgSQL has its statement in the context of the error."""
    upsert = "INSERT INTO account VALUES (1, 'a \"name\"') ON CONFLICT (email) DO NOTHING"
    logging_database.run(
        TABLE,
        f"CREATE FUNCTION register() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {upsert}; END $$",
        "CREATE FUNCTION enter() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM register(); END $$",
    )

    (found,) = failed(logging_database, log, "SELECT enter()")

    assert found.sql == upsert


def test_a_statement_of_any_length_is_read(logging_database: Database, log: Log) -> None:
    """Python's csv module refuses columns of more than 131,072 characters unless it is told otherwise."""
    value = "x" * 200_000
    statement = f"INSERT INTO account VALUES (1, '{value}') ON CONFLICT (email) DO NOTHING"
    logging_database.run(TABLE)
    before = csv.field_size_limit()

    (found,) = failed(logging_database, log, statement)

    assert found.sql.startswith(statement)
    assert csv.field_size_limit() == before


def test_a_log_for_people_is_refused(tmp_path: Path) -> None:
    """The default log has no columns: the message says what to set."""
    path = tmp_path / "postgresql.log"
    path.write_text(
        "2026-11-28 13:30:49.637 UTC [6583] ERROR:  there is no unique or exclusion constraint\n"
    )

    with pytest.raises(ServerLogError, match="log_destination = 'csvlog'"):
        read_server_log(str(path))


def test_an_empty_log_has_no_failures(tmp_path: Path) -> None:
    """A server that has just rotated its log."""
    path = tmp_path / "postgresql.csv"
    path.write_text("")

    assert read_server_log(str(path)) == []


def test_a_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ServerLogError, match=r"absent\.csv cannot be read: No such file"):
        read_server_log(str(tmp_path / "absent.csv"))
