"""What is read of the server's statistics, and what is said where they cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from alembic_upsert_guard.catalog.statements import (
    Obstacle,
    Statistics,
    UnreadableStatistics,
    read_statistics,
)
from alembic_upsert_guard.upserts.scan.sql.executed import executed_upserts
from tests.trust.grammar import bare_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.statements.conftest import Database

TABLE = "CREATE TABLE account (id int PRIMARY KEY, email text UNIQUE)"
UPSERT = "INSERT INTO account (id, email) VALUES ({}, 'somebody') ON CONFLICT (email) DO NOTHING"


def read(database: Database, url: str | None = None) -> Statistics | UnreadableStatistics:
    with database.connection(url) as connection:
        return read_statistics(connection)


def counted(database: Database, url: str | None = None) -> dict[str, int]:
    statistics = read(database, url)
    assert isinstance(statistics, Statistics)
    return {each.sql: each.calls for each in statistics.statements}


def obstacle(database: Database, url: str | None = None) -> Obstacle | None:
    found = read(database, url)
    return found.obstacle if isinstance(found, UnreadableStatistics) else None


@pytest.fixture
def reader(database: Database) -> Iterator[str]:
    """The URL of a role that may connect and nothing else."""
    database.run("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    yield database.at(username="reader")
    database.run("DROP OWNED BY reader", "DROP ROLE reader")


def test_an_upsert_is_counted_without_its_values(database: Database) -> None:
    """Two executions with other values are one statement of two calls."""
    database.run(TABLE, UPSERT.format(1), UPSERT.format(2))

    expected = "INSERT INTO account (id, email) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING"
    assert counted(database) == {expected: 2}


def test_statements_of_another_database_are_left_out(database: Database, bare: Database) -> None:
    """The server counts for all of its databases; what another one ran is nothing of this one's."""
    bare.run(TABLE, UPSERT.format(1))

    assert counted(database) == {}


def test_the_calls_of_several_roles_are_one_number(database: Database, reader: str) -> None:
    """Each role has an entry of its own for the same text."""
    database.run(TABLE, "GRANT ALL ON account TO reader", UPSERT.format(1))
    database.run(UPSERT.format(2), UPSERT.format(3), url=reader)

    assert list(counted(database).values()) == [3]


def test_what_is_no_upsert_is_not_fetched(database: Database) -> None:
    """Only texts with the word CONFLICT leave the server."""
    database.run(TABLE, "INSERT INTO account VALUES (1, 'somebody')")

    assert counted(database) == {}


def test_an_upsert_that_was_only_explained_did_not_run(database: Database) -> None:
    """The planner is asked by EXPLAIN, by this package above all, and the server counts what it explains as a call."""
    explained = "EXPLAIN INSERT INTO account DEFAULT VALUES ON CONFLICT (email) DO NOTHING"
    database.run(TABLE, explained, f"DO $$ BEGIN EXECUTE '{explained}'; END $$")

    assert [upsert for sql in counted(database) for upsert in executed_upserts(sql)] == []


def test_an_upsert_that_failed_is_not_in_the_statistics(database: Database) -> None:
    """A statement is counted when it ends, and one without its arbiter never begins."""
    database.run("CREATE TABLE account (id int, email text)")
    with pytest.raises(Exception, match="no unique or exclusion constraint"):
        database.run(UPSERT.format(1))

    assert counted(database) == {}


def test_the_statements_of_others_are_counted_as_hidden(database: Database, reader: str) -> None:
    """Without the right to read them, their number is all that is known."""
    database.run(TABLE, UPSERT.format(1))

    statistics = read(database, reader)

    assert isinstance(statistics, Statistics)
    assert statistics.role == "reader"
    assert statistics.statements == ()
    assert statistics.hidden >= 2


def test_a_role_that_may_read_statistics_sees_all(database: Database, reader: str) -> None:
    """``pg_read_all_stats`` is enough."""
    database.run(TABLE, UPSERT.format(1), "GRANT pg_read_all_stats TO reader")

    statistics = read(database, reader)

    assert isinstance(statistics, Statistics)
    assert (statistics.hidden, len(statistics.statements)) == (0, 1)


def test_the_extension_may_be_in_any_schema(bare: Database) -> None:
    """Its view is found where it is, and a view of the same name on the search path is not taken for it."""
    bare.run(
        'CREATE SCHEMA "Deep Blue"',
        'CREATE EXTENSION pg_stat_statements SCHEMA "Deep Blue"',
        "CREATE VIEW public.pg_stat_statements AS SELECT 7 AS queryid, 'a' AS query, 7 AS calls",
        TABLE,
        UPSERT.format(1),
    )

    assert list(counted(bare).values()) == [1]


def test_a_database_without_the_extension_has_an_obstacle(bare: Database) -> None:
    """The server has its files, and the database has no view."""
    assert obstacle(bare) is Obstacle.NOT_CREATED


def test_a_library_that_is_not_preloaded_is_an_obstacle(forgetful: Database) -> None:
    """The extension can be created all the same, and its view answers with 55000."""
    forgetful.run("CREATE EXTENSION pg_stat_statements")

    assert obstacle(forgetful) is Obstacle.NOT_LOADED


@pytest.mark.parametrize("made", ["database", "forgetful"])
def test_every_name_of_the_system_is_qualified(made: str, request: pytest.FixtureRequest) -> None:
    """An overload that another role has made is not run."""
    where: Database = request.getfixturevalue(made)
    sent: list[str] = []
    with where.connection() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: sent.append(given[2]))
        read_statistics(connection)

    selects = [statement for statement in sent if "SELECT" in statement]
    assert selects
    assert [bare_names(statement) for statement in selects if bare_names(statement)] == []


def test_a_view_that_may_not_be_read_is_an_obstacle(database: Database, reader: str) -> None:
    """Everybody may read it, until somebody takes that away."""
    database.run("REVOKE ALL ON pg_stat_statements FROM PUBLIC")

    assert obstacle(database, reader) is Obstacle.NO_RIGHT
