"""What equal text proves of SQL on PostgreSQL: nothing, until the planner was seen to take it."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_upsert_guard.databases import database_named
from alembic_upsert_guard.findings import folded_fact, shortfall_fact, written_instead
from alembic_upsert_guard.inference import Code, Folded, Shortfall, State, Traits, judge

from .sentences import assert_falls_short, assert_served, assert_unknown, offered, promise, sql

LOWER = sql("lower(email)")


@pytest.mark.parametrize(
    ("elements", "where"), [((LOWER,), None), (("email",), "flag = true")], ids=["element", "where"]
)
def test_equal_text_is_no_proof(elements: Any, where: str | None) -> None:
    """Of SQL it proves something only where the planner took an index of the same SQL."""
    uq = offered("uq", *elements, where=where)
    assert_unknown(judge(promise(*elements, where=where, proven=False), [uq]), index="uq")
    assert_served(judge(promise(*elements, where=where, proven=True), [uq]), "uq")


def test_bare_columns_need_no_proof() -> None:
    """The planner can read nothing into them."""
    assert_served(judge(promise("email", proven=False), [offered("uq", "email")]), "uq")


def test_a_whole_index_serves_whatever_the_predicate_means() -> None:
    """It covers every row."""
    target = promise("email", where="flag = true", proven=False)
    assert_served(judge(target, [offered("uq", "email")]), "uq")


def test_sql_may_be_a_column_to_the_planner() -> None:
    """An index on other columns is not ruled out by its columns, as long as it has those of the target."""
    target = promise("tenant", sql("(flag = true)"), proven=False)
    assert_unknown(judge(target, [offered("uq", "tenant", "flag")]), index="uq")
    assert judge(target, [offered("uq", "flag")]).state is State.SHORT


@pytest.mark.parametrize("proven", [True, False])
def test_what_the_database_names_is_the_answer(*, proven: bool) -> None:
    """Whatever text says; all that it names are told, and nothing else."""
    offers = [offered("same", LOWER), offered("other", "email"), offered("third", sql("x"))]
    verdict = judge(promise(LOWER, proven=proven), offers, named=("other", "third"))
    assert_served(verdict, "other", "third")


def test_a_deferrable_one_that_the_database_names_spoils_the_others() -> None:
    """The planner takes it, and the executor refuses."""
    offers = [offered("good", LOWER), offered("late", sql("(email)"), immediate=False)]
    verdict = judge(promise(LOWER), offers, named=("good", "late"))
    assert_falls_short(verdict, "deferrable-arbiter", index="late")
    assert_served(judge(promise(LOWER), offers, named=("good",)), "good")


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        (offered("near", sql("lower((email))")), "missing-arbiter"),
        (offered("near", LOWER, where="p"), "predicate-mismatch"),
        (offered("near", LOWER, valid=False), "invalid-arbiter"),
    ],
)
def test_a_refusal_names_the_nearest(offer: Any, code: str) -> None:
    """The database was asked, and it names none."""
    assert_falls_short(judge(promise(LOWER), [offer], named=()), code, index="near")


def test_an_index_that_reads_the_same_and_is_refused() -> None:
    """The planner has made something else of the target's SQL."""
    verdict = judge(promise(LOWER, proven=False), [offered("uq", LOWER)], named=())
    assert_falls_short(verdict, "missing-arbiter", index="uq")
    assert verdict.shortfall is not None
    assert verdict.shortfall.folded == Folded("lower(email)")


@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_elsewhere_text_comes_from_asking(dialect: str) -> None:
    """SQLite is asked for each index beforehand, and MySQL has nobody to ask."""
    target = promise(LOWER, proven=False)
    assert_served(
        judge(target, [offered("uq", LOWER)], Traits(database=database_named(dialect))), "uq"
    )


# -- relations


def test_rules_refuse_every_upsert() -> None:
    """Whatever is unique: no arbiter is looked for."""
    traits = Traits(refusing_rules=("log", "stop"))
    verdict = judge(promise("email"), [offered("uq", "email")], traits)
    assert_falls_short(verdict, "missing-arbiter", index=None)
    assert verdict.shortfall is not None
    assert "the rules log, stop" in shortfall_fact(promise("email"), verdict.shortfall)
    assert_served(judge(promise("email"), [offered("uq", "email")], Traits()), "uq")


def test_a_rule_that_discards_leaves_it_open() -> None:
    """No plan is made of nothing."""
    traits = Traits(discarding_rules=("gone",))
    verdict = judge(promise("email"), [offered("uq", "email")], traits)
    assert verdict.shortfall == Shortfall(Code.UNPROVEN_ARBITER, rules=("gone",))


@pytest.mark.parametrize(
    ("traits", "state"),
    [
        (Traits(relation="view", takes_insert=False), State.SHORT),
        (Traits(relation="view"), State.UNKNOWN),
        (Traits(relation="materialized view"), State.SHORT),
    ],
)
def test_what_takes_no_insert_is_short(traits: Traits, state: State) -> None:
    """A view that is updatable is the table behind it."""
    assert judge(promise("email"), [], traits).state is state


# -- words


@pytest.mark.parametrize(
    ("folded", "fact", "instead"),
    [
        (Folded("(flag = true)", column="flag"), "as the column flag", 'column itself: "flag"'),
        (
            Folded('(a COLLATE "C")', unwrapped='a COLLATE "C"'),
            "takes the parentheses around COLLATE off",
            'without parentheses around COLLATE: a COLLATE "C"',
        ),
        (Folded("f(a)"), "simplifies f(a)", "simplest form"),
    ],
)
def test_the_shape_to_write_instead(folded: Folded, fact: str, instead: str) -> None:
    """It is said with what the server makes of the SQL."""
    assert fact in folded_fact(folded)
    assert instead in written_instead(folded)


def test_an_expression_of_the_column_is_a_near_miss() -> None:
    """``lower(email)`` for ``email``; what has the column itself comes before it."""
    by_sql = offered("lower", LOWER, expression_columns=frozenset({"email"}))
    assert_falls_short(judge(promise("email"), [by_sql]), "missing-arbiter", index="lower")
    by_column = offered("wide", "email", "tenant")
    verdict = judge(promise("email"), [by_sql, by_column])
    assert_falls_short(verdict, "missing-arbiter", index="wide")
    other = offered("lower", LOWER, expression_columns=frozenset({"name"}))
    assert_falls_short(judge(promise("email"), [other]), "missing-arbiter", index=None)
