"""Histories of tables that are put together at random: what is said of an upsert behind them is what a server does."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.upserts.scan import DeclaredTables, scan

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

COLUMNS = "id serial PRIMARY KEY, name text, tier int, gone date"
PARTITIONED = "id serial, name text, tier int, gone date) PARTITION BY LIST (name)"
FIRST = (
    f"CREATE TABLE plans ({COLUMNS});",
    f"CREATE TABLE plans ({COLUMNS.replace('name text', 'name text UNIQUE')}, UNIQUE (name));",
    "CREATE TABLE plans (id serial, name text PRIMARY KEY UNIQUE, tier int, gone date, CONSTRAINT nn UNIQUE (name));",
    f"CREATE TABLE plans ({PARTITIONED}; CREATE TABLE part PARTITION OF plans DEFAULT;",
    f"CREATE TABLE plans_name_key (a int); CREATE TABLE plans ({COLUMNS});",
    f"CREATE TABLE base ({COLUMNS}); CREATE TABLE plans () INHERITS (base);",
)
"""How a history begins."""

STEPS = (
    "CREATE UNIQUE INDEX by_name ON plans (name);",
    "CREATE UNIQUE INDEX by_name ON ONLY plans (name);",
    "CREATE UNIQUE INDEX ON plans (lower(name));",
    "CREATE UNIQUE INDEX by_name ON plans (name) WHERE gone IS NULL;",
    'CREATE UNIQUE INDEX by_name ON plans (name COLLATE "C" DESC) INCLUDE (tier);',
    "CREATE UNIQUE INDEX cast_name ON plans ((name::text));",
    "CREATE UNIQUE INDEX IF NOT EXISTS by_name ON plans (tier);",
    "ALTER TABLE plans ADD UNIQUE (name);",
    "ALTER TABLE plans ADD CONSTRAINT u UNIQUE (name) DEFERRABLE;",
    "ALTER TABLE plans ADD CONSTRAINT u UNIQUE USING INDEX by_name;",
    "ALTER TABLE plans DROP CONSTRAINT plans_pkey, ADD PRIMARY KEY USING INDEX by_name;",
    "ALTER TABLE plans ADD CONSTRAINT e EXCLUDE (tier WITH =) DEFERRABLE;",
    "ALTER TABLE plans DROP CONSTRAINT IF EXISTS plans_name_key;",
    "ALTER TABLE plans DROP CONSTRAINT IF EXISTS plans_pkey;",
    "ALTER TABLE plans RENAME CONSTRAINT plans_name_key TO u;",
    "ALTER INDEX by_name RENAME TO plans_name_key;",
    "DROP INDEX by_name;",
    "DROP INDEX IF EXISTS plans_lower_idx;",
    "ALTER TABLE plans RENAME TO old_plans;",
    "ALTER TABLE old_plans RENAME TO plans;",
    "ALTER TABLE plans RENAME name TO title; ALTER TABLE plans ADD COLUMN name text;",
    "ALTER TABLE plans DROP COLUMN name; ALTER TABLE plans ADD COLUMN name text;",
    "ALTER TABLE base DROP COLUMN name; ALTER TABLE base ADD COLUMN name text;",
    "ALTER TABLE plans ALTER COLUMN name TYPE varchar(20);",
    "CREATE TEMP TABLE plans (id int, name text UNIQUE, tier int, gone date);",
    "CREATE RULE r AS ON INSERT TO plans DO ALSO SELECT 1;",
    "DROP SCHEMA public CASCADE; CREATE SCHEMA public;",
    "DO $$ BEGIN DROP INDEX IF EXISTS by_name; END $$;",
)
"""Statements that follow; those that the server refuses are left out."""

UPSERTS = tuple(
    f"INSERT INTO plans (name) VALUES ('a') ON CONFLICT {target} DO NOTHING;"
    for target in (
        *("(name)", "", "(id)", "(lower(name))", "((name::text))", '(name COLLATE "C")'),
        *("(name) WHERE gone IS NULL", "ON CONSTRAINT u", "ON CONSTRAINT plans_name_key"),
        *("ON CONSTRAINT plans_pkey", "ON CONSTRAINT by_name"),
    )
)
_REFUSED = {"42P10", "42704", "42809", "55000", "0A000", "42P01"}
"""No arbiter, no such constraint, no constraint, deferrable, a rule, no table."""

_LONGEST = 5


def history(connection: Connection, chosen: random.Random) -> list[str]:
    """Scripts that the server takes one after the other."""
    scripts: list[str] = []
    for script in [chosen.choice(FIRST), *chosen.choices(STEPS, k=20)]:
        with connection.begin_nested() as savepoint:
            try:
                connection.exec_driver_sql(script)
            except DBAPIError:
                savepoint.rollback()
            else:
                scripts.append(script)
        if len(scripts) == _LONGEST:
            break
    return scripts


def is_taken(connection: Connection, upsert: str) -> bool | None:
    """Whether the server finds what an upsert needs; None: it refuses the row before it looks."""
    with connection.begin_nested() as savepoint:
        try:
            connection.exec_driver_sql(upsert)
        except DBAPIError as error:
            state = str(error.orig.pgcode)  # type: ignore[union-attr]
            return None if state.startswith("23") else state not in _REFUSED
        finally:
            savepoint.rollback()
    return True


@pytest.mark.parametrize("seed", range(8))
def test_a_server_answers_the_same(tmp_path: Path, url: str, seed: int) -> None:
    """What is served runs, what is unserved is refused; what is unresolved may be either."""
    chosen = random.Random(seed)  # noqa: S311 - no secret
    engine = create_engine(url)
    for number in range(12):
        folder = tmp_path / str(number) / "migrations"
        folder.mkdir(parents=True)
        with engine.connect() as connection:
            scripts = history(connection, chosen)
            taken = [is_taken(connection, upsert) for upsert in UPSERTS]
            connection.rollback()
        for at, script in enumerate([*scripts, "\n".join(UPSERTS)]):
            (folder / f"{at:04}_x.sql").write_text(script)
        report = scan([folder], DeclaredTables(()), migrations=True)
        assert len(report.upserts) == len(UPSERTS)
        said = {j.upsert.place.line: j.resolution.value for j in report.upserts}
        for line, is_one in enumerate(taken, 1):
            wrong = "unserved" if is_one else "served"
            assert is_one is None or said[line] != wrong, (scripts, UPSERTS[line - 1])
    engine.dispose()
