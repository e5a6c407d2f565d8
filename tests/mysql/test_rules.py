"""The rules of MySQL and MariaDB, one test each, with a twin one word away: the real upserts, and the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.catalog.reading import execute
from alembic_upsert_guard.inference import State

if TYPE_CHECKING:
    from tests.mysql.rules import MySQLRules

COLUMNS = (
    "a int NOT NULL, b int NOT NULL, c int, s varchar(50) NOT NULL DEFAULT '', n int DEFAULT 0"
)
T = f"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, {COLUMNS})"
UQ_AB = "CREATE UNIQUE INDEX uq ON t (a, b)"

# -- what serves


def test_without_a_unique_key_rows_double(my: MySQLRules) -> None:
    """Nothing says so: neither the statement nor its EXPLAIN."""
    my.given(T)
    my.refuses("(a, b)", "missing-arbiter")
    assert my.rows_after("a = 1, b = 1", "a = 1, b = 1") == 2

    my.given(T, UQ_AB)
    my.serves("(a, b)", "uq")
    assert my.rows_after("a = 1, b = 1", "a = 1, b = 1") == 1


def test_key_is_not_unique_key(my: MySQLRules) -> None:
    """``KEY`` is a plain index."""
    my.given(T, UQ_AB.replace("UNIQUE ", ""))
    my.refuses("(a, b)", "missing-arbiter", near="uq")
    assert my.rows_after("a = 1, b = 1", "a = 1, b = 1") == 2

    my.given(T, UQ_AB)
    my.serves("(a, b)", "uq")


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (f"{COLUMNS}, UNIQUE uq (a, b)", "uq"),
        (f"{COLUMNS}, CONSTRAINT uq UNIQUE (b, a)", "uq"),
        (f"{COLUMNS}, PRIMARY KEY (a, b)", "PRIMARY"),
        (f"{COLUMNS}, UNIQUE uq (a DESC, b)", "uq"),
        (f"{COLUMNS}, UNIQUE uq (a, b) USING BTREE", "uq"),
    ],
    ids=["UNIQUE", "CONSTRAINT", "PRIMARY KEY", "DESC", "BTREE"],
)
def test_keys_of_every_kind_are_alike(my: MySQLRules, columns: str, name: str) -> None:
    """In any order of the columns."""
    my.given(f"CREATE TABLE t ({columns})")
    my.serves("(a, b)", name)
    my.serves("(b, a)", name)
    my.refuses("(a)", "missing-arbiter", near=name)
    assert my.rows_after("a = 1, b = 1", "b = 1, a = 1", "a = 1, b = 2") == 2


def test_column_names_have_no_case(my: MySQLRules) -> None:
    """In the key and in the upsert."""
    my.given(T, UQ_AB)
    my.serves("(A, B)", "uq")
    assert my.rows_after("A = 1, b = 1", "a = 1, B = 1") == 1


@pytest.mark.parametrize("columns", ["(a)", "(a, b, c)", "(a, c)"])
def test_fewer_or_more_columns_are_another_key(my: MySQLRules, columns: str) -> None:
    """It serves its own columns only."""
    my.given(T, f"CREATE UNIQUE INDEX uq ON t {columns}")
    my.refuses("(a, b)", "missing-arbiter", near="uq")
    my.serves(columns, "uq")


def test_a_prefix_is_not_the_whole(my: MySQLRules) -> None:
    """Other values that begin alike are taken for the same."""
    my.given(T, "CREATE UNIQUE INDEX uq ON t (s(3))")
    my.refuses("(s)", "missing-arbiter", near="uq")
    assert my.inferred("(s)").refusal == (
        "nothing is unique on exactly these elements; nearest is index uq (s(3)): "
        "only the first 3 characters of s count"
    )
    assert my.rows_after("a = 1, b = 1, s = 'abcX'", "a = 2, b = 2, s = 'abcd'") == 1

    my.given(T, "CREATE UNIQUE INDEX uq ON t (s)")
    my.serves("(s)", "uq")
    assert my.rows_after("a = 1, b = 1, s = 'abcX'", "a = 2, b = 2, s = 'abcd'") == 2


def test_a_prefix_of_the_whole_length_is_the_whole(my: MySQLRules) -> None:
    """The server stores it as none."""
    my.given(T, "CREATE UNIQUE INDEX uq ON t (s(50))")
    my.serves("(s)", "uq")


def test_an_index_that_no_query_uses_is_enforced(my: MySQLRules) -> None:
    """INVISIBLE on MySQL, IGNORED on MariaDB."""
    word = "IGNORED" if my.is_mariadb else "INVISIBLE"
    my.given(T, f"{UQ_AB} {word}")
    my.serves("(a, b)", "uq")
    assert my.rows_after("a = 1, b = 1", "a = 1, b = 1") == 1


def test_nulls_never_meet(my: MySQLRules) -> None:
    """The index serves, and rows with NULL double all the same."""
    my.given(T, "CREATE UNIQUE INDEX uq ON t (a, c)")
    my.serves("(a, c)", "uq")
    assert my.rows_after("a = 1, b = 1, c = NULL", "a = 1, b = 1, c = NULL") == 2
    assert my.rows_after("a = 1, b = 1, c = 1", "a = 1, b = 1, c = 1") == 1


def test_two_indexes_on_the_key_both_serve(my: MySQLRules) -> None:
    """Whatever the order of their columns."""
    my.given(T, UQ_AB, "CREATE UNIQUE INDEX uq2 ON t (b, a)")
    my.serves("(a, b)", "uq", "uq2")


def test_a_long_column_is_unique_by_its_hash(my: MySQLRules) -> None:
    """MariaDB compares all of it; MySQL refuses to make one."""
    my.given(f"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, {COLUMNS}, body text NOT NULL)")
    if not my.is_mariadb:
        with pytest.raises(DBAPIError, match="1170"):
            execute(my.connection, "CREATE UNIQUE INDEX uq ON t (body)")
        return
    execute(my.connection, "CREATE UNIQUE INDEX uq ON t (body)")
    my.serves("(body)", "uq")
    long = "x" * 5000
    upserts = [f"a = {n}, b = {n}, body = '{long}{end}'" for n, end in enumerate("aab")]
    assert my.rows_after(*upserts) == 2


def test_a_partitioned_table_needs_its_columns_in_the_key(my: MySQLRules) -> None:
    """And the server makes no other."""
    table = f"CREATE TABLE t ({COLUMNS}, PRIMARY KEY (a, b))"
    my.given(f"{table} PARTITION BY HASH (b) PARTITIONS 3")
    my.serves("(a, b)", "PRIMARY")
    my.refuses("(a)", "partition-key-missing")
    with pytest.raises(DBAPIError, match="1503"):
        execute(my.connection, "CREATE UNIQUE INDEX uq ON t (a)")

    my.given(table)
    my.refuses("(a)", "missing-arbiter", near="PRIMARY")
    execute(my.connection, "CREATE UNIQUE INDEX uq ON t (a)")


def test_a_view_is_in_doubt(my: MySQLRules) -> None:
    """The table behind it decides, and is not read."""
    my.given(T, UQ_AB, "CREATE VIEW v AS SELECT a, b, n FROM t")
    assert my.verdict("(a, b)", "v").state is State.UNKNOWN
    assert my.inferred("(a, b)", "v").doubt is not None


def test_a_table_that_is_not_there_is_no_doubt(my: MySQLRules) -> None:
    """The answer is a refusal."""
    my.given()
    assert my.inferred("(a, b)").refusal == "there is no such table"


# -- expressions


def test_an_expression_is_spelled_as_the_server_prints_it(my: MySQLRules) -> None:
    """Case, blanks and backquotes do not matter."""
    my.only_mysql("has indexes on expressions")
    my.given(T, "CREATE UNIQUE INDEX uq ON t ((lower(s)), a)")
    my.serves("(lower(s), a)", "uq")
    my.serves("(a, LOWER( `s` ))", "uq")
    assert my.rows_after("a = 1, b = 1, s = 'X'", "a = 1, b = 2, s = 'x'") == 1


def test_quotes_and_backslashes_of_an_expression_are_the_same_on_both_sides(my: MySQLRules) -> None:
    """The catalog has a backslash before each."""
    my.only_mysql("has indexes on expressions")
    expression = "(concat(s, 'it''s \"\\\\x\"'))"
    my.given(T, f"CREATE UNIQUE INDEX uq ON t ({expression})")
    my.serves(f"({expression})", "uq")


def test_another_expression_is_not_guessed(my: MySQLRules) -> None:
    """It is unknown, and not short."""
    my.only_mysql("has indexes on expressions")
    my.given(T, "CREATE UNIQUE INDEX uq ON t ((upper(s)))")
    assert my.verdict("(lower(s))").state is State.UNKNOWN
    assert my.inferred("(lower(s))").doubt is not None


def test_an_expression_that_the_server_does_not_take_is_in_doubt(my: MySQLRules) -> None:
    """MariaDB takes none."""
    my.given(T, UQ_AB)
    assert my.verdict("(no_such_function(s))").state is not State.SATISFIED
    assert my.inferred("(no_such_function(s))").arbiters == ()


def test_asking_about_an_expression_leaves_nothing_and_commits_nothing(my: MySQLRules) -> None:
    """The caller's transaction is rolled back afterwards, its rows with it."""
    my.only_mysql("has indexes on expressions")
    my.given(T, "CREATE UNIQUE INDEX uq ON t ((lower(s)))")
    my.connection.commit()
    execute(my.connection, "INSERT INTO t (a, b) VALUES (1, 1)")
    my.serves("(lower(s))", "uq")
    my.connection.rollback()
    assert execute(my.connection, "SELECT count(*) FROM t").scalar() == 0


# -- rivals


def test_another_unique_key_takes_the_upsert(my: MySQLRules) -> None:
    """The row that it meets is updated, and the key's own is not made."""
    my.given(T, UQ_AB, "CREATE UNIQUE INDEX other ON t (s)")
    my.serves("(a, b)", "uq", rivals=("other",))
    assert my.rows_after("a = 1, b = 1, s = 'x'", "a = 2, b = 2, s = 'x'") == 1

    my.given(T, UQ_AB, "CREATE INDEX other ON t (s)")
    my.serves("(a, b)", "uq")
    assert my.rows_after("a = 1, b = 1, s = 'x'", "a = 2, b = 2, s = 'x'") == 2


def test_fewer_columns_than_the_key_are_a_rival(my: MySQLRules) -> None:
    """A row that differs in the other column is updated in place of an insert."""
    my.given(T, UQ_AB, "CREATE UNIQUE INDEX other ON t (a)")
    my.serves("(a, b)", "uq", rivals=("other",))
    assert my.rows_after("a = 1, b = 1", "a = 1, b = 2") == 1


def test_more_columns_than_the_key_are_none(my: MySQLRules) -> None:
    """The row that breaks them breaks the key first: it is the same one."""
    my.given(T, UQ_AB, "CREATE UNIQUE INDEX other ON t (a, b, s)")
    my.serves("(a, b)", "uq")
    assert my.rows_after("a = 1, b = 1, s = 'x'", "a = 1, b = 2, s = 'x'") == 2


def test_a_prefix_of_the_key_is_a_rival_of_it(my: MySQLRules) -> None:
    """Values that begin alike are taken for the same."""
    my.given(T, "CREATE UNIQUE INDEX uq ON t (s)", "CREATE UNIQUE INDEX other ON t (s(3))")
    my.serves("(s)", "uq", rivals=("other",))
    assert my.rows_after("a = 1, b = 1, s = 'abcX'", "a = 2, b = 2, s = 'abcd'") == 1


def test_an_auto_increment_column_that_upserts_leave_out_meets_nobody(my: MySQLRules) -> None:
    """Each row gets its own number; with a number given, it is a key like any other."""
    my.given(T, UQ_AB)
    my.serves("(a, b)", "uq")
    assert my.rows_after("a = 1, b = 1", "a = 2, b = 2") == 2
    assert my.rows_after("id = 1, a = 1, b = 1", "id = 1, a = 2, b = 2") == 1

    my.given(T.replace("AUTO_INCREMENT", ""), UQ_AB)
    my.serves("(a, b)", "uq", rivals=("PRIMARY",))


def test_an_auto_increment_column_beside_others_is_no_rival(my: MySQLRules) -> None:
    """Each row has its own number."""
    my.given(
        f"CREATE TABLE t (id int AUTO_INCREMENT, {COLUMNS}, PRIMARY KEY (id, a), UNIQUE uq (a, b))"
    )
    my.serves("(a, b)", "uq")
    assert my.rows_after("a = 1, b = 1", "a = 1, b = 2") == 2


def test_where_the_number_is_the_key_the_others_are_rivals(my: MySQLRules) -> None:
    """An upsert that gives the number can meet another row by them."""
    my.given(T, UQ_AB)
    my.serves("(id)", "PRIMARY", rivals=("uq",))
    assert my.rows_after("id = 1, a = 1, b = 1", "id = 2, a = 1, b = 1") == 1


def test_an_expression_is_a_rival(my: MySQLRules) -> None:
    """Values whose expressions are equal are taken for the same."""
    my.only_mysql("has indexes on expressions")
    my.given(T, "CREATE UNIQUE INDEX uq ON t (s)", "CREATE UNIQUE INDEX other ON t ((left(s, 1)))")
    my.serves("(s)", "uq", rivals=("other",))
    assert my.rows_after("a = 1, b = 1, s = 'xa'", "a = 2, b = 2, s = 'xb'") == 1


def test_a_hidden_unique_index_is_a_rival(my: MySQLRules) -> None:
    """No query uses it, and it is enforced all the same."""
    word = "IGNORED" if my.is_mariadb else "INVISIBLE"
    my.given(T, UQ_AB, f"CREATE UNIQUE INDEX other ON t (s) {word}")
    my.serves("(a, b)", "uq", rivals=("other",))
    assert my.rows_after("a = 1, b = 1, s = 'x'", "a = 2, b = 2, s = 'x'") == 1
