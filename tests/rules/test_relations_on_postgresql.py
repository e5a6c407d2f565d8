"""PostgreSQL's rules of relations: partitions, inheritance, views, exclusion and periods."""

from __future__ import annotations

import pytest

from tests.rules.answers import UNKNOWN, PostgreSQLRules
from tests.rules.ddl import UQ_AB, T

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
