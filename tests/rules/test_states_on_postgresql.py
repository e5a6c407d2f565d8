"""PostgreSQL's rules of what state an arbiter may be in: deferrable, invalid, altered since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tests.rules.answers import PostgreSQLRules
from tests.rules.ddl import UQ_AB, T

if TYPE_CHECKING:
    from collections.abc import Iterator

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
