"""PostgreSQL's rules of inference, one test each, with a twin one word away: the real insert, witness and judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, Text, column, create_engine, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from alembic_upsert_guard import UpsertKey, conflict_target
from tests.rules.answers import UNKNOWN, PostgreSQLRules

if TYPE_CHECKING:
    from collections.abc import Iterator

T = "CREATE TABLE t (id serial, a int, b int, c int, st text)"
UQ_AB = "CREATE UNIQUE INDEX uq ON t (a, b)"

# -- what is unique at all


def test_nothing_is_unique(pg: PostgreSQLRules) -> None:
    """A table without any key serves nobody."""
    pg.given(T)
    pg.refuses("(a, b)", "missing-arbiter")


def test_a_plain_index_is_not_unique(pg: PostgreSQLRules) -> None:
    """Without UNIQUE an index is for reading alone."""
    pg.given(T, "CREATE INDEX uq ON t (a, b)")
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a, b)")
    pg.serves("(a, b)", "uq")


def test_a_foreign_key_is_no_key(pg: PostgreSQLRules) -> None:
    """It asks for uniqueness of the table that it points at, not of its own."""
    pg.given(
        T,
        "CREATE TABLE o (a int CONSTRAINT uq UNIQUE)",
        "INSERT INTO o VALUES (1)",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o (a)",
    )
    pg.refuses("(a)", "missing-arbiter")

    pg.table = pg.table._replace(name="o")
    pg.row = "(a) VALUES (1)"
    pg.serves("(a)", "uq")


@pytest.mark.parametrize(
    "ddl",
    [
        "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, b)",
        "ALTER TABLE t ADD CONSTRAINT uq PRIMARY KEY (a, b)",
        "CREATE UNIQUE INDEX uq ON t (a, b)",
    ],
    ids=["unique constraint", "primary key", "unique index"],
)
def test_constraints_and_indexes_are_alike(pg: PostgreSQLRules, ddl: str) -> None:
    """Inference looks at the index behind a constraint, and at nothing else of it."""
    pg.given(T, ddl)
    pg.serves("(a, b)", "uq")
    pg.refuses("(a, c)", "missing-arbiter")


# -- the set of columns


def test_column_order_is_irrelevant(pg: PostgreSQLRules) -> None:
    """Elements are a set on both sides."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (b, a)")
    pg.serves("(a, b)", "uq")
    pg.refuses("(a, c)", "missing-arbiter")


@pytest.mark.parametrize(
    "near", ["(a, b, c)", "(a)", "(a, c)"], ids=["superset", "subset", "overlap"]
)
def test_another_set_of_columns_does_not_serve(pg: PostgreSQLRules, near: str) -> None:
    """It is exactly the target's or it is nothing."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t {near}")
    pg.refuses("(a, b)", "missing-arbiter")
    pg.serves(near, "uq")


def test_two_single_columns_are_no_pair(pg: PostgreSQLRules) -> None:
    """Each alone is another promise than both together."""
    pg.given(T, "CREATE UNIQUE INDEX uq_a ON t (a)", "CREATE UNIQUE INDEX uq_b ON t (b)")
    pg.refuses("(a, b)", "missing-arbiter")
    pg.serves("(a)", "uq_a")


def test_a_column_named_twice_counts_once(pg: PostgreSQLRules) -> None:
    """PostgreSQL collects the target's columns in a set; SQLite does not."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    pg.serves("(a, a)", "uq")
    pg.refuses("(a, b)", "missing-arbiter")


def test_included_columns_are_not_part_of_the_key(pg: PostgreSQLRules) -> None:
    """INCLUDE is carried: it neither serves nor spoils."""
    pg.given(T, "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a) INCLUDE (b)")
    pg.serves("(a)", "uq")
    pg.refuses("(a, b)", "missing-arbiter")


@pytest.mark.parametrize("order", ["DESC", "NULLS FIRST", "DESC NULLS LAST"])
def test_sort_order_of_the_index_is_irrelevant(pg: PostgreSQLRules, order: str) -> None:
    """It is the same uniqueness; in the target a sort order is an error."""
    pg.given(T, f"CREATE UNIQUE INDEX uq ON t (a {order}, b)")
    pg.serves("(a, b)", "uq")
    assert pg.insert(f"(a {order}, b)") == "42P10"


def test_every_arbiter_is_named(pg: PostgreSQLRules) -> None:
    """Several matching indexes are arbiters together."""
    pg.given(T, UQ_AB, "ALTER TABLE t ADD CONSTRAINT again UNIQUE (b, a)")
    pg.serves("(a, b)", "again", "uq")
    pg.refuses("(a)", "missing-arbiter")


def test_a_system_column_serves_nobody(pg: PostgreSQLRules) -> None:
    """ctid is unique and is in no index."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    pg.refuses("(ctid)", "missing-arbiter")
    pg.serves("(a)", "uq")


def test_a_whole_row_is_not_supported(pg: PostgreSQLRules) -> None:
    """A target that is the table's own name is its row; 13 does not know the name there."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    answer = "0A000" if pg.version >= 14 else "42703"
    pg.refuses("(t)", "missing-arbiter", answer=answer, witness="doubt")


# -- deferrable


@pytest.mark.parametrize("mode", ["DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"])
def test_a_deferrable_constraint_is_inferred_and_refused(pg: PostgreSQLRules, mode: str) -> None:
    """The planner takes it, and the executor raises 55000."""
    pg.given(T, f"ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, b) {mode}")
    pg.refuses("(a, b)", "deferrable-arbiter", answer="55000", witness="deferrable: uq")

    pg.given(T, "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, b) NOT DEFERRABLE")
    pg.serves("(a, b)", "uq")


def test_a_deferrable_sibling_spoils_the_good_one(pg: PostgreSQLRules) -> None:
    """All that match are arbiters, so that one is enough to fail."""
    pg.given(T, UQ_AB, "ALTER TABLE t ADD CONSTRAINT slow UNIQUE (b, a) DEFERRABLE")
    pg.refuses("(a, b)", "deferrable-arbiter", answer="55000", witness="deferrable: slow")

    pg.given(T, UQ_AB, "ALTER TABLE t ADD CONSTRAINT slow UNIQUE (b, a) NOT DEFERRABLE")
    pg.serves("(a, b)", "slow", "uq")


def test_a_deferrable_primary_key_spoils_too(pg: PostgreSQLRules) -> None:
    """It is an arbiter like the others."""
    pg.given(T, UQ_AB, "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (a, b) DEFERRABLE")
    pg.refuses("(a, b)", "deferrable-arbiter", answer="55000", witness="deferrable: pk")

    pg.given(T, UQ_AB, "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (a, b)")
    pg.serves("(a, b)", "pk", "uq")


def test_a_deferrable_constraint_on_other_columns_does_no_harm(pg: PostgreSQLRules) -> None:
    """A target keeps it out; without one every unique index counts."""
    pg.given(T, UQ_AB, "ALTER TABLE t ADD CONSTRAINT slow UNIQUE (c) DEFERRABLE")
    pg.serves("(a, b)", "uq")
    pg.refuses("(c)", "deferrable-arbiter", answer="55000", witness="deferrable: slow")
    assert pg.insert("") == "55000"


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


ST = "(st) VALUES ('x')"

# -- NULLs


def test_nulls_not_distinct_is_inferred_and_lets_nulls_meet(pg: PostgreSQLRules) -> None:
    """Both kinds serve; with NULL in the key one upserts and the other doubles."""
    pg.since(15)
    rows = {}
    for mode in ("NULLS NOT DISTINCT", "NULLS DISTINCT"):
        pg.given(T, f"ALTER TABLE t ADD CONSTRAINT uq UNIQUE {mode} (a, b)")
        pg.serves("(a, b)", "uq")
        pg.refuses("(a)", "missing-arbiter")
        for _ in range(3):
            pg.connection.exec_driver_sql(
                "INSERT INTO t (a) VALUES (1) ON CONFLICT (a, b) DO UPDATE SET c = 1"
            )
        rows[mode] = pg.connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one()

    assert rows == {"NULLS NOT DISTINCT": 1, "NULLS DISTINCT": 3}


# -- invalid


INVALIDATED = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq'::regclass"


def test_an_invalid_index_does_not_serve(pg: PostgreSQLRules) -> None:
    """A concurrent build that waits for its end: duplicates fail already, upserts still do."""
    pg.given(T, UQ_AB, INVALIDATED, "INSERT INTO t (a, b) VALUES (1, 1)")
    pg.refuses("(a, b)", "invalid-arbiter")
    assert pg.attempt("INSERT INTO t (a, b) VALUES (1, 1)") == "23505"

    pg.given(T, UQ_AB, INVALIDATED.replace("= false", "= true"))
    pg.serves("(a, b)", "uq")


def test_an_invalid_index_does_no_harm_beside_a_valid_one(pg: PostgreSQLRules) -> None:
    """From 19 on it joins the arbiters as long as it is kept up to date."""
    pg.given(T, UQ_AB, "CREATE UNIQUE INDEX good ON t (a, b)", INVALIDATED)
    pg.serves("(a, b)", "good", *(["uq"] if pg.version >= 19 else []))
    pg.refuses("(a)", "missing-arbiter")


@pytest.fixture
def live(url: str) -> Iterator[PostgreSQLRules]:
    """A database of its own, with every statement committed: CONCURRENTLY takes no transaction."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        yield _Committing(connection)


class _Committing(PostgreSQLRules):
    def _start_over(self) -> None:
        """Nothing is taken back: these tests build one schema, step by step."""

    def now(self, statement: str) -> str:
        """Execute for good, outside a transaction."""
        self.connection.rollback()
        engine = self.connection.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as alone:
            try:
                alone.exec_driver_sql(statement)
            except DBAPIError as error:
                return self._refusal(error)
        return "ok"


def test_what_a_failed_concurrent_build_leaves_behind(live: _Committing) -> None:
    """An INVALID index that IF NOT EXISTS takes for done; REINDEX on clean rows makes it good."""
    assert live.now(T) == "ok"
    assert live.now("INSERT INTO t (a, b) VALUES (1, 1), (1, 1)") == "ok"
    build = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq ON t (a, b)"
    assert live.now(build) == "23505"
    assert live.now(build) == "ok"
    live.given()
    live.refuses("(a, b)", "invalid-arbiter")

    assert live.now("DELETE FROM t") == "ok"
    assert live.now("REINDEX INDEX CONCURRENTLY uq") == "ok"
    live.serves("(a, b)", "uq")


def test_if_not_exists_takes_any_index_of_the_name(pg: PostgreSQLRules) -> None:
    """``CREATE UNIQUE INDEX IF NOT EXISTS`` is content with one that is not unique."""
    pg.given(T, "CREATE INDEX uq ON t (a, b)", UQ_AB.replace("uq", "IF NOT EXISTS uq"))
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(T, "CREATE INDEX ix ON t (a, b)", UQ_AB.replace("uq", "IF NOT EXISTS uq"))
    pg.serves("(a, b)", "uq")


# -- exclusion and periods


def test_an_exclusion_constraint_is_never_inferred(pg: PostgreSQLRules) -> None:
    """Not by columns, though ``=`` alone excludes what a unique index would."""
    pg.given(T, "ALTER TABLE t ADD CONSTRAINT uq EXCLUDE USING btree (a WITH =)")
    pg.refuses("(a)", "missing-arbiter")
    assert pg.insert("ON CONSTRAINT uq") == "ok"
    assert pg.insert("ON CONSTRAINT uq", "DO UPDATE SET b = 2") == "42809"

    pg.given(T, "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a)")
    pg.serves("(a)", "uq")


BOOKINGS = "CREATE TABLE t (room int4range, during daterange, "
BOOKING = "VALUES ('[1,2)', '[2024-01-01,2024-02-01)')"


@pytest.mark.parametrize("kind", ["PRIMARY KEY", "UNIQUE"])
def test_a_temporal_key_is_never_inferred(pg: PostgreSQLRules, kind: str) -> None:
    """WITHOUT OVERLAPS is unique in name, and excludes what overlaps."""
    pg.since(18)
    pg.given(f"{BOOKINGS} CONSTRAINT uq {kind} (room, during WITHOUT OVERLAPS))", row=BOOKING)
    pg.refuses("(room, during)", "missing-arbiter")
    assert pg.insert("") == "ok"
    assert pg.insert("ON CONSTRAINT uq") == "ok"
    assert pg.insert("ON CONSTRAINT uq", "DO UPDATE SET room = NULL") == "42809"

    pg.given(f"{BOOKINGS} CONSTRAINT uq {kind} (room, during))", row=BOOKING)
    pg.serves("(room, during)", "uq")


# -- partitions and inheritance

PARTS = ("CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1)",)
PARTED = "CREATE TABLE t (a int NOT NULL, b int NOT NULL, c int, st text) PARTITION BY LIST (a)"


def test_a_partitioned_tables_key_holds_the_partition_column(pg: PostgreSQLRules) -> None:
    """The index on the parent is what counts."""
    pg.given(PARTED, *PARTS, "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (b, a)")
    pg.serves("(a, b)", "uq")
    pg.refuses("(a, c)", "missing-arbiter")


def test_a_key_without_the_partition_column_cannot_be(pg: PostgreSQLRules) -> None:
    """Nothing unique can span partitions: not found, and not to be made."""
    pg.given(PARTED, *PARTS)
    pg.refuses("(b)", "partition-key-missing")
    assert pg.attempt("ALTER TABLE t ADD UNIQUE (b)") == "0A000"
    assert pg.attempt("ALTER TABLE t ADD UNIQUE (b, a)") == "ok"

    pg.given(PARTED, *PARTS, "CREATE UNIQUE INDEX uq ON t (a)")
    pg.serves("(a)", "uq")


def test_a_table_partitioned_by_an_expression_has_no_key(pg: PostgreSQLRules) -> None:
    """No unique index can hold the expression, whatever its columns."""
    parted = "CREATE TABLE t (a int, b int) PARTITION BY HASH ({})"
    part = "CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
    pg.given(parted.format("(a + 1)"), part, row="VALUES (1, 1)")
    pg.refuses("(a)", "partition-key-missing")
    assert pg.attempt("CREATE UNIQUE INDEX uq ON t (a)") == "0A000"

    pg.given(parted.format("a"), part, "CREATE UNIQUE INDEX uq ON t (a)", row="VALUES (1, 1)")
    pg.serves("(a)", "uq")


def test_indexes_of_the_leaves_do_not_serve_the_parent(pg: PostgreSQLRules) -> None:
    """Each leaf has one, the parent has none."""
    leaf = "CREATE UNIQUE INDEX uq ON t_1 (a, b)"
    pg.given(PARTED, *PARTS, leaf)
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(PARTED, *PARTS, leaf, table="t_1")
    pg.serves("(a, b)", "uq")


def test_a_leaf_has_its_part_of_the_parents_key(pg: PostgreSQLRules) -> None:
    """An upsert on the partition itself finds it."""
    pg.given(PARTED, *PARTS, "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, b)", table="t_1")
    pg.serves("(a, b)", "t_1_a_b_key")
    pg.refuses("(b)", "missing-arbiter")


def test_an_index_on_only_the_parent_waits_for_its_leaves(pg: PostgreSQLRules) -> None:
    """INVALID until each partition's part is attached."""
    only = "CREATE UNIQUE INDEX uq ON ONLY t (a, b)"
    leaf = "CREATE UNIQUE INDEX uq_1 ON t_1 (a, b)"
    pg.given(PARTED, *PARTS, only, leaf)
    pg.refuses("(a, b)", "invalid-arbiter")

    pg.given(PARTED, *PARTS, only, leaf, "ALTER INDEX uq ATTACH PARTITION uq_1")
    pg.serves("(a, b)", "uq")


def test_a_partitioned_table_can_be_spoiled_too(pg: PostgreSQLRules) -> None:
    """DEFERRABLE on the parent is DEFERRABLE on every partition."""
    pg.given(PARTED, *PARTS, "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, b) DEFERRABLE")
    pg.refuses("(a, b)", "deferrable-arbiter", answer="55000", witness="deferrable: uq")

    pg.given(PARTED, *PARTS, "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, b)")
    pg.serves("(a, b)", "uq")


def test_a_parents_key_is_not_inherited(pg: PostgreSQLRules) -> None:
    """INHERITS takes columns along, no index."""
    pg.given(T, UQ_AB, "CREATE TABLE child () INHERITS (t)", table="child")
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(T, UQ_AB, "CREATE TABLE child () INHERITS (t)", table="t")
    pg.serves("(a, b)", "uq")


# -- columns of their own kind


def test_a_stored_generated_column_serves_like_any(pg: PostgreSQLRules) -> None:
    """It is indexed by what was stored; the default of a column of that name is no different."""
    for how in ("GENERATED ALWAYS AS (lower(st)) STORED", "DEFAULT 'x'"):
        pg.given(
            f"CREATE TABLE t (st text, g text {how})", "CREATE UNIQUE INDEX uq ON t (g)", row=ST
        )
        pg.serves("(g)", "uq")
        pg.refuses("(st)", "missing-arbiter")


def test_a_virtual_generated_column_cannot_be_indexed(pg: PostgreSQLRules) -> None:
    """So it serves nobody."""
    pg.since(18)
    pg.given("CREATE TABLE t (st text, g text GENERATED ALWAYS AS (lower(st)) VIRTUAL)", row=ST)
    assert pg.attempt("CREATE UNIQUE INDEX uq ON t (g)") == "0A000"
    pg.refuses("(g)", "missing-arbiter")

    pg.given(
        "CREATE TABLE t (st text, g text GENERATED ALWAYS AS (lower(st)) STORED)",
        "CREATE UNIQUE INDEX uq ON t (g)",
        row=ST,
    )
    pg.serves("(g)", "uq")


def test_an_identity_column_serves_like_any(pg: PostgreSQLRules) -> None:
    """GENERATED ALWAYS refuses a value, and an upsert that gives none is fine."""
    pg.given("CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b int)", row=B)
    pg.serves("(a)", "t_pkey")
    pg.refuses("(b)", "missing-arbiter")


B = "(b) VALUES (1)"
RAISES = (
    "CREATE FUNCTION boom() RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'boom'; END $$"
)


@pytest.mark.parametrize("default", ["1 / 0", "boom()"])
def test_a_default_that_fails_when_planned_is_asked_around(
    pg: PostgreSQLRules, default: str
) -> None:
    """The upsert that gives a value is fine, and so is the witness."""
    for identity in ("", ", n int GENERATED ALWAYS AS IDENTITY", ", n int DEFAULT 1"):
        pg.given(
            RAISES,
            f"CREATE TABLE t (a int DEFAULT {default}, b int, g int GENERATED ALWAYS AS (b) STORED{identity})",
            "CREATE UNIQUE INDEX uq ON t (b)",
            row="(a, b) VALUES (1, 1)",
        )
        pg.serves("(b)", "uq")
        pg.refuses("(a)", "missing-arbiter")


def test_a_domain_that_forbids_null_does_not_stop_the_witness(pg: PostgreSQLRules) -> None:
    """EXPLAIN gives NULL to a column that refuses it, and stores nothing."""
    pg.given(
        "CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0)",
        "CREATE TABLE t (a positive, b int DEFAULT 1 / 0)",
        "CREATE UNIQUE INDEX uq ON t (a)",
        row="VALUES (1, 1)",
    )
    pg.serves("(a)", "uq")
    pg.refuses("(b)", "missing-arbiter")


# -- names


def test_a_quoted_name_is_another_column(pg: PostgreSQLRules) -> None:
    """``"A"`` and ``a`` are two."""
    both = 'CREATE TABLE t (a int, "A" int)'
    pg.given(both, 'CREATE UNIQUE INDEX uq ON t ("A")', row="VALUES (1, 1)")
    pg.serves('("A")', "uq")
    pg.refuses("(a)", "missing-arbiter")


def test_a_column_that_is_not_there(pg: PostgreSQLRules) -> None:
    """The parser refuses first, in other words than the planner's."""
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    pg.refuses('("A")', "missing-arbiter", answer="42703", witness="doubt")
    pg.serves('("a")', "uq")


def test_names_that_need_quotes_are_quoted(pg: PostgreSQLRules) -> None:
    """Spaces, reserved words, per cent signs, colons and quotes in the names of tables and columns."""
    for name in ("My Table", "order", "100%", "a:b", "%(a)s"):
        table = f'CREATE TABLE "{name}" ("{name}" int, "we""ird" int)'
        pg.given(
            table,
            f'CREATE UNIQUE INDEX uq ON "{name}" ("{name}", "we""ird") WHERE "{name}" > 0',
            table=name,
            row="VALUES (1, 1)",
        )
        pg.serves(f'("we""ird", "{name}") WHERE ("{name}")>0', "uq")
        pg.refuses(f'("we""ird", "{name}")', "predicate-mismatch")


def test_a_temporary_table_shadows_the_real_one(pg: PostgreSQLRules) -> None:
    """What the name finds is what is asked; with its schema the other is found."""
    shadowed = (T, UQ_AB, T.replace("TABLE", "TEMP TABLE"))
    pg.given(*shadowed)
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(*shadowed, schema="public")
    pg.serves("(a, b)", "uq")


def test_the_search_path_decides_which_table_is_asked(pg: PostgreSQLRules) -> None:
    """The same name in two schemas: the first one on the path, whatever the other has."""
    two = (T, UQ_AB, "CREATE SCHEMA other", T.replace(" t ", " other.t "))
    pg.given(*two, "SET LOCAL search_path TO other, public")
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(*two, "SET LOCAL search_path TO public, other")
    pg.serves("(a, b)", "uq")
    pg.given(*two, "SET LOCAL search_path TO other", schema="public")
    pg.serves("(a, b)", "uq")
    pg.given(*two, schema="other")
    pg.refuses("(a, b)", "missing-arbiter")


def test_a_temporary_table_does_not_keep_a_predicate_from_being_compared(
    pg: PostgreSQLRules,
) -> None:
    """Named with its schema, the shadowed table's predicate is the same in any spelling."""
    partial = "CREATE UNIQUE INDEX uq ON public.t (a, b) WHERE c > 0"
    pg.given(T, partial, T.replace("TABLE", "TEMP TABLE"), schema="public")
    answers = pg.answers("(a, b) WHERE C>0")
    assert answers[:2] == ("ok", "ok: uq")
    assert answers.judge in ("satisfied: uq", UNKNOWN)
    pg.refuses("(a, b)", "predicate-mismatch")


# -- what happens to a table


def test_a_dropped_column_takes_its_indexes_along(pg: PostgreSQLRules) -> None:
    """Silently: the rest of the key is left without an arbiter."""
    pg.given(T, UQ_AB, "ALTER TABLE t DROP COLUMN b", row="(a) VALUES (1)")
    pg.refuses("(a)", "missing-arbiter")
    pg.refuses("(a, b)", "missing-arbiter", answer="42703", witness="doubt")

    pg.given(T, UQ_AB, "ALTER TABLE t DROP COLUMN c", row="(a) VALUES (1)")
    pg.serves("(a, b)", "uq")


@pytest.mark.parametrize(
    "copy",
    ["CREATE TABLE copy (LIKE t)", "CREATE TABLE copy AS SELECT * FROM t"],
    ids=["LIKE", "AS SELECT"],
)
def test_a_copied_table_has_no_indexes(pg: PostgreSQLRules, copy: str) -> None:
    """Only LIKE ... INCLUDING ALL copies them."""
    pg.given(T, UQ_AB, copy, table="copy")
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(T, UQ_AB, "CREATE TABLE copy (LIKE t INCLUDING ALL)", table="copy")
    pg.serves("(a, b)", "copy_a_b_idx")


# -- relations that are no tables


def test_a_view_is_the_table_behind_it(pg: PostgreSQLRules) -> None:
    """The judge leaves it to the database, which maps the names."""
    view = "CREATE VIEW v (x, y) AS SELECT a, b FROM t"
    pg.given(T, UQ_AB, view, table="v", row="VALUES (1, 1)")
    pg.serves("(x, y)", "uq", judged=UNKNOWN)
    pg.refuses("(x)", UNKNOWN)


def test_a_view_on_a_partial_index(pg: PostgreSQLRules) -> None:
    """Expressions and predicates go through it as well (915de706d2)."""
    view = "CREATE VIEW v AS SELECT * FROM t"
    pg.given(T, "CREATE UNIQUE INDEX uq ON t (lower(st)) WHERE c > 0", view, table="v")
    pg.serves("(lower(st)) WHERE c > 0", "uq", judged=UNKNOWN)
    pg.refuses("(lower(st))", UNKNOWN)


def test_a_view_on_a_deferrable_constraint(pg: PostgreSQLRules) -> None:
    """The witness looks at the arbiters of the table behind it."""
    constraint = "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, b) {}"
    view = "CREATE VIEW v AS SELECT * FROM t"
    pg.given(T, constraint.format("DEFERRABLE"), view, table="v")
    pg.refuses("(a, b)", UNKNOWN, answer="55000", witness="deferrable: uq")

    pg.given(T, constraint.format("NOT DEFERRABLE"), view, table="v")
    pg.serves("(a, b)", "uq", judged=UNKNOWN)


def test_a_view_with_a_trigger_has_no_arbiters(pg: PostgreSQLRules) -> None:
    """INSTEAD OF: the view itself is inserted into."""
    view = "CREATE VIEW v AS SELECT * FROM t"
    function = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
    trigger = "CREATE TRIGGER tr INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f()"
    pg.given(T, UQ_AB, view, function, trigger, table="v")
    pg.refuses("(a, b)", UNKNOWN)

    pg.given(T, UQ_AB, view, function, table="v")
    pg.serves("(a, b)", "uq", judged=UNKNOWN)


def test_a_materialized_view_takes_no_insert(pg: PostgreSQLRules) -> None:
    """A unique index on it is for REFRESH CONCURRENTLY: nothing can be inserted, so nothing is served."""
    view = "CREATE MATERIALIZED VIEW v AS SELECT * FROM t"
    pg.given(T, view, table="v")
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(T, view, "CREATE UNIQUE INDEX uq ON v (a, b)", table="v")
    answers = pg.answers("(a, b)")
    assert answers[:2] == ("42809", "doubt")
    assert not answers.judge.startswith("satisfied")


def test_a_foreign_table_has_no_local_index(pg: PostgreSQLRules) -> None:
    """No arbiter can be made here, and the planner knows before it asks the other side."""
    pg.given(
        "CREATE FOREIGN DATA WRAPPER elsewhere",
        "CREATE SERVER far FOREIGN DATA WRAPPER elsewhere",
        "CREATE FOREIGN TABLE t (a int, b int, c int, st text) SERVER far",
    )
    assert pg.attempt("CREATE UNIQUE INDEX uq ON t (a)") == "42809"
    pg.refuses("(a)", "missing-arbiter")

    pg.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    pg.serves("(a)", "uq")


def test_rules_that_rewrite_the_insert_are_a_doubt(pg: PostgreSQLRules) -> None:
    """ON CONFLICT does not work with rules that produce queries; DO INSTEAD NOTHING leaves no plan."""
    pg.given(
        T,
        UQ_AB,
        "CREATE TABLE o ()",
        "CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM o",
    )
    assert pg.answers("(a, b)")[:2] == ("0A000", "doubt")

    pg.given(T, UQ_AB, "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING")
    assert pg.answers("(a, b)")[:2] == ("ok", "doubt")

    pg.given(T, UQ_AB, "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING")
    pg.serves("(a, b)", "uq")


# -- who asks, and how


NOBODY = ("CREATE ROLE upsert_nobody", "SET LOCAL ROLE upsert_nobody")


def test_a_role_without_privileges_gets_a_doubt(pg: PostgreSQLRules) -> None:
    """The planner answers first where nothing is unique; then privileges are asked for."""
    pg.given(T, *NOBODY)
    pg.refuses("(a, b)", "missing-arbiter")

    pg.given(T, UQ_AB, *NOBODY)
    assert pg.answers("(a, b)") == ("42501", "doubt", "satisfied: uq")

    pg.given(T, UQ_AB, NOBODY[0], "GRANT INSERT, SELECT ON t TO upsert_nobody", NOBODY[1])
    pg.row = "(a, b) VALUES (1, 1)"
    assert pg.insert("(a, b)") == "42501"  # the sequence behind the serial
    pg.row = "(id, a, b) VALUES (1, 1, 1)"
    pg.serves("(a, b)", "uq")


def test_a_role_that_may_not_select_gets_a_doubt(pg: PostgreSQLRules) -> None:
    """ON CONFLICT reads the target's columns: INSERT alone is not enough, except without a target."""
    grant = "GRANT INSERT, SELECT (a, b) ON t TO upsert_nobody"
    for granted in (grant.replace(", SELECT (a, b)", ""), grant):
        pg.given(T, UQ_AB, NOBODY[0], granted, NOBODY[1], row="(id, a, b) VALUES (1, 1, 1)")
        assert pg.insert("") == "ok"
        if granted == grant:
            pg.serves("(a, b)", "uq")
        else:
            assert pg.answers("(a, b)") == ("42501", "doubt", "satisfied: uq")


def test_a_role_without_temporary_tables_cannot_compare_text(pg: PostgreSQLRules) -> None:
    """No empty copy can be made: the judge does not guess, and the witness settles."""
    database = pg.connection.exec_driver_sql("SELECT current_database()").scalar_one()
    partial = "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c > 0"
    grant = "GRANT ALL ON t TO upsert_nobody"
    revoke = f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"
    row = "(id, a, b, c) VALUES (1, 1, 1, 1)"
    pg.given(T, partial, NOBODY[0], grant, revoke, NOBODY[1], row=row)
    pg.serves("(a, b) WHERE C>0", "uq", judged=UNKNOWN)
    pg.refuses("(a, b) WHERE C<0", UNKNOWN)

    pg.given(T, partial, NOBODY[0], grant, NOBODY[1], row=row)
    pg.serves("(a, b) WHERE C>0", "uq")


def test_a_read_only_transaction_is_asked_all_the_same(pg: PostgreSQLRules) -> None:
    """EXPLAIN writes nothing; text cannot be compared, as that takes a temporary table."""
    partial = "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c > 0"
    pg.given(T, UQ_AB.replace("uq", "full_one"), partial, "SET TRANSACTION READ ONLY")
    assert pg.answers("(a, b)") == ("25006", "ok: full_one", "satisfied: full_one")
    assert pg.answers("(b)") == ("42P10", "refused", "missing-arbiter")

    pg.given(T, partial, "SET TRANSACTION READ ONLY")
    assert pg.answers("(a, b) WHERE C>0") == ("25006", "ok: uq", UNKNOWN)
    assert pg.answers("(a, b) WHERE C<0") == ("42P10", "refused", UNKNOWN)


def test_a_published_table_without_identity_refuses_updates_alone(pg: PostgreSQLRules) -> None:
    """Inference is content; DO UPDATE is refused for the sake of the subscribers, and DO NOTHING is not."""
    for identity, answer in (("DEFAULT", "55000"), ("FULL", "ok")):
        pg.given(
            T,
            UQ_AB,
            "CREATE PUBLICATION p FOR TABLE t",
            f"ALTER TABLE t REPLICA IDENTITY {identity}",
        )
        pg.serves("(a, b)", "uq")
        assert pg.insert("(a, b)", "DO UPDATE SET c = 1") == answer


def test_a_transaction_in_which_a_key_is_made_finds_it(pg: PostgreSQLRules) -> None:
    """In the same transaction as its DDL, before and after; the rows stay what they were."""
    pg.given(T)
    pg.refuses("(a, b)", "missing-arbiter")
    pg.connection.exec_driver_sql(UQ_AB)
    pg.serves("(a, b)", "uq")
    pg.connection.exec_driver_sql("DROP INDEX uq")
    pg.refuses("(a, b)", "missing-arbiter")
    assert pg.connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 0
