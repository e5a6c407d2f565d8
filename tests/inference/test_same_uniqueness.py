"""Two arbiters enforce the same uniqueness where they forbid the same pairs of rows."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_upsert_guard.inference import Kind, enforce_same_uniqueness
from tests.inference.sentences import UNREADABLE, column, offered, sql

PLAIN = offered("one", "a", "b")


@pytest.mark.parametrize(
    "other",
    [
        offered("other", "a", "b"),
        offered("one", "b", "a"),
        offered("one", "a", "b", kind=Kind.CONSTRAINT),
        offered("one", "a", "b", kind=Kind.PRIMARY_KEY),
        offered("one", "a", "b", include=("c",)),
        offered("one", "a", "b", immediate=False),
        offered("one", "a", "b", valid=False),
        offered("one", "a", "b", definition="CREATE ..."),
    ],
    ids=["name", "order", "constraint", "primary key", "include", "deferrable", "invalid", "text"],
)
def test_what_makes_no_difference_to_the_rows(other: Any) -> None:
    """Name, order, kind, what is carried, and the state that it is in."""
    assert enforce_same_uniqueness(PLAIN, other, nullable=True)
    assert enforce_same_uniqueness(other, PLAIN, nullable=True)


@pytest.mark.parametrize(
    "other",
    [
        offered("one", "a"),
        offered("one", "a", "b", "c"),
        offered("one", "a", "c"),
        offered("one", "a", "b", unique=False),
        offered("one", "a", "b", where="p"),
        offered("one", "a", "b", partial=True),
        offered("one", "a", sql("b")),
        offered("one", "a", column("b", collation="C")),
        offered("one", "a", column("b", opclass="text_pattern_ops")),
        offered("one", "a", UNREADABLE),
    ],
    ids=[
        "fewer columns",
        "more columns",
        "other columns",
        "not unique",
        "partial",
        "partial, untold",
        "an expression",
        "a collation",
        "an operator class",
        "an unreadable expression",
    ],
)
def test_what_makes_a_difference_to_the_rows(other: Any) -> None:
    """Elements, predicate, and whether it is unique at all."""
    assert not enforce_same_uniqueness(PLAIN, other, nullable=False)
    assert not enforce_same_uniqueness(other, PLAIN, nullable=False)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (offered("x", "a", where="p"), offered("y", "a", where="p"), True),
        (offered("x", "a", where="p"), offered("y", "a", where="q"), False),
        (offered("x", "a", where="p"), offered("y", "a", partial=True), False),
        (offered("x", "a", partial=True), offered("y", "a", partial=True), False),
        (offered("x", sql("f(a)")), offered("y", sql("f(a)")), True),
        (offered("x", sql("f(a)")), offered("y", sql("g(a)")), False),
        (offered("x", UNREADABLE), offered("y", UNREADABLE), False),
    ],
    ids=[
        "same predicate",
        "another predicate",
        "one untold",
        "both untold",
        "same expression",
        "another expression",
        "both unreadable",
    ],
)
def test_sql_has_to_read_the_same(one: Any, other: Any, *, same: bool) -> None:
    """What cannot be read is never the same: nothing is taken away for a guess."""
    assert enforce_same_uniqueness(one, other, nullable=False) is same
    assert enforce_same_uniqueness(other, one, nullable=False) is same


@pytest.mark.parametrize(
    ("nullable", "one", "other", "same"),
    [
        (True, False, False, True),
        (True, True, True, True),
        (True, False, True, False),
        (True, True, False, False),
        (False, False, True, True),
        (False, True, False, True),
    ],
)
def test_the_null_mode_counts_where_null_can_be(
    nullable: bool, one: bool, other: bool, same: bool
) -> None:
    """On columns that are NOT NULL it forbids nothing more."""
    found = enforce_same_uniqueness(
        offered("x", "a", nulls_not_distinct=one),
        offered("y", "a", nulls_not_distinct=other),
        nullable=nullable,
    )

    assert found is same
