"""A model's constraints and indexes in the words of the inference core: what the database is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Index, UniqueConstraint, column, func, text
from sqlalchemy.dialects import mysql, postgresql, sqlite

from alembic_upsert_guard.declaration import arbiter_as_candidate
from alembic_upsert_guard.inference import Candidate, Element, Kind
from tests.declaring.tables import CONSTRAINTS_CARRY, Tier, accounts
from tests.inference.sentences import UNREADABLE, offered, sql

if TYPE_CHECKING:
    from collections.abc import Callable

UNWRITABLE = column("tier") == Tier.FREE
"""SQLAlchemy knows no SQL for the value: nothing tells it the type."""


def candidate(declare: Callable[[Any], Any], dialect: Any = None) -> Candidate:
    """What a constraint or index of the table's columns is to the core."""
    table = accounts()
    arbiter = declare(table.c)
    if not isinstance(arbiter, Index):
        table.append_constraint(arbiter)
    return arbiter_as_candidate(arbiter, dialect)


@pytest.mark.parametrize(
    ("declare", "told"),
    [
        (
            lambda _: UniqueConstraint("tenant", "email", name="uq"),
            offered("uq", "tenant", "email", kind=Kind.CONSTRAINT),
        ),
        pytest.param(
            lambda _: UniqueConstraint("email", name="uq", postgresql_include=["phone"]),
            offered("uq", "email", kind=Kind.CONSTRAINT, include=("phone",)),
            marks=CONSTRAINTS_CARRY,
        ),
        (
            lambda _: UniqueConstraint("email", name="uq", postgresql_nulls_not_distinct=True),
            offered("uq", "email", kind=Kind.CONSTRAINT, nulls_not_distinct=True),
        ),
        (lambda c: Index("ux", c.email, unique=True), offered("ux", "email")),
        (lambda c: Index("ix", c.email), offered("ix", "email", unique=False)),
        (lambda c: Index("ux", c.email.desc().nulls_last(), unique=True), offered("ux", "email")),
        (
            lambda c: Index("ux", c.email, unique=True, postgresql_nulls_not_distinct=True),
            offered("ux", "email", nulls_not_distinct=True),
        ),
        (
            lambda c: Index("ux", func.lower(c.email), c.tenant, unique=True),
            offered("ux", sql("lower(email)"), "tenant"),
        ),
        (
            lambda c: Index("ux", func.lower(c.email).desc(), unique=True),
            offered("ux", sql("lower(email)")),
        ),
        (
            lambda c: Index("ux", c.email, unique=True, postgresql_where=c.status == "open"),
            offered("ux", "email", where="status = 'open'"),
        ),
        (
            lambda c: Index("ux", c.email, unique=True, postgresql_where=UNWRITABLE),
            offered("ux", "email", partial=True),
        ),
        (
            lambda c: Index("ux", c.tenant, UNWRITABLE, unique=True),
            offered("ux", "tenant", UNREADABLE),
        ),
    ],
    ids=[
        "constraint",
        "include",
        "equal nulls",
        "index",
        "not unique",
        "sorted",
        "index, equal nulls",
        "expression",
        "sorted expression",
        "partial",
        "predicate without literal form",
        "expression without literal form",
    ],
)
def test_an_arbiter_of_the_model(declare: Callable[[Any], Any], told: Candidate) -> None:
    """Key elements in order; what is carried and how it sorts are left out."""
    assert candidate(declare) == told


def test_the_primary_key_of_the_model() -> None:
    """Most have no name before the database gives them one."""
    found = arbiter_as_candidate(accounts().primary_key)

    assert found == Candidate(None, (Element("id"),), Kind.PRIMARY_KEY)


def test_an_arbiter_without_a_name() -> None:
    """It has none until the database gives it one."""
    assert candidate(lambda _: UniqueConstraint("email")).name is None


@pytest.mark.parametrize(
    ("options", "immediate"),
    [
        ({}, True),
        ({"deferrable": False}, True),
        ({"initially": "IMMEDIATE"}, True),
        ({"deferrable": True}, False),
        ({"deferrable": True, "initially": "IMMEDIATE"}, False),
        ({"initially": "deferred"}, False),
    ],
    ids=str,
)
def test_a_constraint_that_can_wait(options: dict[str, Any], *, immediate: bool) -> None:
    """DEFERRABLE, or INITIALLY DEFERRED, which implies it."""
    found = candidate(lambda _: UniqueConstraint("email", **options))

    assert found.immediate is immediate


@pytest.mark.parametrize(
    ("dialect", "predicate"),
    [
        (None, "active IS true AND document = '1'"),
        (postgresql.dialect(), "active IS true AND document = '1'"),
        (sqlite.dialect(), "active IS 1 AND document = '1'"),
        (mysql.dialect(), None),
    ],
    ids=["none", "postgresql", "sqlite", "mysql"],
)
def test_a_predicate_is_spelled_for_the_database(dialect: Any, predicate: str | None) -> None:
    """Each dialect writes literals its own way, and one has no partial indexes."""

    def declare(columns: Any) -> Index:
        where = columns.active.is_(True) & (text("document = '1'"))
        return Index("ux", columns.email, unique=True, postgresql_where=where, sqlite_where=where)

    found = candidate(declare, dialect)

    assert (found.partial, found.predicate) == (predicate is not None, predicate)


def test_an_element_is_one_of_three() -> None:
    """A column, an expression, or something that cannot be compared."""
    assert [e.label for e in (Element("a"), sql("f(a)"), UNREADABLE)] == [
        "a",
        "f(a)",
        "an expression",
    ]
    assert [e.is_known for e in (Element("a"), sql("f(a)"), UNREADABLE)] == [True, True, False]


@pytest.mark.parametrize(
    ("offer", "plain"),
    [
        (offered("x", "a", "b"), True),
        (offered("x", "a", sql("f(b)")), False),
        (offered("x", "a", UNREADABLE), False),
        (offered("x", "a", where="p"), False),
        (offered("x", "a", partial=True), False),
    ],
)
def test_what_can_be_compared_without_asking(offer: Candidate, *, plain: bool) -> None:
    """Columns alone, and no predicate."""
    assert offer.is_plain is plain
