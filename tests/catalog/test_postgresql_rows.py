"""Rows of the catalog to values, for every server version that is supported and the next. No server takes part."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.dialects.postgresql.base import PGDialect

from alembic_upsert_guard.catalog.postgresql import catalog_statement, offered_from
from alembic_upsert_guard.inference import (
    ConflictTarget,
    Element,
    Kind,
    State,
    judge,
)

if TYPE_CHECKING:
    from alembic_upsert_guard.catalog import Offered

VERSIONS = tuple(range(13, 20))

ROW = {
    # of the table, the same in each of its rows
    "schema_name": None,
    "table_name": "t",
    "home": "public",
    "relation_kind": "r",
    "partition_columns": None,
    "not_null_columns": None,
    "refusing_rules": None,
    "discarding_rules": None,
    "takes_insert": True,
    # of the index
    "index_name": "uq",
    "is_unique": True,
    "is_primary": False,
    "is_valid": True,
    "is_ready": True,
    "is_immediate": True,
    "nulls_not_distinct": False,
    "is_partial": False,
    "is_constant": False,
    "predicate": None,
    "definition": "CREATE UNIQUE INDEX uq ON public.t USING btree (email)",
    "is_constraint": False,
    "is_deferred": False,
    "expression_columns": None,
    # of its element
    "is_included": False,
    "column_name": "email",
    "is_nullable": False,
    "expression": None,
    "collation_name": None,
    "actual_collation": None,
    "opclass_name": None,
}
"""A unique index on one column, as the statement returns it."""


def offered(version: int, *rows: dict[str, Any]) -> Offered:
    """What the rows come to, each given by what it has other than `ROW`."""
    given = [SimpleNamespace(**{**ROW, **row}) for row in rows or ({},)]
    ((_, offers),) = offered_from(given, (version, 1))
    return offers


def asked(version: int) -> str:
    dialect: Any = PGDialect()
    dialect.server_version_info = (version, 1)
    return str(catalog_statement(dialect))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("column", "value", "field", "expected"),
    [
        ("index_name", "other", "name", "other"),
        ("is_unique", False, "unique", False),
        ("is_constraint", True, "kind", Kind.CONSTRAINT),
        ("is_valid", False, "valid", False),
        ("is_ready", False, "ready", False),
        ("is_immediate", False, "immediate", False),
        ("is_deferred", True, "initially_deferred", True),
        ("nulls_not_distinct", True, "nulls_not_distinct", True),
        ("is_partial", True, "partial", True),
        ("is_constant", True, "constant_predicate", True),
        ("predicate", "a > 0", "predicate", "a > 0"),
        ("expression_columns", ["email"], "expression_columns", frozenset({"email"})),
        ("definition", "CREATE INDEX", "definition", "CREATE INDEX"),
    ],
)
def test_what_is_said_of_an_index_reaches_its_field(
    version: int, column: str, value: Any, field: str, expected: Any
) -> None:
    """And no other field of the candidate."""
    (usual,), (changed,) = (offered(version, row).candidates for row in ({}, {column: value}))

    assert getattr(changed, field) == expected
    assert every_field(replace(changed, **{field: getattr(usual, field)})) == every_field(usual)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("column", "value", "field", "expected"),
    [
        ("relation_kind", "p", "relation", "partitioned table"),
        ("relation_kind", "v", "relation", "view"),
        ("relation_kind", "m", "relation", "materialized view"),
        ("relation_kind", "f", "relation", "foreign table"),
        ("partition_columns", ["day", "day"], "partition_columns", ("day",)),
        ("not_null_columns", ["email"], "not_null", frozenset({"email"})),
        ("refusing_rules", ["r"], "refusing_rules", ("r",)),
        ("discarding_rules", ["r"], "discarding_rules", ("r",)),
        ("takes_insert", False, "takes_insert", False),
    ],
)
def test_what_is_said_of_a_table_reaches_its_field(
    version: int, column: str, value: Any, field: str, expected: Any
) -> None:
    """And no other field of the traits."""
    usual, changed = (offered(version, row).traits for row in ({}, {column: value}))

    assert getattr(changed, field) == expected
    assert replace(changed, **{field: getattr(usual, field)}) == usual


@pytest.mark.parametrize(
    ("column", "value", "field", "expected"),
    [
        ("column_name", "name", "column", "name"),
        ("expression", "lower(email)", "expression", "lower(email)"),
        ("collation_name", '"C"', "collation", '"C"'),
        ("actual_collation", '"C"', "actual_collation", '"C"'),
        ("opclass_name", "text_pattern_ops", "opclass", "text_pattern_ops"),
    ],
)
def test_what_is_said_of_an_element_reaches_its_field(
    column: str, value: Any, field: str, expected: Any
) -> None:
    """And no other field of the element."""
    (usual,), (changed,) = (
        offered(18, row).candidates[0].elements for row in ({}, {column: value})
    )

    assert getattr(changed, field) == expected
    assert every_field(replace(changed, **{field: getattr(usual, field)})) == every_field(usual)


def test_the_server_s_version_is_what_the_rules_go_by() -> None:
    """As SQLAlchemy hands it out."""
    assert [offered(version).traits.version for version in VERSIONS] == [
        (version, 1) for version in VERSIONS
    ]


def test_a_primary_key_is_a_constraint_too() -> None:
    """A unique constraint is not a primary key."""
    (primary,) = offered(18, {"is_constraint": True, "is_primary": True}).candidates
    (unique,) = offered(18, {"is_constraint": True}).candidates

    assert (primary.kind, unique.kind) == (Kind.PRIMARY_KEY, Kind.CONSTRAINT)


def test_columns_that_an_index_carries_are_no_elements() -> None:
    """INCLUDE: they follow the key's own."""
    (carrying,) = offered(
        18, {}, {"column_name": "name", "is_included": True, "definition": None}
    ).candidates

    assert (carrying.labels, carrying.include) == (("email",), ("name",))


def test_nullable_columns_are_those_in_an_index() -> None:
    """And the table's schema is told beside them."""
    offers = offered(18, {"is_nullable": True}, {"column_name": "name"})

    assert (offers.nullable, offers.home) == (frozenset({"email"}), "public")


def test_a_table_without_an_index_offers_nothing() -> None:
    """It is there all the same."""
    assert offered(18, {"index_name": None, "column_name": None}).candidates == ()


@pytest.mark.parametrize(
    ("version", "state"),
    [*((version, State.SHORT) for version in VERSIONS[:-1]), (19, State.SATISFIED)],
)
def test_a_not_null_column_proves_a_predicate_from_19_on(version: int, state: State) -> None:
    """All the way from the row to the judge (PostgreSQL c925ad30b0)."""
    offers = offered(
        version,
        {
            "not_null_columns": ["email"],
            "is_partial": True,
            "predicate": "email IS NOT NULL",
        },
    )

    target = ConflictTarget((Element("email"),))
    assert judge(target, offers.candidates, offers.traits).state is state


@pytest.mark.parametrize("version", VERSIONS)
def test_columns_of_the_catalog_are_read_where_the_server_has_them(version: int) -> None:
    """indnullsnotdistinct came with 15; NOT NULL columns are read from 19 on, where a rule needs them."""
    statement = asked(version)

    assert ("i.indnullsnotdistinct AS" in statement) is (version >= 15)
    assert ("na.attnotnull" in statement) is (version >= 19)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_number_of_a_command_that_does_nothing_moved_with_merge(version: int) -> None:
    """nodes.h: CmdType got CMD_MERGE before CMD_NOTHING in 15."""
    number = 7 if version >= 15 else 6

    assert f"commandType {number} '" in asked(version)


def every_field(value: Any) -> dict[str, Any]:
    """The fields of a value, those that its equality leaves out included."""
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}
