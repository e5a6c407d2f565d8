"""PostgreSQL's rules of which columns an arbiter has, and what they are: the insert, the witness and the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.ddl import ST, UQ_AB, T

if TYPE_CHECKING:
    from tests.rules.answers import PostgreSQLRules

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
