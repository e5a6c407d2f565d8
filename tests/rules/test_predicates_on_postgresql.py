"""PostgreSQL's rules of predicates: when an upsert's WHERE implies an index's."""

from __future__ import annotations

import pytest

from tests.rules.answers import UNKNOWN, PostgreSQLRules
from tests.rules.ddl import UQ_AB, T

# -- predicates


def test_a_partial_index_needs_a_predicate_in_the_target(pg: PostgreSQLRules) -> None:
    """Soft deletion's usual failure."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c IS NULL")
    pg.refuses("(a, b)", "predicate-mismatch")
    pg.serves("(a, b) WHERE c IS NULL", "uq")


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("c > 0", "C>0"),
        ("c > 0", "((c) > (0))"),
        ("c IS NULL", "c ISNULL"),
        ("st = 'x'", "st = 'x'::text"),
        ("st IN ('x', 'y')", "st = ANY (ARRAY['x', 'y'])"),
        ("c <> 9", "c != 9"),
        ("c BETWEEN 0 AND 5", "c >= 0 AND c <= 5"),
    ],
)
def test_the_same_predicate_in_another_spelling_is_the_same(
    pg: PostgreSQLRules, index: str, target: str
) -> None:
    """The server prints both alike: no doubt is left."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t (a, b) WHERE {index}")
    pg.serves(f"(a, b) WHERE {target}", "uq")
    pg.refuses("(a, b) WHERE id < 0", UNKNOWN)


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("c > 0", "c > 10"),
        ("c <> 9", "c = 1"),
        ("c > 0", "c > 0 AND a > 0"),
        ("c > 0 OR a > 0", "c > 0"),
        ("st IN ('x', 'y')", "st = 'x'"),
        ("c IS NOT NULL", "c = 1"),
    ],
)
def test_a_stronger_predicate_implies_the_index(
    pg: PostgreSQLRules, index: str, target: str
) -> None:
    """predicate_implied_by proves it, text cannot; the other way round it does not hold."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t (a, b) WHERE {index}")
    pg.serves(f"(a, b) WHERE {target}", "uq", judged=UNKNOWN)


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("c = 1", "1 = c"),
        ("c > 0 AND a > 0", "a > 0 AND c > 0"),
        ("st IN ('x', 'y')", "st IN ('y', 'x')"),
        ("st IN ('x', 'y')", "st = 'y' OR st = 'x'"),
        ("NOT (c > 0)", "c <= 0"),
    ],
)
def test_predicates_that_imply_each_other_are_the_same(
    pg: PostgreSQLRules, index: str, target: str
) -> None:
    """predicate_implied_by proves it both ways on an empty copy of the table, and no doubt is left."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t (a, b) WHERE {index}")
    pg.serves(f"(a, b) WHERE {target}", "uq")


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("c > 10", "c > 0"),
        ("c = 1", "c <> 9"),
        ("c > 0 AND a > 0", "c > 0"),
        ("c > 0", "c > 0 OR a > 0"),
        ("st = 'x'", "st IN ('x', 'y')"),
        ("c + 0 > 5", "c > 5"),
        ("c IS NULL", "c IS NOT NULL"),
    ],
)
def test_a_weaker_or_another_predicate_does_not(
    pg: PostgreSQLRules, index: str, target: str
) -> None:
    """Rows outside the index would not be seen."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t (a, b) WHERE {index}")
    pg.refuses(f"(a, b) WHERE {target}", UNKNOWN)
    pg.serves(f"(a, b) WHERE {index}", "uq")


TRUTH = "CREATE TABLE t (a int, act boolean)"


@pytest.mark.parametrize(
    ("index", "target"), [("act", "act = true"), ("act = true", "act"), ("NOT act", "act = false")]
)
def test_comparing_with_a_truth_value_is_the_value(
    pg: PostgreSQLRules, index: str, target: str
) -> None:
    """The planner reduces it, whichever of the two the index has."""
    pg.given(TRUTH, f"CREATE UNIQUE INDEX uq ON t (a) WHERE {index}", row="VALUES (1, true)")
    pg.serves(f"(a) WHERE {target}", "uq")
    pg.refuses("(a)", "predicate-mismatch")


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("act", "act IS NOT FALSE"),
        ("act IS TRUE", "act IS NOT FALSE"),
        ("act", "NOT act"),
    ],
)
def test_truth_and_not_falsehood_are_two(pg: PostgreSQLRules, index: str, target: str) -> None:
    """NULL stands between them."""
    pg.given(TRUTH, f"CREATE UNIQUE INDEX uq ON t (a) WHERE {index}", row="VALUES (1, true)")
    pg.refuses(f"(a) WHERE {target}", UNKNOWN)
    pg.serves(f"(a) WHERE {index}", "uq")


@pytest.mark.parametrize(("index", "target"), [("act", "act IS TRUE"), ("act IS TRUE", "act")])
def test_is_true_is_not_proven_from_the_value(pg: PostgreSQLRules, index: str, target: str) -> None:
    """Not proven either way, though they mean the same."""
    pg.given(TRUTH, f"CREATE UNIQUE INDEX uq ON t (a) WHERE {index}", row="VALUES (1, true)")
    pg.refuses(f"(a) WHERE {target}", UNKNOWN)
    pg.serves(f"(a) WHERE {index}", "uq")


def test_a_predicate_that_is_true_excludes_nothing(pg: PostgreSQLRules) -> None:
    """``WHERE true`` leaves a full index in all but name."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE true")
    pg.serves("(a, b)", "uq")

    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE false")
    pg.refuses("(a, b)", "predicate-mismatch")


def test_a_predicate_that_folds_to_true_excludes_nothing(pg: PostgreSQLRules) -> None:
    """The planner folds constants before it asks, so that nothing is left to imply."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE 1 = 1")
    answers = pg.answers("(a, b)")
    assert answers[:2] == ("ok", "ok: uq")
    assert answers.judge in ("satisfied: uq", UNKNOWN)

    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE 1 = 2")
    pg.refuses("(a, b)", UNKNOWN)


def test_a_full_index_serves_a_partial_target(pg: PostgreSQLRules) -> None:
    """A predicate in the target does not limit anything: it only lets partial indexes in."""
    pg.given(T, UQ_AB)
    pg.serves("(a, b) WHERE c IS NULL", "uq")
    pg.refuses("(a) WHERE c IS NULL", "missing-arbiter")


def test_partial_and_full_are_arbiters_together(pg: PostgreSQLRules) -> None:
    """The predicate lets the partial one in as well."""
    pg.given(T, UQ_AB, "CREATE UNIQUE INDEX few ON t (a, b) WHERE c IS NULL")
    pg.serves("(a, b) WHERE c IS NULL", "few", "uq")
    pg.serves("(a, b)", "uq")


def test_not_null_columns_prove_is_not_null_from_19_on(pg: PostgreSQLRules) -> None:
    """c925ad30b0; a column that can be NULL proves nothing."""
    pg.since(19)
    pg.given(
        T,
        "ALTER TABLE t ALTER c SET NOT NULL",
        "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c IS NOT NULL",
    )
    pg.serves("(a, b)", "uq")

    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c IS NOT NULL")
    pg.refuses("(a, b)", UNKNOWN)


def test_not_null_columns_prove_nothing_before_19(pg: PostgreSQLRules) -> None:
    """The target has to say what the column cannot help but be."""
    pg.before(19)
    pg.given(
        T,
        "ALTER TABLE t ALTER c SET NOT NULL",
        "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c IS NOT NULL",
    )
    pg.refuses("(a, b)", "predicate-mismatch")
    pg.serves("(a, b) WHERE c IS NOT NULL", "uq")
