"""Deduplication in batches, each a transaction of its own, while others write, and stopped anywhere."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from alembic_upsert_guard.errors import DeduplicationError
from alembic_upsert_guard.online import Observation, Reporter
from alembic_upsert_guard.rows import Batches, Deduplicated, deduplicate_in_batches
from alembic_upsert_guard.rows.replication import Mark, Receiver, lag_of

from .test_losses import CASCADING, KEEP_AWAY, KEYED, PUT_BACK, rows, said, surplus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection, Engine

    from alembic_upsert_guard.rows import Surplus

THREE_EACH = "INSERT INTO t SELECT n, 'k' || mod(n, 4) FROM generate_series(1, 12) n"
KEPT = [(n, f"k{n % 4}") for n in (1, 2, 3, 4)]


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    yield made
    made.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


class Watcher:
    """Calls a function with the number of each batch that begins, from 1, and has the lines of the log."""

    def __init__(self, act: Callable[[int], None] = lambda _: None) -> None:
        self.act = act
        self.number = 0
        self.lines: list[str] = []
        self.reporter = Reporter(self.lines.append, lambda _: self)

    def show(self, _: Observation) -> None:
        self.number += 1
        self.act(self.number)

    def close(self) -> None:
        pass


def in_batches(
    connection: Connection, key: Surplus, act: Callable[[int], None] = lambda _: None, size: int = 2
) -> Deduplicated:
    return deduplicate_in_batches(connection, key, Batches(size=size), Watcher(act).reporter)


def test_each_batch_is_a_transaction_of_its_own(connection: Connection) -> None:
    """Eight surplus rows are four transactions of two rows, and nothing of ours is left in the session."""
    said(connection, KEYED, THREE_EACH)

    assert in_batches(connection, surplus("k")) == Deduplicated(8)
    assert rows(connection, "SELECT * FROM t ORDER BY id") == KEPT
    counts = "SELECT count(*) FROM archive GROUP BY xmin"
    assert rows(connection, counts) == [(2,)] * 4
    ours = "SELECT relname FROM pg_class WHERE relpersistence = 't'"
    assert rows(connection, ours) == []
    assert rows(connection, "SHOW search_path") == [('"$user", public',)]


def test_a_group_of_many_rows_is_cut_as_well(connection: Connection) -> None:
    """No transaction has more surplus rows than it may have."""
    said(connection, KEYED, "INSERT INTO t SELECT n, 'a' FROM generate_series(1, 8) n")

    assert in_batches(connection, surplus("k"), size=3) == Deduplicated(7)
    assert rows(connection, "SELECT * FROM t") == [(1, "a")]
    assert rows(
        connection, "SELECT max(n) FROM (SELECT count(*) n FROM archive GROUP BY xmin) c"
    ) == [(3,)]


def test_what_is_refused_for_all_is_refused_before_the_first_batch(connection: Connection) -> None:
    """The one reference is to a row of the last batch."""
    said(connection, KEYED, THREE_EACH, CASCADING, "INSERT INTO child VALUES (1, 12)")

    with pytest.raises(
        DeduplicationError, match=r"1 references .* lost: child \(ref\) 1; nothing was changed"
    ):
        in_batches(connection, surplus("k", repoint=False))
    assert rows(connection, "SELECT count(*) FROM t") == [(12,)]
    assert rows(connection, "SELECT to_regclass('archive')") == [(None,)]


def test_what_a_batch_meets_stops_there_and_says_what_is_done(connection: Connection) -> None:
    """A trigger keeps one row of the last batch; without it the next run resumes."""
    said(connection, KEYED, THREE_EACH, KEEP_AWAY)
    said(
        connection,
        "CREATE TRIGGER keeps BEFORE DELETE ON t FOR EACH ROW WHEN (OLD.id = 12) EXECUTE FUNCTION keep_away()",
    )

    with pytest.raises(
        DeduplicationError,
        match="kept 1 of 2 surplus rows; this batch was undone; 6 surplus rows of the batches before it stay done, "
        "and the upgrade resumes there when it is run again",
    ):
        in_batches(connection, surplus("k"))
    assert rows(connection, "SELECT count(*) FROM archive") == [(6,)]
    said(connection, "DROP TRIGGER keeps ON t")
    assert in_batches(connection, surplus("k")) == Deduplicated(2)
    assert rows(connection, "SELECT * FROM t ORDER BY id") == KEPT


def test_a_row_that_a_trigger_puts_back_is_met_in_its_batch(connection: Connection) -> None:
    """It would be found in each round anew."""
    said(
        connection,
        KEYED,
        THREE_EACH,
        *(each.replace("+ 10", "+ 100") for each in PUT_BACK["postgresql"]),
    )

    with pytest.raises(DeduplicationError, match=r"groups? of duplicate rows would be there again"):
        in_batches(connection, surplus("k"))
    assert rows(connection, "SELECT count(*) FROM t") == [(12,)]


def test_duplicates_that_arrive_meanwhile_are_done_as_well(
    connection: Connection, engine: Engine
) -> None:
    """All rows are read again when the batches of the first reading are done."""
    said(connection, KEYED, THREE_EACH)

    def arrive(number: int) -> None:
        if number == 1:
            with engine.connect() as other:
                said(other, "INSERT INTO t VALUES (20, 'k1'), (21, 'new'), (22, 'new')")

    assert in_batches(connection, surplus("k"), arrive) == Deduplicated(10)
    assert rows(connection, "SELECT id FROM t WHERE id > 4") == [(21,)]


def test_duplicates_that_always_arrive_end_after_five_readings(
    connection: Connection, engine: Engine
) -> None:
    """It is reported; what makes the key unique below may meet them."""
    said(connection, KEYED, "INSERT INTO t VALUES (1, 'a'), (2, 'a')")

    def arrive(number: int) -> None:
        with engine.connect() as other:
            said(other, f"INSERT INTO t VALUES ({number + 10}, 'a')")

    watcher = Watcher(arrive)
    done = deduplicate_in_batches(connection, surplus("k"), Batches(size=2), watcher.reporter)

    assert done == Deduplicated(5)
    assert [re.sub("; .*", "", line) for line in watcher.lines] == [
        "upsert key t (k): duplicate rows still arrive, all rows were read 5 times"
    ]


def test_a_row_that_changed_since_it_was_read_is_ranked_as_it_is(
    connection: Connection, engine: Engine
) -> None:
    """One has another key by now, one that stays is gone, and one is the first now."""
    said(connection, "CREATE TABLE t (id int PRIMARY KEY, k text, place int)")
    said(
        connection,
        "INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 1), (4, 'b', 2), (5, 'c', 1), (6, 'c', 2)",
    )
    key = surplus("k")
    by_place = type(key)(
        key=key.key, keep="first", order_by=("place",), archive=key.archive, repoint=True
    )

    def change(number: int) -> None:
        if number == 1:
            with engine.connect() as other:
                said(
                    other,
                    "UPDATE t SET k = 'other' WHERE id = 2",
                    "DELETE FROM t WHERE id = 3",
                    "UPDATE t SET place = 0 WHERE id = 6",
                )

    assert in_batches(connection, by_place, change, size=10) == Deduplicated(1)
    assert rows(connection, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (4,), (6,)]
    assert rows(connection, "SELECT id FROM archive") == [(5,)]


def test_rows_that_refer_to_each_other_go_into_the_archive_as_they_are(
    connection: Connection,
) -> None:
    """Each in a batch before the row that it refers to; two that refer to each other go together."""
    said(
        connection,
        "CREATE TABLE t (id int PRIMARY KEY, k text, parent int REFERENCES t)",
        "INSERT INTO t VALUES (1, 'a', NULL), (2, 'a', NULL), (3, 'b', 1), (4, 'b', 2), (5, 'c', 3), (6, 'c', 4), "
        "(7, 'd', NULL), (8, 'd', NULL), (9, 'e', 7), (10, 'e', 8), (11, 'x', 2)",
        "UPDATE t SET parent = 10 WHERE id = 8",
    )
    assert in_batches(connection, surplus("k"), size=1) == Deduplicated(5, (("t (parent)", 1),))
    assert rows(connection, "SELECT id, parent FROM archive ORDER BY id") == [
        (2, None),
        (4, 2),
        (6, 4),
        (8, 10),
        (10, 8),
    ]
    assert rows(connection, "SELECT parent FROM t WHERE id = 11") == [(1,)]


def test_a_key_that_moves_with_its_references_is_refused_in_batches(
    connection: Connection,
) -> None:
    """Rows of other batches would become equal, which only a look at all of them finds."""
    said(
        connection,
        "CREATE TABLE t (id int PRIMARY KEY, k text, parent int REFERENCES t)",
        "INSERT INTO t VALUES (1, 'root', 1), (2, 'root', 1), (3, 'x', 1), (4, 'y', 2)",
    )
    with pytest.raises(
        DeduplicationError, match=r"in batches: the key holds t \(parent\).* nothing was changed"
    ):
        in_batches(connection, surplus("parent", "k"))
    assert rows(connection, "SELECT count(*) FROM t") == [(4,)]
    assert in_batches(connection, surplus("k")) == Deduplicated(1, (("t (parent)", 1),))


# -- others at work


@contextmanager
def transaction(engine: Engine, *statements: str) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as other:
        said(other, *statements)
        yield other
        other.commit()


def test_writers_of_other_rows_are_not_waited_for(connection: Connection, engine: Engine) -> None:
    """They hold what the lock of one transaction would wait for, and go on while a batch is open."""
    said(connection, KEYED, THREE_EACH, "INSERT INTO t VALUES (100, 'alone')", CASCADING)

    def write(number: int) -> None:
        said(other, f"INSERT INTO t VALUES ({number + 100}, 'new {number}')")

    with transaction(engine, "UPDATE t SET k = 'changed' WHERE id = 100") as other:
        assert in_batches(connection, surplus("k"), write) == Deduplicated(8)


@pytest.mark.parametrize("deferrable", ["", " DEFERRABLE INITIALLY DEFERRED"])
def test_a_reference_that_is_not_committed_yet_is_waited_for(
    connection: Connection, engine: Engine, deferrable: str
) -> None:
    """Whoever refers to a row has locked it, or will at its commit; then the reference is moved as any other."""
    said(connection, KEYED, f"{CASCADING[:-1]}{deferrable})", THREE_EACH)
    done: list[Any] = []
    refused = threading.Event()

    @event.listens_for(connection.engine, "handle_error")
    def refuse(_: object) -> None:
        refused.set()

    with transaction(engine, "INSERT INTO child VALUES (1, 12)"):
        thread = threading.Thread(
            target=lambda: done.append(in_batches(connection, surplus("k"), size=10))
        )
        thread.start()
        assert refused.wait(20)
    thread.join()
    assert done == [Deduplicated(8, (("child (ref)", 1),))]
    assert rows(connection, "SELECT * FROM child") == [(1, 4)]


SLOW_ARCHIVE = (
    """CREATE TABLE archive (id int, k text, upsert_guard_archived_at timestamptz DEFAULT now(),
                            upsert_guard_reason text, upsert_guard_kept text)""",
    "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$",
    "CREATE TRIGGER wait AFTER INSERT ON archive EXECUTE FUNCTION wait()",
)


def test_who_begins_to_refer_to_a_row_of_a_batch_waits_for_its_end(
    connection: Connection, engine: Engine
) -> None:
    """References were counted by then: it is refused as of a row that is gone, and not deleted by the cascade."""
    said(connection, KEYED, CASCADING, THREE_EACH, *SLOW_ARCHIVE)
    thread = threading.Thread(
        target=in_batches, args=(connection, surplus("k"), lambda _: None, 10)
    )
    thread.start()
    with engine.connect() as other:
        sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        while rows(other, sleeps) == [(0,)]:
            pass
        with pytest.raises(IntegrityError, match="is not present in table"):
            said(other, "INSERT INTO child VALUES (1, 12)")
    thread.join()
    assert rows(connection, "SELECT count(*) FROM archive") == [(8,)]


# -- stopped anywhere


def test_a_session_that_ends_before_any_statement_leaves_whole_batches(
    connection: Connection, engine: Engine
) -> None:
    """Before each statement in turn; the next run resumes, and no row is lost or there twice."""
    said(connection, CASCADING.replace("REFERENCES t ON DELETE CASCADE", ""), KEYED)
    statements = _stopped_before(engine, None)
    assert statements > 30
    for number in range(1, statements + 1):
        said(connection, "DROP TABLE IF EXISTS archive, child, t", KEYED, CASCADING, THREE_EACH)
        said(connection, "INSERT INTO child SELECT n, n FROM generate_series(1, 12) n")
        assert _stopped_before(engine, number) == number
        if rows(connection, "SELECT to_regclass('archive') IS NOT NULL") == [(True,)]:
            (archived,) = rows(connection, "SELECT count(*) FROM archive")[0]
            assert archived in {2, 4, 6, 8}, number
        in_batches(connection, surplus("k"))
        assert rows(connection, "SELECT * FROM t ORDER BY id") == KEPT, number
        assert rows(connection, "SELECT id FROM archive ORDER BY id") == [
            (n,) for n in range(5, 13)
        ]
        assert rows(connection, "SELECT DISTINCT ref FROM child ORDER BY 1") == [
            (n,) for n in range(1, 5)
        ]


def _stopped_before(engine: Engine, number: int | None) -> int:
    """End the session before its statement of that number; None: never. The number of statements it sent."""
    sent = 0
    with engine.connect() as connection:
        if number is None:
            said(connection, THREE_EACH)
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

        @event.listens_for(connection, "before_cursor_execute")
        def before(*_: object) -> None:
            nonlocal sent
            sent += 1
            if sent == number:
                with engine.connect() as other:
                    said(other, f"SELECT pg_terminate_backend({pid}, 5000)")

        try:
            in_batches(connection, surplus("k"))
        except SQLAlchemyError:
            assert number is not None
        else:
            assert number is None
    return sent


# -- lag


@pytest.mark.parametrize(
    ("receiver", "mark", "behind"),
    [
        (Receiver(name="s", lag=2.5, position=100), None, 2.5),
        (Receiver(name="s", lag=None, position=100), None, 0),
        (Receiver(name="s", lag=None, position=100), Mark(100, 40), 0),
        (Receiver(name="s", lag=None, position=99), Mark(100, 40), 60),
        (Receiver(name="s", lag=None, position=None), Mark(100, 40), 60),
        (Receiver(name="s", lag=70, position=99), Mark(100, 40), 70),
    ],
)
def test_a_receiver_is_as_far_behind_as_the_server_or_our_mark_says(
    receiver: Receiver, mark: Mark | None, behind: float
) -> None:
    """At 100 seconds; one that replays nothing keeps the lag that it had."""
    assert lag_of(receiver, mark, 100) == behind
