"""What is told of a target that nothing serves: the nearest candidate, and what it lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alembic_upsert_guard.findings import shortfall_fact
from alembic_upsert_guard.inference import Code, Kind, Shortfall, judge
from tests.inference.sentences import UNREADABLE, assert_falls_short, column, offered, promise, sql


def fact(target: Any, *offers: Any) -> str:
    """The sentence for the verdict on these offers."""
    shortfall = judge(target, offers).shortfall
    assert shortfall is not None
    return shortfall_fact(target, shortfall)


@pytest.mark.parametrize(
    ("target", "nearest", "other"),
    [
        (promise("a", "b", "c"), offered("z", "a", "b"), offered("o", "a")),
        (promise("a", "b"), offered("z", "a", "b", "c"), offered("o", "a", "b", "c", "d")),
        (promise("a", "b"), offered("z", "a"), offered("o", "a", "c")),
        (promise("a", "b"), offered("z", "a", "b", unique=False), offered("o", "a", "b", "c")),
        (promise("a", "b"), offered("z", "a", "b", "c"), offered("o", "a", "b", "d", unique=False)),
        (promise("a", "b"), offered("n", "a"), offered("o", "b")),
        (promise("a", "b"), offered("z", "a", "c", "d", "e"), offered("o", "x")),
        (
            promise("a", sql("lower(b)")),
            offered("z", "a", sql("lower(b)"), "c"),
            offered("o", "a", "b"),
        ),
    ],
    ids=[
        "fewer missing",
        "fewer too many",
        "nothing too many",
        "exact though not unique",
        "unique of two alike",
        "the first name of two alike",
        "anything in common",
        "expressions count",
    ],
)
def test_the_nearest_is_told(target: Any, nearest: Any, other: Any) -> None:
    """Whichever the catalog lists first."""
    for offers in ([nearest, other], [other, nearest]):
        assert_falls_short(judge(target, offers), "missing-arbiter", index=nearest.name)


def test_the_same_elements_are_nearer_than_any_others() -> None:
    """A candidate that only something else keeps from serving is the reason."""
    near = offered("a_near", "a", "b", "c")
    partial = offered("partial", "a", "b", where="p")

    assert_falls_short(
        judge(promise("a", "b"), [near, partial]), "predicate-mismatch", index="partial"
    )


MISSING = "nothing is unique on exactly these elements"


@pytest.mark.parametrize(
    ("offer", "told"),
    [
        ([], MISSING),
        ([offered("ux", "a")], f"{MISSING}; nearest is index ux (a): one column too few (b)"),
        (
            [offered("ux", "a", "b", "c")],
            f"{MISSING}; nearest is index ux (a, b, c): one column too many (c)",
        ),
        (
            [offered("ux", "d", "b", "a", "c")],
            f"{MISSING}; nearest is index ux (d, b, a, c): 2 columns too many (d, c)",
        ),
        (
            [offered("ux", "a", "c")],
            f"{MISSING}; nearest is index ux (a, c): it covers c and not b",
        ),
        (
            [offered("ix", "a", "b", unique=False)],
            f"{MISSING}; nearest is index ix (a, b): it is not unique",
        ),
        (
            [offered("ix", "a", unique=False)],
            f"{MISSING}; nearest is index ix (a): it is not unique",
        ),
        (
            [offered("uq", "a", kind=Kind.CONSTRAINT)],
            f"{MISSING}; nearest is unique constraint uq (a): one column too few (b)",
        ),
        (
            [offered("pk", "a", "b", "c", kind=Kind.PRIMARY_KEY)],
            f"{MISSING}; nearest is primary key pk (a, b, c): one column too many (c)",
        ),
        (
            [replace(offered("", "a", kind=Kind.CONSTRAINT), name=None)],
            f"{MISSING}; nearest is unique constraint (a): one column too few (b)",
        ),
        (
            [offered("ux", "a", where="p")],
            f"{MISSING}; nearest is index ux (a) WHERE p: one column too few (b)",
        ),
        (
            [offered("ux", "a", UNREADABLE)],
            f"{MISSING}; nearest is index ux (a, an expression): it covers an expression and not b",
        ),
        (
            [offered("ux", "a", "b", where="status = 'open'")],
            "index ux (a, b) WHERE status = 'open' is partial, the key is not",
        ),
        ([offered("ux", "a", "b", partial=True)], "index ux (a, b) is partial, the key is not"),
        (
            [offered("uq", "a", "b", kind=Kind.CONSTRAINT, immediate=False)],
            "unique constraint uq (a, b) is DEFERRABLE, and ON CONFLICT fails on it with 55000",
        ),
        (
            [offered("ux", "b", "a", valid=False)],
            "index ux (b, a) is INVALID: a concurrent build failed or is running",
        ),
    ],
)
def test_the_fact_behind_a_shortfall(offer: list[Any], told: str) -> None:
    """One sentence, names in it, no full stop."""
    assert fact(promise("a", "b"), *offer) == told


def test_two_columns_too_few() -> None:
    """They are counted and listed in declared order."""
    assert fact(promise("c", "b", "a"), offered("ux", "b")) == (
        f"{MISSING}; nearest is index ux (b): 2 columns too few (c, a)"
    )


def test_a_collation_that_differs() -> None:
    """The columns are the same, so what differs is said."""
    assert fact(promise(column("a", collation="C")), offered("ux", "a")) == (
        "index ux (a) has another collation or operator class than the key names"
    )


def test_a_predicate_that_proves_nothing() -> None:
    """It says that nothing is known."""
    assert fact(promise("a", where="p"), offered("ux", "a", where="q")) == (
        "index ux (a) WHERE q may or may not serve: its SQL reads differently, and the database could not be "
        "asked whether it means the same"
    )


def test_a_predicate_that_is_known_to_differ() -> None:
    """Both predicates are told."""
    shortfall = Shortfall(Code.PREDICATE_MISMATCH, offered("ux", "a", where="q"))

    assert shortfall_fact(promise("a", where="p"), shortfall) == (
        "index ux (a) WHERE q is partial, the key is WHERE p"
    )


@pytest.mark.parametrize(
    ("not_distinct", "mode"), [(False, "distinct"), (True, "not distinct")], ids=str
)
def test_a_null_mode_that_differs(mode: str, *, not_distinct: bool) -> None:
    """The index's own mode is told."""
    found = offered("ux", "a", nulls_not_distinct=not_distinct)

    assert shortfall_fact(promise("a"), Shortfall(Code.NULLS_MISMATCH, found)) == (
        f"index ux (a) takes NULLs as {mode}, the key states otherwise"
    )


@pytest.mark.parametrize("code", [c for c in Code if c is not Code.PARTITION_KEY_MISSING])
@pytest.mark.parametrize("candidate", [None, offered("ux", "a")], ids=["nobody", "somebody"])
def test_every_code_has_its_sentence(code: Code, candidate: Any) -> None:
    """Whether or not there is a candidate to name."""
    told = shortfall_fact(promise("a"), Shortfall(code, candidate))

    assert told
    assert not told.endswith(".")
    assert (candidate is None) or "ux (a)" in told


def test_a_lacking_partition_column_is_named() -> None:
    """No candidate is to blame: none is possible."""
    told = shortfall_fact(promise("a"), Shortfall(Code.PARTITION_KEY_MISSING, columns=("day",)))

    assert told.startswith("the table is partitioned by day, which the key lacks")


def test_codes_are_told_as_they_are_listed() -> None:
    """They are stable, and print as themselves."""
    assert [f"{code}" for code in Code] == [
        "missing-arbiter",
        "predicate-mismatch",
        "deferrable-arbiter",
        "invalid-arbiter",
        "collation-mismatch",
        "partition-key-missing",
        "nulls-mismatch",
        "unproven-arbiter",
    ]
