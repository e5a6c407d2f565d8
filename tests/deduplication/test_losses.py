"""What a deduplication must not lose, each found by ``python -m tests.deduplication`` or on the way, and reduced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.errors import DeduplicationError
from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.rows import Deduplicated, RowsOfKey, Surplus, deduplicate, restore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

KEEP_AWAY = (
    "CREATE FUNCTION keep_away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
)
KEYED = "CREATE TABLE t (id int PRIMARY KEY, k text)"
TWICE = "INSERT INTO t VALUES (1, 'a'), (2, 'a')"
CASCADING = "CREATE TABLE child (id int PRIMARY KEY, ref int REFERENCES t ON DELETE CASCADE)"


def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def postgresql_connection(url: str) -> Iterator[Connection]:
    yield from _connected(url)


@pytest.fixture
def sqlite_connection() -> Iterator[Connection]:
    yield from _connected("sqlite://")


def said(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(query)]


def surplus(*columns: str, table: str = "t", repoint: bool = True) -> Surplus:
    target = ConflictTarget(tuple(Element(column=column) for column in columns))
    key = RowsOfKey(table=TableName(None, table), target=target, nulls="warn")
    return Surplus(
        key=key, keep="first", order_by=(), archive=TableName(None, "archive"), repoint=repoint
    )


PARTITIONED = (
    "CREATE TABLE whole (p int, id int, k text, PRIMARY KEY (p, id)) PARTITION BY LIST (p)",
    "CREATE TABLE part PARTITION OF whole FOR VALUES IN (1)",
    "CREATE TABLE child (id int, p int, ref int, FOREIGN KEY (p, ref) REFERENCES whole ON DELETE CASCADE)",
    "INSERT INTO whole VALUES (1, 1, 'a'), (1, 2, 'a')",
    "INSERT INTO child VALUES (1, 1, 2)",
)


def test_references_to_a_partition_by_way_of_the_whole_table_are_counted(
    postgresql_connection: Connection,
) -> None:
    """The foreign key of the whole table is the partition's too."""
    said(postgresql_connection, *PARTITIONED)

    with pytest.raises(DeduplicationError, match=r"1 references .* lost: child \(p, ref\) 1"):
        deduplicate(postgresql_connection, surplus("k", table="part", repoint=False))
    assert rows(postgresql_connection, "SELECT * FROM child") == [(1, 1, 2)]


def test_references_to_a_partition_by_way_of_the_whole_table_are_moved(
    postgresql_connection: Connection,
) -> None:
    """As those that name the partition are."""
    said(postgresql_connection, *PARTITIONED)
    done = deduplicate(postgresql_connection, surplus("k", table="part"))

    assert done == Deduplicated(1, (("child (p, ref)", 1),))
    assert rows(postgresql_connection, "SELECT * FROM child") == [(1, 1, 1)]


@pytest.mark.parametrize(
    "keeps",
    [
        "CREATE TRIGGER keeps BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION keep_away()",
        "CREATE RULE keeps AS ON UPDATE TO child DO INSTEAD NOTHING",
    ],
)
def test_where_every_reference_is_kept_in_its_place_nothing_is_deleted(
    postgresql_connection: Connection, keeps: str
) -> None:
    """A trigger or a rule that lets no update through: the cascade would take the rows."""
    said(postgresql_connection, KEEP_AWAY, KEYED, CASCADING, TWICE, keeps)
    said(postgresql_connection, "INSERT INTO child VALUES (1, 2)")

    with pytest.raises(DeduplicationError, match=r"child \(ref\) kept 1 references"):
        deduplicate(postgresql_connection, surplus("k"))
    assert rows(postgresql_connection, "SELECT * FROM child") == [(1, 2)]


def test_a_reference_that_a_moved_one_would_set_null_is_refused(
    postgresql_connection: Connection,
) -> None:
    """ON UPDATE SET NULL, of a row that refers to the reference itself."""
    said(
        postgresql_connection,
        KEYED,
        "CREATE TABLE child (ref int REFERENCES t, no int, PRIMARY KEY (ref, no))",
        "CREATE TABLE grandchild (ref int, no int, "
        "FOREIGN KEY (ref, no) REFERENCES child ON UPDATE SET NULL)",
        TWICE,
        "INSERT INTO child VALUES (2, 1)",
        "INSERT INTO grandchild VALUES (2, 1)",
    )

    with pytest.raises((DeduplicationError, DBAPIError)):
        deduplicate(postgresql_connection, surplus("k"))
    assert rows(postgresql_connection, "SELECT * FROM grandchild") == [(2, 1)]


def test_an_archive_that_would_round_a_value_is_refused(postgresql_connection: Connection) -> None:
    """It was there already, with a column of another type."""
    said(
        postgresql_connection,
        "CREATE TABLE t (id int PRIMARY KEY, k text, v numeric)",
        "CREATE TABLE archive (id int, k text, v int, upsert_guard_archived_at timestamptz DEFAULT now(), "
        "upsert_guard_reason text, upsert_guard_kept text)",
        "INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 2.75)",
    )

    with pytest.raises((DeduplicationError, DBAPIError)):
        deduplicate(postgresql_connection, surplus("k"))
    assert rows(postgresql_connection, "SELECT count(*) FROM t") == [(2,)]


def test_an_archive_of_another_affinity_is_refused(sqlite_connection: Connection) -> None:
    """SQLite would make a number of the text."""
    said(
        sqlite_connection,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, v TEXT)",
        "CREATE TABLE archive (id, k, v INTEGER, upsert_guard_archived_at, upsert_guard_reason, upsert_guard_kept)",
        "INSERT INTO t VALUES (1, 'a', '001'), (2, 'a', '002')",
    )

    with pytest.raises(DeduplicationError):
        deduplicate(sqlite_connection, surplus("k"))
    assert rows(sqlite_connection, "SELECT v FROM t ORDER BY v") == [("001",), ("002",)]


PUT_BACK = {
    "postgresql": (
        """CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO t VALUES (OLD.id + 10, OLD.k); RETURN NULL; END $$""",
        "CREATE TRIGGER put_back AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION put_back()",
    ),
    "sqlite": (
        "CREATE TRIGGER put_back AFTER DELETE ON t BEGIN INSERT INTO t VALUES (OLD.id + 10, OLD.k); END",
    ),
}


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_duplicates_that_a_trigger_puts_back_are_refused(
    request: pytest.FixtureRequest, database: str
) -> None:
    """The delete takes as many rows as it should, and there are as many as before."""
    connection: Connection = request.getfixturevalue(f"{database}_connection")
    said(connection, KEYED, TWICE, *PUT_BACK[database])

    with pytest.raises(DeduplicationError, match="1 group of duplicate rows would be there again"):
        deduplicate(connection, surplus("k"))
    assert rows(connection, "SELECT * FROM t ORDER BY id") == [(1, "a"), (2, "a")]


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_rows_that_a_trigger_adds_under_other_keys_are_no_duplicates(
    request: pytest.FixtureRequest, database: str
) -> None:
    """The twin: the trigger notes the deletion in a row of its own."""
    connection: Connection = request.getfixturevalue(f"{database}_connection")
    noting = [each.replace("OLD.k", "'note'") for each in PUT_BACK[database]]
    said(connection, KEYED, TWICE, *noting)

    deduplicate(connection, surplus("k"))

    assert rows(connection, "SELECT k FROM t ORDER BY id") == [("a",), ("note",)]


ARCHIVE = (
    """CREATE TABLE archive (id int, k text, upsert_guard_archived_at timestamptz DEFAULT now(),
                            upsert_guard_reason text, upsert_guard_kept text)""",
    "CREATE FUNCTION alter_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.k := 'other'; RETURN NEW; END $$",
    "CREATE TRIGGER alter_it BEFORE INSERT ON archive FOR EACH ROW EXECUTE FUNCTION alter_it()",
)


def test_an_archive_whose_trigger_alters_rows_is_refused(
    postgresql_connection: Connection,
) -> None:
    """It would be the one place that has them."""
    said(postgresql_connection, KEYED, TWICE, *ARCHIVE)

    with pytest.raises(DeduplicationError, match="altered 1 of 1 rows on their way"):
        deduplicate(postgresql_connection, surplus("k"))
    assert rows(postgresql_connection, "SELECT count(*) FROM t") == [(2,)]


def test_an_archive_whose_trigger_alters_nothing_is_taken(
    postgresql_connection: Connection,
) -> None:
    """The twin: the trigger is there, and leaves the row as it is."""
    said(
        postgresql_connection, KEYED, TWICE, *(each.replace("'other'", "NEW.k") for each in ARCHIVE)
    )

    deduplicate(postgresql_connection, surplus("k"))

    assert rows(postgresql_connection, "SELECT id, k FROM archive") == [(2, "a")]


def test_triggers_of_the_table_see_the_search_path_of_the_user(
    postgresql_connection: Connection,
) -> None:
    """They name other tables as they always did, though our own statements look nothing up there."""
    said(
        postgresql_connection,
        KEYED,
        TWICE,
        "CREATE TABLE notes (k text)",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO notes VALUES (OLD.k); RETURN NULL; END $$",
        "CREATE TRIGGER note AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION note()",
    )

    deduplicate(postgresql_connection, surplus("k"))

    assert rows(postgresql_connection, "SELECT * FROM notes") == [("a",)]
    assert rows(postgresql_connection, "SHOW search_path") == [('"$user", public',)]


STAMPED = "CREATE TABLE t (id int PRIMARY KEY, k text, at text)"
STAMP = (
    "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := 'now'; RETURN NEW; END $$",
    "CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp()",
)
STAMPED_TWICE = "INSERT INTO t VALUES (1, 'a', '2020'), (2, 'a', '2021')"


def test_a_row_that_a_trigger_changes_on_its_way_back_stays_archived(
    postgresql_connection: Connection,
) -> None:
    """The archive is the one place that still knows its values."""
    said(postgresql_connection, STAMPED, STAMPED_TWICE, *STAMP)
    key = surplus("k")
    deduplicate(postgresql_connection, key)

    with pytest.raises(DeduplicationError):
        restore(postgresql_connection, key.key, TableName(None, "archive"))
    assert rows(postgresql_connection, "SELECT id, at FROM archive") == [(2, "2021")]


def test_a_row_that_the_table_has_no_column_for_any_more_stays_archived(
    postgresql_connection: Connection,
) -> None:
    """The column comes back first, further up in the downgrade."""
    said(postgresql_connection, STAMPED, STAMPED_TWICE)
    key = surplus("k")
    deduplicate(postgresql_connection, key)
    said(postgresql_connection, "ALTER TABLE t DROP COLUMN at")

    with pytest.raises(DeduplicationError):
        restore(postgresql_connection, key.key, TableName(None, "archive"))
    assert rows(postgresql_connection, "SELECT id, at FROM archive") == [(2, "2021")]


KEY_THAT_MOVES = (
    "CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t, k text)",
    "INSERT INTO t VALUES (1, 1, 'root'), (2, 1, 'root'), (3, 1, 'x'), (4, 2, 'x')",
)


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_references_whose_move_makes_rows_equal_are_refused(
    request: pytest.FixtureRequest, database: str
) -> None:
    """Rows 3 and 4 share (parent, k) once both refer to row 1: the index could not be made."""
    connection: Connection = request.getfixturevalue(f"{database}_connection")
    said(connection, *KEY_THAT_MOVES)

    with pytest.raises(DeduplicationError):
        deduplicate(connection, surplus("parent", "k"))
    assert rows(connection, "SELECT id, parent FROM t ORDER BY id") == [
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 2),
    ]


def test_the_index_can_be_made_below_where_a_foreign_key_is_deferred(
    postgresql_connection: Connection,
) -> None:
    """The check of each deleted row would wait for the end of the transaction, and DDL refuses to go on."""
    said(
        postgresql_connection,
        KEYED,
        "CREATE TABLE child (ref int REFERENCES t DEFERRABLE INITIALLY DEFERRED)",
        TWICE,
    )
    deduplicate(postgresql_connection, surplus("k"))

    said(postgresql_connection, "CREATE UNIQUE INDEX arbiter ON t (k)")


def test_ddl_goes_on_below_a_restoration_where_a_foreign_key_is_deferred(
    postgresql_connection: Connection,
) -> None:
    """The check of each row that came back would wait for the end of the transaction."""
    said(
        postgresql_connection,
        "CREATE TABLE t (id int PRIMARY KEY, k text, parent int REFERENCES t DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 1)",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "SET CONSTRAINTS ALL DEFERRED",
    )
    key = surplus("k")
    deduplicate(postgresql_connection, key)
    said(postgresql_connection, "SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED")
    assert restore(postgresql_connection, key.key, TableName(None, "archive")) == 1

    said(postgresql_connection, "ALTER TABLE t ADD COLUMN later int")


def test_rows_without_a_value_in_their_primary_key_are_told_apart(
    sqlite_connection: Connection,
) -> None:
    """SQLite takes NULL in a primary key, and several rows with it: each is archived once."""
    said(
        sqlite_connection,
        "CREATE TABLE t (id TEXT PRIMARY KEY, k TEXT)",
        "INSERT INTO t VALUES ('x', 'a'), (NULL, 'a'), (NULL, 'b'), ('y', 'b')",
    )
    key = Surplus(
        key=surplus("k").key,
        keep="last",
        order_by=(),
        archive=TableName(None, "archive"),
        repoint=False,
    )
    deduplicate(sqlite_connection, key)

    assert rows(sqlite_connection, "SELECT id, k FROM archive ORDER BY k") == [
        (None, "a"),
        (None, "b"),
    ]
    assert rows(sqlite_connection, "SELECT id, k FROM t ORDER BY k") == [("x", "a"), ("y", "b")]


def test_a_row_without_a_value_in_its_primary_key_is_no_obstacle(
    sqlite_connection: Connection,
) -> None:
    """One of the two goes, though nothing but its place tells it from the other."""
    said(
        sqlite_connection,
        "CREATE TABLE t (id TEXT PRIMARY KEY, k TEXT)",
        "INSERT INTO t VALUES (NULL, 'a'), (NULL, 'a')",
    )

    assert deduplicate(sqlite_connection, surplus("k")) == Deduplicated(1)


def test_sqlite_leaves_nobody_behind_who_refers_to_a_moved_reference(
    sqlite_connection: Connection,
) -> None:
    """Foreign keys are not enforced unless a PRAGMA says so: no cascade follows."""
    said(
        sqlite_connection,
        KEYED,
        "CREATE TABLE child (ref int REFERENCES t, no int, PRIMARY KEY (ref, no))",
        "CREATE TABLE grandchild (ref int, no int, "
        "FOREIGN KEY (ref, no) REFERENCES child ON UPDATE CASCADE)",
        TWICE,
        "INSERT INTO child VALUES (2, 1)",
        "INSERT INTO grandchild VALUES (2, 1)",
    )

    with pytest.raises(DeduplicationError):
        deduplicate(sqlite_connection, surplus("k"))
    assert rows(sqlite_connection, "SELECT * FROM child") == [(2, 1)]


def test_a_database_that_is_not_known_is_left_alone() -> None:
    """Another dialect would take some of the statements, and not all of them."""
    unknown: Any = SimpleNamespace(dialect=mysql.dialect())

    with pytest.raises(DeduplicationError, match="on mysql: write the statements"):
        deduplicate(unknown, surplus("k"))
    with pytest.raises(DeduplicationError, match="cannot be restored"):
        restore(unknown, surplus("k").key, TableName(None, "archive"))
