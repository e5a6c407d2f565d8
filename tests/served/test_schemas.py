"""An upsert whose schema only a run knows, against databases that have its table in one schema, in several, in none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from alembic_upsert_guard import UpsertKey

if TYPE_CHECKING:
    from tests.served.judging import Database

UPSERT = """\
def save(cursor, settings):
    cursor.execute(f"INSERT INTO {settings.schema}.users (email) VALUES ('a') ON CONFLICT (email) DO NOTHING")
"""
OF_TENANT = UPSERT.replace("{settings.schema}", "tenant_{settings.number}")

ONE = "the schema is a value of run time, and tenant_1 is the only one that has such a table"
SEVERAL = "the schema is a value of run time, and {} schemas have a table users: {}"
NONE = (
    "the schema is a value of run time, and no schema of the database that it may be has a table {}"
)


def made(*schemas: str, unique: bool = True) -> tuple[str, ...]:
    """The table in each schema."""
    return tuple(
        statement
        for schema in schemas
        for statement in (
            f"CREATE SCHEMA IF NOT EXISTS {schema}",
            f"CREATE TABLE {schema}.users (email text {'UNIQUE' if unique else ''})",
        )
    )


def modelled(schema: str | None = None) -> MetaData:
    """Models that have the table, with its key."""
    metadata = MetaData()
    Table("users", metadata, Column("email", Integer), UpsertKey("email"), schema=schema)
    return metadata


def test_the_only_table_of_that_name_is_taken(database: Database) -> None:
    """It is served there, and the site names the schema."""
    database.run(*made("tenant_1"))

    site, finding = database.only(UPSERT, "app.py")

    assert (site["resolution"], site["schema"], site["table"]) == ("served", "tenant_1", "users")
    assert finding is None


def test_what_the_only_table_does_not_serve_says_how_it_was_found(database: Database) -> None:
    """The finding is of that table, and says that the schema is a value of run time."""
    database.run(*made("tenant_1", unique=False))

    site, finding = database.only(UPSERT, "app.py")

    assert site["resolution"] == "unserved"
    assert finding is not None
    assert finding.fact.endswith(f"; {ONE}")
    assert "tenant_1.users" in finding.hint


@pytest.mark.parametrize("models", [(), (modelled(),), (modelled("tenant_1"),)])
def test_a_table_in_two_schemas_is_unresolved(
    database: Database, models: tuple[MetaData, ...]
) -> None:
    """Whatever the models say: which one is meant is not known, even where both would serve."""
    database.metadata = models
    database.run(*made("tenant_1", "tenant_2"))

    site, finding = database.only(UPSERT, "app.py")

    assert site["resolution"] == "unresolved"
    assert finding is not None
    assert finding.code == "unresolved-upsert"
    assert finding.fact == SEVERAL.format(2, "tenant_1, tenant_2")


@pytest.mark.parametrize("models", [(), (modelled(),)])
def test_a_table_that_no_schema_has_is_unresolved(
    database: Database, models: tuple[MetaData, ...]
) -> None:
    """The schema may be made later, so it is not missing."""
    database.metadata = models

    site, finding = database.only(UPSERT, "app.py")

    assert (site["resolution"], site["table"]) == ("unresolved", "users")
    assert finding is not None
    assert (finding.code, finding.fact) == ("unresolved-upsert", NONE.format("users"))


def test_a_database_tells_which_of_two_models_is_meant(database: Database) -> None:
    """The models have the table in two schemas, and the database in one of them."""
    database.metadata = (modelled("tenant_1"), modelled("tenant_2"))
    database.run(*made("tenant_1"))

    site, finding = database.only(UPSERT, "app.py")

    assert (site["resolution"], site["schema"]) == ("served", "tenant_1")
    assert finding is None


def test_a_schema_of_which_a_part_is_written_is_none_of_the_others(database: Database) -> None:
    """`tenant_{number}` is neither `public` nor `archive`."""
    database.run(*made("public", "archive", "tenant_1"))

    site, finding = database.only(OF_TENANT, "app.py")

    assert (site["resolution"], site["schema"]) == ("served", "tenant_1")
    assert finding is None


def test_a_part_that_no_schema_begins_with_is_unresolved(database: Database) -> None:
    """The twin: `public` alone has the table."""
    database.run(*made("public"))

    site, finding = database.only(OF_TENANT, "app.py")

    assert (site["resolution"], site["schema"]) == ("unresolved", "?")
    assert finding is not None
    assert finding.fact == NONE.format("users")


def test_a_schema_that_is_written_is_no_value_of_run_time(database: Database) -> None:
    """The twin: of two schemas, the one that is named."""
    database.run(*made("tenant_1"), *made("tenant_2", unique=False))

    site, finding = database.only(UPSERT.replace("{settings.schema}", "tenant_1"), "app.py")

    assert (site["resolution"], site["schema"]) == ("served", "tenant_1")
    assert finding is None


def test_of_many_schemas_three_are_named(database: Database) -> None:
    """A finding stays one line with a thousand tenants."""
    database.run(*made(*(f"tenant_{number}" for number in range(5))))

    _, finding = database.only(UPSERT, "app.py")

    assert finding is not None
    assert finding.fact == SEVERAL.format(5, "tenant_0, tenant_1, tenant_2 and 2 more")


def test_models_that_have_the_table_elsewhere_do_not_decide(database: Database) -> None:
    """The table of the models is in a schema that the database lacks: the hint is SQL for the table that is there."""
    database.metadata = (modelled("crm"),)
    database.run(*made("tenant_1", unique=False))

    _, finding = database.only(UPSERT, "app.py")

    assert finding is not None
    assert "tenant_1.users" in finding.hint
    assert "UpsertKey" not in finding.hint


def test_models_without_a_schema_get_the_declaration(database: Database) -> None:
    """The twin: a model whose schema is left to the connection is the table's."""
    metadata = MetaData()
    Table("users", metadata, Column("email", Integer))
    database.metadata = (metadata,)
    database.run(*made("tenant_1", unique=False))

    _, finding = database.only(UPSERT, "app.py")

    assert finding is not None
    assert 'UpsertKey("email")' in finding.hint
