"""A script defines each program once, for the session, and calls it for each key."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

import alembic_upsert_guard  # noqa: F401  (its directives)
from tests.rows.test_scripts import run

if TYPE_CHECKING:
    from tests.project import Project

TABLES = """
    CREATE TABLE a (id serial PRIMARY KEY, x int);
    CREATE TABLE b (code text PRIMARY KEY, y text);
    INSERT INTO a (x) VALUES (1), (1), (2);
    INSERT INTO b VALUES ('k', 'v'), ('l', 'v'), ('m', 'w')
"""
CHECKS = [("validate_upsert_key", ("b", ["code"]), {}), ("validate_upsert_key", ("a", ["x"]), {})]
KEEP = {"keep": "last", "archive_table": "archive"}
CALL = "CALL pg_temp.upsert_guard_"


def script_of(directives: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> str:
    """What one context writes for directives of the given names and arguments."""
    written = StringIO()
    opts = {"as_sql": True, "output_buffer": written}
    operations = Operations(MigrationContext.configure(dialect_name="postgresql", opts=opts))
    for name, arguments, options in directives:
        getattr(operations, name)(*arguments, **options)
    return written.getvalue()


@pytest.mark.parametrize(("keys", "most"), [(1, 160), (10, 200), (44, 350)])
def test_a_key_more_is_a_few_lines_more(keys: int, most: int) -> None:
    """The program is not written again."""
    script = script_of([("validate_upsert_key", (f"t{n}", ["x", "y"]), {}) for n in range(keys)])

    assert script.count("CREATE OR REPLACE PROCEDURE") == 1
    assert script.count(f"{CALL}check(") == keys
    assert len(script.splitlines()) <= most


def test_each_script_defines_what_it_calls() -> None:
    """The twin: what one context has written another does not know."""
    assert script_of(CHECKS) == script_of(CHECKS)


def test_numbers_of_either_type_find_their_procedure(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """A pause is a float in the definition, whatever the project writes."""
    project.sql(TABLES)
    drop = ("drop_unique_constraint_concurrently", ("uq_a", "a"), {"attempts": 2})
    script = script_of([drop])

    assert "attempts => CAST(2 AS bigint)" in script
    run(postgresql, re.sub(r"^(BEGIN|COMMIT);$", "", script, flags=re.MULTILINE))


def test_a_part_that_lacks_the_program_fails(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """From the second key on: it checks nothing, and says so."""
    project.sql(TABLES)
    part = CALL + script_of(CHECKS).rpartition(CALL)[2]

    with pytest.raises(psycopg.errors.InvalidSchemaName, match="pg_temp"):
        run(postgresql, part)


def test_the_whole_of_it_refuses(project: Project, postgresql: psycopg.Connection) -> None:
    """The twin: with its definition the same call reads the rows."""
    project.sql(TABLES)

    with pytest.raises(psycopg.errors.UniqueViolation, match="1 duplicate group, 1 surplus row"):
        run(postgresql, script_of(CHECKS))


@pytest.mark.parametrize("other", ["pg_catalog.varchar", "pg_catalog.name"])
def test_an_overload_that_somebody_left_in_the_session_is_not_called(
    project: Project, postgresql: psycopg.Connection, other: str
) -> None:
    """Code of another role may make procedures in this session, of the same name and parameters."""
    project.sql(TABLES)
    script = script_of(CHECKS)
    head = script.partition("LANGUAGE plpgsql")[0].partition("CREATE OR REPLACE ")[2]
    trap = head.replace("pg_catalog.text,", f"{other},").replace(
        "listing pg_catalog.text)", f"listing {other})"
    )
    assert trap.count(other) == 5
    run(postgresql, f"CREATE {trap} LANGUAGE plpgsql AS 'BEGIN END'")

    with pytest.raises(psycopg.errors.UniqueViolation):
        run(postgresql, script)


def test_a_role_that_may_make_nothing_temporary_stops_at_the_definition(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """Without TEMPORARY on the database there is no schema for the procedure, and no check is skipped."""
    project.sql(TABLES)
    name = project.engine.url.database
    project.sql(f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
    role = f'"{name}_reader"'
    project.sql(f"CREATE ROLE {role}", f"GRANT SELECT ON a, b TO {role}")
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="temporary"):
            run(postgresql, f"SET ROLE {role};\n{script_of(CHECKS)}")
    finally:
        project.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_two_tables_are_deduplicated_by_one_procedure(
    project: Project, postgresql: psycopg.Connection
) -> None:
    """Their primary keys are of different types, and what the session keeps of the first is not used for the second."""
    project.sql(TABLES)
    both = [
        ("deduplicate_upsert_key", ("a", ["x"]), {"order_by": "id", **KEEP, "archive_table": "c"}),
        ("deduplicate_upsert_key", ("b", ["y"]), {"order_by": "code", **KEEP}),
    ]
    script = script_of(both)
    assert script.count("CREATE OR REPLACE PROCEDURE") == 1

    run(postgresql, script)
    assert project.rows("SELECT id FROM a ORDER BY id") == [(2,), (3,)]
    assert project.rows("SELECT code FROM b ORDER BY code") == [("l",), ("m",)]
