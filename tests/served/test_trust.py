"""What the check leaves alone, what it may not see, and how much it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, event, make_url

from alembic_upsert_guard.command.database_url import connect_to, run_on
from alembic_upsert_guard.upserts.code import CheckedCode
from alembic_upsert_guard.upserts.scan import scan
from tests.served.judging import Database
from tests.served.test_verdicts import ROWS, UNIQUE, UPSERT, USERS, on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection


@pytest.fixture
def reader(database: Database) -> Iterator[Database]:
    """The same database for a role that may only read the table."""
    database.run(USERS, "DROP ROLE IF EXISTS ug_reader", "CREATE ROLE ug_reader LOGIN")
    database.run("GRANT SELECT ON users TO ug_reader")
    engine = create_engine(make_url(database.engine.url).set(username="ug_reader"))
    yield Database(engine, database.folder)
    engine.dispose()
    database.run("DROP OWNED BY ug_reader", "DROP ROLE ug_reader")


def test_without_the_right_to_insert_the_catalog_decides(
    database: Database, reader: Database
) -> None:
    """Columns are proven by their names."""
    assert reader.only(f"{UPSERT};")[0]["resolution"] == "unserved"
    database.run(UNIQUE)
    assert reader.only(f"{UPSERT};")[0]["resolution"] == "served"
    assert reader.only(on("ON CONSTRAINT uq") + ";")[0]["resolution"] == "served"


def test_without_the_right_to_insert_expressions_are_answered_too(
    database: Database, reader: Database
) -> None:
    """The planner infers before the executor asks for the privilege; without the index it is refused."""
    database.run("CREATE UNIQUE INDEX i ON users (lower(email))")
    upsert = on("(lower(email))") + ";"
    assert reader.only(upsert)[0]["resolution"] == "served"
    database.run("DROP INDEX i")
    assert reader.only(upsert)[0]["resolution"] == "unserved"


def test_hidden_rows_are_listed_by_somebody_else(database: Database, reader: Database) -> None:
    """Row level security hides them from this role, so whether keys are shared is not known."""
    database.run(ROWS, "ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    database.run("CREATE POLICY p ON users FOR SELECT USING (email = 'a')")
    _, finding = reader.only(f"{UPSERT};")
    assert finding is not None
    assert finding.hint.startswith(
        "look for rows that share a key, which have to go first:\nSELECT "
    )


def test_every_transaction_of_a_url_is_read_only(database: Database) -> None:
    """And the session's own default stays: a pool may hand it to somebody else."""
    url = connect_to(database.engine.url.render_as_string(hide_password=False))
    said = []

    def visit(connection: Connection) -> None:
        for _ in range(2):
            said.extend(
                connection.exec_driver_sql(f"SHOW {setting}").scalar_one()
                for setting in ("transaction_read_only", "default_transaction_read_only")
            )
            connection.rollback()

    run_on(url, visit)

    assert said == ["on", "off"] * 2


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg", "asyncpg"])
def test_every_driver_answers_alike(database: Database, driver: str, tmp_path: Path) -> None:
    """In READ ONLY transactions, synchronous or not."""
    database.run(USERS, ROWS, "CREATE UNIQUE INDEX i ON users (email) WHERE live")
    (tmp_path / "a.sql").write_text(f"{UPSERT};\n{on('(email) WHERE live')};\n{on('(id)')};")
    checked = CheckedCode(scan([tmp_path / "a.sql"], None), None)
    url = make_url(database.engine.url).set(drivername=f"postgresql+{driver}")

    run_on(connect_to(url.render_as_string(hide_password=False)), checked.judge)

    resolutions = [judged.resolution for judged in checked.upserts]
    assert resolutions == ["unserved", "served", "served"]
    assert len(checked.findings()) == 1


def test_a_trap_beside_the_systems_functions_is_not_sprung(database: Database) -> None:
    """Another role's overloads of what our statements call are never run."""
    database.run(
        USERS,
        "CREATE SEQUENCE sprung",
        *(
            f"CREATE FUNCTION public.{name} AS $$ SELECT nextval('sprung'); SELECT {result} $$ LANGUAGE sql"
            for name, result in [
                ("jsonb_array_elements_text(text) RETURNS text", "''::text"),
                ("to_regclass(name) RETURNS text", "''::text"),
                ("quote_ident(name) RETURNS text", "''::text"),
            ]
        ),
        f'ALTER DATABASE "{database.engine.url.database}" SET search_path = public, pg_catalog',
    )
    database.engine.dispose()
    database.judged(f"{UPSERT};\nINSERT INTO nowhere VALUES (1) ON CONFLICT (a) DO NOTHING;")
    with database.engine.connect() as connection:
        assert not connection.exec_driver_sql("SELECT is_called FROM sprung").scalar_one()


def test_the_number_of_statements_is_that_of_one_upsert(database: Database) -> None:
    """One read of the catalog for all tables, and one question for all targets."""
    tables = [f"CREATE TABLE t{n} (a int UNIQUE, b int)" for n in range(12)]
    database.run(*tables)
    sent: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def count(*arguments: object) -> None:
        sent.append(str(arguments[2]))

    numbers = []
    for width in (1, 12):
        sent.clear()
        source = "".join(
            f"INSERT INTO t{n} VALUES (1) ON CONFLICT (a) DO NOTHING;\n" for n in range(width)
        )
        assert len(database.judged(source).upserts) == width
        numbers.append(len(sent))
    assert numbers[0] == numbers[1]
