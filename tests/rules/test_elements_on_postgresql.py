"""PostgreSQL's rules of elements: expressions, collations and operator classes."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, Text, column, func, text
from sqlalchemy.dialects.postgresql import insert

from alembic_upsert_guard import UpsertKey, conflict_target
from tests.rules.answers import UNKNOWN, PostgreSQLRules
from tests.rules.ddl import ST, T

# -- expressions


def test_an_expression_is_not_its_column(pg: PostgreSQLRules) -> None:
    """``lower(st)`` is unique, ``st`` is not; nor the other way round."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (lower(st))")
    pg.refuses("(st)", "missing-arbiter")
    pg.serves("(lower(st))", "uq")

    pg.given(T, "CREATE UNIQUE INDEX uq ON t (st)")
    pg.refuses("(lower(st))", "missing-arbiter")
    pg.serves("(st)", "uq")


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("lower(st)", "LOWER( st )"),
        ("coalesce(b, -1)", "coalesce(b,-1)"),
        ("(a + b)", "((a)+(b))"),
        ("(st || 'x')", "(st || 'x'::text)"),
        ("(a::bigint)", "(CAST(a AS bigint))"),
    ],
)
def test_the_same_expression_in_another_spelling_is_the_same(
    pg: PostgreSQLRules, index: str, target: str
) -> None:
    """Spacing, case and what the parser adds do not count."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t ({index})")
    pg.serves(f"({target})", "uq")
    pg.refuses("(id)", "missing-arbiter")


def test_a_target_may_name_its_table(pg: PostgreSQLRules) -> None:
    """From 14 on; 13 answers 42P01, which text does not tell: the planner does."""
    pg.since(14)
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (lower(st)) WHERE c IS NULL")
    pg.serves("(lower(t.st)) WHERE t.c IS NULL", "uq")


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("coalesce(b, -1)", "coalesce(b, 0)"),
        ("lower(st)", "upper(st)"),
        ("(a + b)", "(b + a)"),
        ("(a + b)", "(a - b)"),
    ],
)
def test_another_expression_does_not_serve(pg: PostgreSQLRules, index: str, target: str) -> None:
    """Another constant, function, operator or order is another expression."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t ({index})")
    pg.refuses(f"({target})", UNKNOWN)
    pg.serves(f"({index})", "uq")


def test_constants_in_expressions_are_folded(pg: PostgreSQLRules) -> None:
    """Text cannot tell that ``1 + 1`` is 2; the planner can."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t ((a + 2))")
    pg.serves("((a + (1 + 1)))", "uq", judged=UNKNOWN)
    pg.refuses("((a + (1 + 2)))", UNKNOWN)


def test_a_column_in_parentheses_is_the_column(pg: PostgreSQLRules) -> None:
    """Written as an expression, it is none."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    pg.serves("((a))", "uq")
    pg.refuses("((b))", "missing-arbiter")


def test_columns_and_expressions_are_matched_apart(pg: PostgreSQLRules) -> None:
    """Every column and every expression of one side has to stand on the other."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a, lower(st))")
    pg.serves("(lower(st), a)", "uq")
    pg.refuses("(lower(st), b)", "missing-arbiter")
    pg.refuses("(lower(st))", "missing-arbiter")


def test_a_partial_expression_index_needs_both(pg: PostgreSQLRules) -> None:
    """Expression and predicate."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (lower(st)) WHERE c IS NULL")
    pg.serves("(lower(st)) WHERE c IS NULL", "uq")
    pg.refuses("(lower(st))", "predicate-mismatch")


# -- collations and operator classes


@pytest.mark.parametrize(
    "element", ['st COLLATE "POSIX"', "st text_pattern_ops", 'st COLLATE "C" text_pattern_ops']
)
def test_what_the_target_does_not_name_does_not_count(pg: PostgreSQLRules, element: str) -> None:
    """Any collation and any operator class will do."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t ({element})")
    pg.serves("(st)", "uq")
    pg.refuses("(a)", "missing-arbiter")


def test_a_collation_that_is_named_has_to_match(pg: PostgreSQLRules) -> None:
    """Named in the target it is part of what is asked for."""
    pg.given(T, 'CREATE UNIQUE INDEX uq ON t (st COLLATE "C")')
    pg.serves('(st COLLATE "C")', "uq")
    pg.refuses('(st COLLATE "POSIX")', "collation-mismatch")


def test_an_operator_class_that_is_named_has_to_match(pg: PostgreSQLRules) -> None:
    """As a collation does."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (st text_pattern_ops)")
    answers = pg.answers("(st text_pattern_ops)")
    assert answers.insert == "ok"
    assert answers.judge in ("satisfied: uq", UNKNOWN)
    answers = pg.answers("(st text_ops)")
    assert answers.insert == "42P10"
    assert answers.judge in ("collation-mismatch", UNKNOWN)


def test_a_plain_index_has_the_columns_collation(pg: PostgreSQLRules) -> None:
    """Named in the target it matches where the column has it."""
    pg.given('CREATE TABLE t (st text COLLATE "C")', "CREATE UNIQUE INDEX uq ON t (st)", row=ST)
    pg.serves('(st COLLATE "C")', "uq")
    pg.refuses('(st COLLATE "POSIX")', "collation-mismatch")


def test_a_collation_in_parentheses_is_an_expression_that_no_index_has(
    pg: PostgreSQLRules,
) -> None:
    """CREATE INDEX strips COLLATE from ``((st COLLATE "C"))``, ON CONFLICT does not: the two never meet."""
    pg.given(T, 'CREATE UNIQUE INDEX uq ON t ((st COLLATE "C"))')
    assert pg.insert('((st COLLATE "C"))') == "42P10"
    assert pg.insert('(st COLLATE "C")') == "ok"


@pytest.mark.parametrize("collation", [None, "C"])
@pytest.mark.parametrize("spelled", ["column", "text", "expression"])
def test_a_declared_collation_upserts_on_the_key_it_makes(
    pg: PostgreSQLRules, spelled: str, collation: str | None
) -> None:
    """What ``create_all()`` makes is what ``conflict_target()`` finds, and what autogenerate has no wish to change."""
    element: Any = {
        "column": column("st").collate("C"),
        "text": text('st COLLATE "C"'),
        "expression": func.lower(column("st")).collate("C"),
    }[spelled]
    accounts = Table("t", MetaData(), Column("st", Text(collation=collation)), UpsertKey(element))
    accounts.metadata.create_all(pg.connection)

    upsert = insert(accounts).values(st="x").on_conflict_do_nothing(**conflict_target(accounts))
    sent = str(upsert.compile(pg.connection, compile_kwargs={"literal_binds": True}))
    assert pg.attempt(sent) == "ok", sent

    assert compare_metadata(MigrationContext.configure(pg.connection), accounts.metadata) == []


def test_naming_the_columns_own_collation_is_naming_one(pg: PostgreSQLRules) -> None:
    """An index in another collation then does not match."""
    table = 'CREATE TABLE t (st text COLLATE "C")'
    pg.given(table, 'CREATE UNIQUE INDEX uq ON t (st COLLATE "POSIX")', row=ST)
    pg.refuses('(st COLLATE "C")', "collation-mismatch")

    pg.given(table, 'CREATE UNIQUE INDEX uq ON t (st COLLATE "C")', row=ST)
    pg.serves('(st COLLATE "C")', "uq")


def test_an_expressions_collation_has_to_match_where_named(pg: PostgreSQLRules) -> None:
    """As a column's."""
    pg.given(T, 'CREATE UNIQUE INDEX uq ON t (lower(st) COLLATE "C")')
    pg.serves("(lower(st))", "uq")
    pg.serves('(lower(st) COLLATE "C")', "uq")
    pg.refuses('(lower(st) COLLATE "POSIX")', "collation-mismatch")


@pytest.mark.parametrize(
    "target", ["lower(collated)", "coalesce(collated, 'COLLATE')", "lower(collated /* collate */)"]
)
def test_the_word_alone_names_no_collation(pg: PostgreSQLRules, target: str) -> None:
    """In a name, a string or a comment it is not the clause."""
    pg.given(
        "CREATE TABLE t (collated text)",
        f'CREATE UNIQUE INDEX uq ON t ({target} COLLATE "C")',
        row="VALUES ('x')",
    )
    answers = pg.answers(f"({target})")
    assert answers[:2] == ("ok", "ok: uq")
    assert answers.judge in ("satisfied: uq", UNKNOWN)
    pg.refuses(f'({target} COLLATE "POSIX")', "collation-mismatch")


def test_a_collation_inside_an_expression_is_part_of_it(pg: PostgreSQLRules) -> None:
    """It is compared with the expression; the index's own collation still does not count."""
    pg.given(T, 'CREATE UNIQUE INDEX uq ON t (lower(st COLLATE "C") COLLATE "POSIX")')
    answers = pg.answers('(lower(st COLLATE "C"))')
    assert answers[:2] == ("ok", "ok: uq")
    assert answers.judge in ("satisfied: uq", UNKNOWN)
    pg.refuses('(lower(st COLLATE "POSIX"))', UNKNOWN)


def test_collations_of_one_name_in_two_schemas_are_two(pg: PostgreSQLRules) -> None:
    """Off the search path they are found by their schema."""
    pg.given(
        T,
        "CREATE SCHEMA other",
        "CREATE COLLATION other.mine (locale = 'C')",
        "CREATE COLLATION public.mine (locale = 'POSIX')",
        "CREATE UNIQUE INDEX uq ON t (st COLLATE other.mine)",
    )
    pg.serves("(st COLLATE other.mine)", "uq")
    answers = pg.answers("(st COLLATE public.mine)")
    assert answers[:2] == ("42P10", "refused")
    assert answers.judge in ("collation-mismatch", UNKNOWN)
