"""What the answer depends on beside the candidates: the server's version, the relation, the dialect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_upsert_guard.databases import database_named
from alembic_upsert_guard.inference import Code, State, Traits, judge
from tests.inference.sentences import offered, promise

LIVE = offered("live", "email", where="email IS NOT NULL")


@pytest.mark.parametrize(("version", "state"), [((18, 4), State.SHORT), ((19, 0), State.SATISFIED)])
def test_not_null_columns_prove_a_predicate_from_19_on(
    version: tuple[int, ...], state: State
) -> None:
    """``WHERE email IS NOT NULL`` on a NOT NULL column excludes nothing (c925ad30b0)."""
    traits = Traits(version=version, not_null=frozenset({"email"}))

    assert judge(promise("email"), [LIVE], traits).state is state


def test_what_follows_from_not_null_is_left_to_the_planner_from_19_on() -> None:
    """Text cannot tell what else the planner proves."""
    traits = Traits(version=(19, 0), not_null=frozenset({"tenant"}))

    assert judge(promise("email"), [LIVE], traits).state is State.UNKNOWN


@pytest.mark.parametrize(("version", "names"), [((18,), ["good"]), ((19,), ["good", "building"])])
def test_an_index_that_is_ready_joins_a_valid_one_from_19_on(
    version: tuple[int, ...], names: list[str]
) -> None:
    """It refuses duplicates already; alone it is no arbiter on any version."""
    building = replace(offered("building", "email"), valid=False)

    verdict = judge(promise("email"), [offered("good", "email"), building], Traits(version=version))
    assert [arbiter.name for arbiter in verdict.arbiters] == names
    assert judge(promise("email"), [building], Traits(version=version)).state is State.SHORT


def test_a_partition_column_is_lacking() -> None:
    """Whatever else is there, nothing unique can span the partitions; with the column it can."""
    traits = Traits(relation="partitioned table", partition_columns=("day", "tenant"))

    verdict = judge(promise("tenant", "email"), [offered("ix", "email")], traits)
    assert verdict.shortfall is not None
    assert verdict.shortfall.code is Code.PARTITION_KEY_MISSING
    assert verdict.shortfall.columns == ("day",)
    whole = offered("uq", "email", "tenant", "day")
    assert judge(promise("tenant", "email", "day"), [whole], traits).state is State.SATISFIED


@pytest.mark.parametrize(
    ("relation", "state"),
    [
        ("table", State.SATISFIED),
        ("partitioned table", State.SATISFIED),
        ("view", State.UNKNOWN),
        ("materialized view", State.SHORT),
    ],
)
def test_what_is_inserted_into(relation: str, state: State) -> None:
    """A view stands for a table whose candidates are others; nothing can be inserted into a materialized one."""
    uq = offered("uq", "email")

    assert judge(promise("email"), [uq], Traits(relation=relation)).state is state


@pytest.mark.parametrize(
    ("dialect", "state"), [("postgresql", State.SATISFIED), ("sqlite", State.SHORT)]
)
def test_a_column_that_stands_twice(dialect: str, state: State) -> None:
    """PostgreSQL compares sets, SQLite counts the terms."""
    uq = offered("uq", "email")

    assert (
        judge(promise("email", "email"), [uq], Traits(database=database_named(dialect))).state
        is state
    )


@pytest.mark.parametrize(
    ("dialect", "state"), [("postgresql", State.SHORT), ("sqlite", State.SATISFIED)]
)
def test_the_case_of_a_name(dialect: str, state: State) -> None:
    """Quoted or not, SQLite folds it."""
    uq = offered("uq", "Email")

    assert judge(promise("email"), [uq], Traits(database=database_named(dialect))).state is state
