"""SQLite's rules of inference, one test each, with a twin one word away: the real insert, witness and judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, Text, column, text
from sqlalchemy.dialects.sqlite import insert

from alembic_upsert_guard import UpsertKey, conflict_target
from tests.rules.answers import NOT_THERE, UNKNOWN

if TYPE_CHECKING:
    from tests.rules.answers import SQLiteRules

T = "CREATE TABLE t (id INTEGER, a int, b int, c int, st text)"
UQ_AB = "CREATE UNIQUE INDEX uq ON t (a, b)"

# -- what is unique at all


def test_nothing_is_unique(sqlite: SQLiteRules) -> None:
    """A table without any key serves nobody."""
    sqlite.given(T)
    sqlite.refuses("(a, b)", "missing-arbiter")


def test_a_plain_index_is_not_unique(sqlite: SQLiteRules) -> None:
    """Without UNIQUE an index is for reading alone."""
    sqlite.given(T, UQ_AB.replace("UNIQUE ", ""))
    sqlite.refuses("(a, b)", "missing-arbiter")

    sqlite.given(T, UQ_AB)
    sqlite.serves("(a, b)", "uq")


AUTO = "sqlite_autoindex_t_1"


@pytest.mark.parametrize(
    "table",
    [
        "(a int, b int, c int, st text, UNIQUE (a, b))",
        "(a int, b int, c int, st text, PRIMARY KEY (a, b))",
        "(a int, b int, c int, st text, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "(a int, b int, c int, st text, UNIQUE (a, b)) STRICT",
        "(a int, b int, c int, st text, UNIQUE (a DESC, b))",
    ],
    ids=["UNIQUE", "PRIMARY KEY", "WITHOUT ROWID", "STRICT", "DESC"],
)
def test_keys_of_every_kind_are_alike(sqlite: SQLiteRules, table: str) -> None:
    """Constraints are indexes with a name that SQLite makes up."""
    sqlite.given(f"CREATE TABLE t {table}")
    sqlite.serves("(a, b)", AUTO)
    sqlite.serves("(b, a)", AUTO)
    sqlite.refuses("(a)", "missing-arbiter")


def test_a_key_in_descending_order_is_the_same(sqlite: SQLiteRules) -> None:
    """Sort order is not part of uniqueness."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (b DESC, a)")
    sqlite.serves("(a, b)", "uq")
    sqlite.refuses("(a)", "missing-arbiter")


# -- the rowid


def test_an_integer_primary_key_is_the_rowid(sqlite: SQLiteRules) -> None:
    """It serves without an index."""
    sqlite.given("CREATE TABLE t (id INTEGER PRIMARY KEY, a int, b int, c int, st text)")
    sqlite.serves("(id)", "None")
    sqlite.refuses("(a)", "missing-arbiter")


def test_an_int_primary_key_is_an_index(sqlite: SQLiteRules) -> None:
    """Only the word INTEGER makes the rowid."""
    sqlite.given("CREATE TABLE t (id INT PRIMARY KEY, a int, b int, c int, st text)")
    sqlite.serves("(id)", AUTO)
    sqlite.refuses("(a)", "missing-arbiter")


@pytest.mark.parametrize("name", ["rowid", "oid", "_rowid_"])
def test_the_rowid_itself_serves_and_is_not_guessed(sqlite: SQLiteRules, name: str) -> None:
    """Under any of its names, where no column bears it; no model declares such a column."""
    sqlite.given(T)
    answers = sqlite.answers(f"({name})")
    assert answers[:2] == ("ok", "ok")
    assert not answers.judge.startswith("satisfied")

    sqlite.given(
        "CREATE TABLE t (a int PRIMARY KEY, b int, c int, st text) WITHOUT ROWID",
    )
    assert sqlite.insert(f"({name})") == f"no such column: {name}"


@pytest.mark.parametrize("elements", ["(id, a)", "(a, id)"])
def test_an_index_that_holds_the_rowid_is_never_inferred(
    sqlite: SQLiteRules, elements: str
) -> None:
    """An INTEGER PRIMARY KEY among its columns; an INT one is a column like any."""
    index = f"CREATE UNIQUE INDEX uq ON t {elements}"
    sqlite.given("CREATE TABLE t (id INTEGER PRIMARY KEY, a int, b int, c int, st text)", index)
    sqlite.refuses(elements, "missing-arbiter")

    sqlite.given("CREATE TABLE t (id INT PRIMARY KEY, a int, b int, c int, st text)", index)
    sqlite.serves(elements, "uq")


# -- the set of columns


@pytest.mark.parametrize(
    "near", ["(a, b, c)", "(a)", "(a, c)"], ids=["superset", "subset", "overlap"]
)
def test_another_set_of_columns_does_not_serve(sqlite: SQLiteRules, near: str) -> None:
    """It is exactly the target's or it is nothing."""
    sqlite.given(T, f"CREATE UNIQUE INDEX uq ON t {near}")
    sqlite.refuses("(a, b)", "missing-arbiter")
    sqlite.serves(near, "uq")


def test_two_single_columns_are_no_pair(sqlite: SQLiteRules) -> None:
    """Each alone is another promise than both together."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq_a ON t (a)", "CREATE UNIQUE INDEX uq_b ON t (b)")
    sqlite.refuses("(a, b)", "missing-arbiter")
    sqlite.serves("(a)", "uq_a")


def test_a_column_named_twice_is_one_too_many(sqlite: SQLiteRules) -> None:
    """SQLite counts the terms; PostgreSQL does not."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    sqlite.refuses("(a, a)", "missing-arbiter")
    sqlite.serves("(a)", "uq")


def test_case_of_names_is_irrelevant(sqlite: SQLiteRules) -> None:
    """SQLite folds names, quoted ones as well: no second column of that name can be."""
    sqlite.given('CREATE TABLE t ("Email" text, a int)', row="VALUES ('x', 1)")
    assert sqlite.attempt("ALTER TABLE t ADD email text") == "duplicate column name: email"

    sqlite.given(
        'CREATE TABLE t ("Email" text, a int)',
        'CREATE UNIQUE INDEX uq ON t ("Email")',
        row="VALUES ('x', 1)",
    )
    sqlite.serves('("Email")', "uq")
    answers = sqlite.answers("(email)")
    assert answers[:2] == ("ok", "ok")
    assert answers.judge in ("satisfied: uq", UNKNOWN)


def test_case_counts_beyond_ascii(sqlite: SQLiteRules) -> None:
    """SQLite folds 26 letters: an accent makes two columns."""
    sqlite.given(
        'CREATE TABLE t ("É" int, "é" int)',
        'CREATE UNIQUE INDEX uq ON t ("É")',
        row="VALUES (1, 1)",
    )
    sqlite.serves('("É")', "uq")
    sqlite.refuses('("é")', "missing-arbiter")


def test_a_quoted_name_that_is_no_column_is_a_string(sqlite: SQLiteRules) -> None:
    """Double quotes around an unknown name: not "no such column", but no match."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    sqlite.refuses('("nope")', "missing-arbiter")
    sqlite.refuses("(nope)", "missing-arbiter", answer="no such column: nope")
    sqlite.serves('("a")', "uq")


def test_names_that_need_quotes_are_quoted(sqlite: SQLiteRules) -> None:
    """Spaces, reserved words, per cent signs, colons and quotes in the names of tables and columns."""
    for name in ("My Table", "order", "100%", "a:b", "?"):
        table = f'CREATE TABLE "{name}" ("{name}" int, "we""ird" int)'
        index = f'CREATE UNIQUE INDEX uq ON "{name}" ("{name}", "we""ird") WHERE "{name}" > 0'
        sqlite.given(table, index, table=name, row="VALUES (1, 1)")
        sqlite.serves(f'("we""ird", "{name}") WHERE ("{name}">0)', "uq")
        sqlite.refuses(f'("we""ird", "{name}")', "predicate-mismatch")


# -- predicates


def test_a_partial_index_needs_a_predicate_in_the_target(sqlite: SQLiteRules) -> None:
    """As on PostgreSQL."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c IS NULL")
    sqlite.refuses("(a, b)", "predicate-mismatch")
    sqlite.serves("(a, b) WHERE c IS NULL", "uq")


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("c IS NULL", "c ISNULL"),
        ("c IS NULL", "((c) IS NULL)"),
        ("c IS NULL", "C is null"),
        ("c IS NULL", "t.c IS NULL"),
        ("c > 0", "c>0"),
        ("st = 'x'", "st == 'x'"),
    ],
)
def test_the_same_structure_is_the_same_predicate(
    sqlite: SQLiteRules, index: str, target: str
) -> None:
    """Spelling aside, it is parsed to the same."""
    sqlite.given(T, f"CREATE UNIQUE INDEX uq ON t (a, b) WHERE {index}")
    sqlite.serves(f"(a, b) WHERE {target}", "uq")
    sqlite.refuses("(a, b) WHERE id < 0", UNKNOWN)


@pytest.mark.parametrize(
    ("index", "target"),
    [
        ("c > 0", "c > 10"),
        ("c = 1", "1 = c"),
        ("c > 0 AND a > 0", "a > 0 AND c > 0"),
        ("c > 0", "c > 0 AND a > 0"),
        ("c IS NULL", "c IS NOT NULL"),
        ("1", "2"),
    ],
)
def test_another_structure_is_another_predicate(
    sqlite: SQLiteRules, index: str, target: str
) -> None:
    """Stronger, turned round or reordered: SQLite proves nothing."""
    sqlite.given(T, f"CREATE UNIQUE INDEX uq ON t (a, b) WHERE {index}")
    sqlite.refuses(f"(a, b) WHERE {target}", UNKNOWN)
    sqlite.serves(f"(a, b) WHERE {index}", "uq")


def test_a_bound_value_is_never_the_same_as_a_literal(sqlite: SQLiteRules) -> None:
    """A parameter has no structure to compare."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE c > 0")
    upsert = f"INSERT INTO t {sqlite.row} ON CONFLICT (a, b) WHERE c > "
    driver = sqlite.connection.connection.cursor()
    driver.execute(f"{upsert}0 DO NOTHING")
    with pytest.raises(Exception, match="does not match any PRIMARY KEY or UNIQUE"):
        driver.execute(f"{upsert}? DO NOTHING", (0,))
    driver.close()


def test_a_predicate_that_is_true_still_has_to_be_named(sqlite: SQLiteRules) -> None:
    """Unlike PostgreSQL, SQLite takes no constant for a proof."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (a, b) WHERE true")
    sqlite.refuses("(a, b)", "predicate-mismatch")
    sqlite.serves("(a, b) WHERE true", "uq")


def test_a_full_index_serves_a_partial_target(sqlite: SQLiteRules) -> None:
    """A predicate in the target does not limit anything."""
    sqlite.given(T, UQ_AB)
    sqlite.serves("(a, b) WHERE c IS NULL", "uq")
    sqlite.refuses("(a) WHERE c IS NULL", "missing-arbiter")


def test_partial_and_full_side_by_side(sqlite: SQLiteRules) -> None:
    """Each target finds its own."""
    sqlite.given(T, UQ_AB, "CREATE UNIQUE INDEX few ON t (a) WHERE c IS NULL")
    sqlite.serves("(a, b)", "uq")
    sqlite.serves("(a) WHERE c IS NULL", "few")


# -- collations


@pytest.mark.parametrize(
    ("column", "index"), [("text", "NOCASE"), ("text COLLATE NOCASE", "BINARY")]
)
def test_a_collation_that_is_not_named_does_not_count(
    sqlite: SQLiteRules, column: str, index: str
) -> None:
    """An index in another collation than the column's serves a plain target."""
    table = f"CREATE TABLE t (st {column}, a int)"
    index_sql = f"CREATE UNIQUE INDEX uq ON t (st COLLATE {index})"
    sqlite.given(table, index_sql, row="VALUES ('x', 1)")
    sqlite.serves("(st)", "uq")
    sqlite.refuses("(a)", "missing-arbiter")


def test_a_collation_that_is_named_has_to_match(sqlite: SQLiteRules) -> None:
    """Named in the target it is part of what is asked for."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (st COLLATE NOCASE)")
    answers = sqlite.answers("(st COLLATE NOCASE)")
    assert answers[:2] == ("ok", "ok")
    assert answers.judge in ("satisfied: uq", UNKNOWN)

    answers = sqlite.answers("(st COLLATE BINARY)")
    assert answers[:2] == ("no arbiter", "refused")
    assert not answers.judge.startswith("satisfied")


@pytest.mark.parametrize(
    ("table", "index"),
    [
        ("CREATE TABLE t (st text, UNIQUE (st COLLATE NOCASE))", None),
        ("CREATE TABLE t (st text COLLATE NOCASE UNIQUE)", None),
        ("CREATE TABLE t (st text COLLATE NOCASE)", "CREATE UNIQUE INDEX uq ON t (st)"),
    ],
    ids=["the constraint's", "the column's under a constraint", "the column's under an index"],
)
def test_a_collation_matches_wherever_it_comes_from(
    sqlite: SQLiteRules, table: str, index: str | None
) -> None:
    """The index has it, whoever named it."""
    sqlite.given(table, *filter(None, [index]), row="(st) VALUES ('x')")
    answers = sqlite.answers("(st COLLATE NOCASE)")
    assert answers[:2] == ("ok", "ok")
    assert answers.judge in (f"satisfied: {'uq' if index else AUTO}", UNKNOWN)

    answers = sqlite.answers("(st COLLATE BINARY)")
    assert answers[:2] == ("no arbiter", "refused")
    assert not answers.judge.startswith("satisfied")


@pytest.mark.parametrize(
    "element", [text("st COLLATE NOCASE"), column("st").collate("NOCASE")], ids=["text", "column"]
)
def test_a_declared_collation_upserts_on_the_key_it_makes(
    sqlite: SQLiteRules, element: Any
) -> None:
    """What ``create_all()`` makes is what ``conflict_target()`` finds, and what autogenerate has no wish to change."""
    accounts = Table("t", MetaData(), Column("st", Text), UpsertKey(element))
    accounts.metadata.create_all(sqlite.connection)
    upsert = insert(accounts).values(st="x").on_conflict_do_nothing(**conflict_target(accounts))
    sent = str(upsert.compile(sqlite.connection, compile_kwargs={"literal_binds": True}))
    assert sqlite.attempt(sent) == "ok", sent

    assert compare_metadata(MigrationContext.configure(sqlite.connection), accounts.metadata) == []


# -- expressions and generated columns


def test_an_expression_is_not_its_column(sqlite: SQLiteRules) -> None:
    """``lower(st)`` is unique, ``st`` is not; nor the other way round."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (lower(st))")
    sqlite.refuses("(st)", "missing-arbiter")
    sqlite.serves("(lower(st))", "uq")

    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (st)")
    sqlite.refuses("(lower(st))", "missing-arbiter")
    sqlite.serves("(st)", "uq")


@pytest.mark.parametrize("target", ["LOWER( st )", "lower(t.st)", '"lower"("st")'])
def test_the_same_expression_in_another_spelling_is_the_same(
    sqlite: SQLiteRules, target: str
) -> None:
    """Parsed to the same; another function is another expression."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (lower(st))")
    sqlite.serves(f"({target})", "uq")
    sqlite.refuses("(upper(st))", UNKNOWN)


def test_a_column_beside_an_expression(sqlite: SQLiteRules) -> None:
    """Each term has to find its own."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (a, lower(st))")
    sqlite.serves("(lower(st), a)", "uq")
    sqlite.refuses("(lower(st), b)", "missing-arbiter")


def test_a_column_in_parentheses_is_the_column(sqlite: SQLiteRules) -> None:
    """Written as an expression, it is none."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (a)")
    answers = sqlite.answers("((a))")
    assert answers[:2] == ("ok", "ok")
    assert answers.judge in ("satisfied: uq", UNKNOWN)
    sqlite.refuses("((b))", "missing-arbiter")


@pytest.mark.parametrize("kind", ["STORED", "VIRTUAL"])
def test_a_generated_column_serves_like_any(sqlite: SQLiteRules, kind: str) -> None:
    """Both kinds can be indexed here, and the witness gives neither a value."""
    sqlite.given(
        f"CREATE TABLE t (st text, g text GENERATED ALWAYS AS (lower(st)) {kind})",
        "CREATE UNIQUE INDEX uq ON t (g)",
        row="(st) VALUES ('x')",
    )
    sqlite.serves("(g)", "uq")
    sqlite.refuses("(st)", "missing-arbiter")


# -- relations that are no tables


def test_a_view_takes_no_upsert(sqlite: SQLiteRules) -> None:
    """With a trigger neither; the witness is in doubt, and the catalog offers nothing."""
    view = "CREATE VIEW v AS SELECT * FROM t"
    sqlite.given(T, UQ_AB, view, table="v")
    words = "cannot modify v because it is a view"
    sqlite.refuses("(a, b)", NOT_THERE, answer=words, witness="doubt")

    trigger = "CREATE TRIGGER tr INSTEAD OF INSERT ON v BEGIN SELECT 1; END"
    sqlite.given(T, UQ_AB, view, trigger, table="v")
    sqlite.refuses("(a, b)", NOT_THERE, answer="cannot UPSERT a view", witness="doubt")

    sqlite.given(T, UQ_AB, view, table="t")
    sqlite.serves("(a, b)", "uq")


def test_a_virtual_table_takes_no_upsert(sqlite: SQLiteRules) -> None:
    """Its module would have to implement it."""
    sqlite.given(
        "CREATE VIRTUAL TABLE v USING fts5(a, b)", table="v", row="(a, b) VALUES ('x', 'y')"
    )
    answers = sqlite.answers("(a)")
    assert answers[:2] == ('UPSERT not implemented for virtual table "v"', "doubt")
    assert answers.judge == "missing-arbiter"


# -- schemas


def test_a_temporary_table_shadows_the_real_one(sqlite: SQLiteRules) -> None:
    """What a bare name finds is what is asked; ``main.`` finds the other."""
    shadowed = (T, UQ_AB, T.replace("TABLE", "TEMP TABLE"))
    sqlite.given(*shadowed)
    sqlite.refuses("(a, b)", "missing-arbiter")

    sqlite.given(*shadowed, schema="main")
    sqlite.serves("(a, b)", "uq")


def test_an_attached_database_has_tables_of_its_own(sqlite: SQLiteRules) -> None:
    """The same name in two files."""
    two = ("ATTACH ':memory:' AS other", T, T.replace(" t ", " other.t "))
    sqlite.given(*two, UQ_AB.replace("uq", "other.uq"), schema="other")
    sqlite.serves("(a, b)", "uq")

    sqlite.given(*two, UQ_AB, schema="other")
    sqlite.refuses("(a, b)", "missing-arbiter")


# -- NULLs, and what a statement may say


def test_nulls_never_conflict(sqlite: SQLiteRules) -> None:
    """Three upserts with NULL in the key are three rows; with a value they are one."""
    counts = {}
    for value in ("NULL", "1"):
        sqlite.given(T, UQ_AB)
        for _ in range(3):
            sqlite.connection.exec_driver_sql(
                f"INSERT INTO t (a, b) VALUES (1, {value}) ON CONFLICT (a, b) DO UPDATE SET c = 1"
            )
        counts[value] = sqlite.connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one()

    assert counts == {"NULL": 3, "1": 1}


def test_every_clause_has_to_match(sqlite: SQLiteRules) -> None:
    """Several ON CONFLICT clauses: the second one's failure is told of with its number."""
    sqlite.given(T, "CREATE UNIQUE INDEX uq ON t (a)", "CREATE UNIQUE INDEX uq_b ON t (b)")
    assert sqlite.insert("(a) DO NOTHING ON CONFLICT (b)") == "ok"
    assert sqlite.insert("(a) DO NOTHING ON CONFLICT (c)") == sqlite.no_arbiter
    assert sqlite.insert("", "DO UPDATE SET c = 1") == "ok"


def test_a_failed_question_leaves_the_transaction_as_it_was(sqlite: SQLiteRules) -> None:
    """The witness writes nothing, refused or not."""
    sqlite.given(T, UQ_AB)
    sqlite.connection.exec_driver_sql("INSERT INTO t (a, b) VALUES (7, 7)")
    sqlite.serves("(a, b)", "uq")
    sqlite.refuses("(a)", "missing-arbiter")
    rows = sqlite.connection.exec_driver_sql("SELECT a FROM t").scalars().all()
    assert rows == [7]
