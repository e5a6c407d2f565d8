"""Partitions that extensions keep: TimescaleDB and Citus, by stand-ins that have their names, catalogs and ownership.

No server with either is here. The stand-ins are real extensions to PostgreSQL, which 18 takes from any folder; what
they create is as in the sources of TimescaleDB 2 and Citus 12, as far as it is read.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.catalog.postgresql import read
from alembic_upsert_guard.catalog.reading import execute
from alembic_upsert_guard.findings.shortfalls import shortfall_fact, unmakeable_fact
from alembic_upsert_guard.inference import Code, ConflictTarget, Element, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_upsert_guard.inference import Verdict
    from tests.rules.answers import PostgreSQLRules

pytestmark = pytest.mark.since(18)

STAND_INS = {
    "timescaledb": """
        CREATE SCHEMA _timescaledb_catalog;
        CREATE TABLE _timescaledb_catalog.hypertable (
            id serial PRIMARY KEY, schema_name name NOT NULL, table_name name NOT NULL, num_dimensions smallint);
        CREATE TABLE _timescaledb_catalog.dimension (
            id serial PRIMARY KEY, hypertable_id integer NOT NULL, column_name name NOT NULL, column_type regtype,
            num_slices smallint);
    """,
    "citus": """
        CREATE SCHEMA citus;
        CREATE TABLE citus.pg_dist_partition (
            logicalrelid regclass NOT NULL, partmethod "char" NOT NULL, partkey text, colocationid integer);
        ALTER TABLE citus.pg_dist_partition SET SCHEMA pg_catalog;
        CREATE FUNCTION pg_catalog.column_to_column_name(table_name regclass, column_var_text text) RETURNS text
            LANGUAGE sql STRICT AS $$ SELECT pg_catalog.split_part(column_var_text, ' ', 3) $$;
    """,
}
"""A Var of Citus' is a node of the parser's; the stand-in keeps the column's name in it."""

TABLE = "CREATE TABLE t (time timestamptz NOT NULL, device int NOT NULL, site int NOT NULL)"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder of extensions that the server's user can read."""
    folder = Path(tempfile.mkdtemp(prefix="guard"))
    (folder / "extension").mkdir()
    for name, script in STAND_INS.items():
        control = "default_version = '1.0'\nrelocatable = false\n"
        (folder / "extension" / f"{name}.control").write_text(control)
        (folder / "extension" / f"{name}--1.0.sql").write_text(script)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    yield folder
    shutil.rmtree(folder)


def create(pg: PostgreSQLRules, folder: Path, extension: str) -> None:
    execute(pg.connection, f"SET LOCAL extension_control_path = '{folder}:$system'")
    try:
        execute(pg.connection, f"CREATE EXTENSION {extension}")
    except DBAPIError as error:
        pytest.skip(f"the server takes no extension from a folder of the test: {error.orig}")
    execute(pg.connection, TABLE)


def verdict(pg: PostgreSQLRules, *columns: str, index: str = "") -> Verdict:
    """What is made of a target of columns."""
    if index:
        execute(pg.connection, f"CREATE UNIQUE INDEX i ON t ({index})")
    table = TableName(None, "t")
    offered = read(pg.connection, [table])[table]
    return judge(ConflictTarget(tuple(map(Element, columns))), offered.candidates, offered.traits)


def hypertable(pg: PostgreSQLRules, *dimensions: str) -> None:
    execute(
        pg.connection,
        "INSERT INTO _timescaledb_catalog.hypertable VALUES (7, 'public', 't', 1)",
    )
    for dimension in dimensions:
        execute(
            pg.connection,
            "INSERT INTO _timescaledb_catalog.dimension (hypertable_id, column_name) "
            f"VALUES (7, '{dimension}')",
        )


def distributed(pg: PostgreSQLRules, method: str) -> None:
    execute(
        pg.connection,
        f"INSERT INTO pg_catalog.pg_dist_partition VALUES ('t', '{method}', '{{VAR :name site }}', 1)",
    )


def test_a_hypertable_asks_for_its_time_column(pg: PostgreSQLRules, folder: Path) -> None:
    """Nothing unique can be made without it, and whose rule that is, is said."""
    create(pg, folder, "timescaledb")
    hypertable(pg, "time")
    found = verdict(pg, "device").shortfall

    assert found is not None
    assert (found.code, found.columns) == (Code.PARTITION_KEY_MISSING, ("time",))
    target = ConflictTarget((Element("device"),))
    assert shortfall_fact(target, found).startswith(
        "the table is partitioned by time (TimescaleDB), which the key lacks"
    )
    assert "TimescaleDB makes no such index (TS103)" in unmakeable_fact(target, found)


def test_all_dimensions_of_a_hypertable_count(pg: PostgreSQLRules, folder: Path) -> None:
    """One of two is not enough."""
    create(pg, folder, "timescaledb")
    hypertable(pg, "time", "device")
    found = verdict(pg, "time", "site").shortfall

    assert found is not None
    assert found.columns == ("device",)


def test_a_key_with_the_time_column_is_served(pg: PostgreSQLRules, folder: Path) -> None:
    """The twin: one column more, and an index on the two."""
    create(pg, folder, "timescaledb")
    hypertable(pg, "time")

    assert [c.name for c in verdict(pg, "device", "time", index="device, time").arbiters] == ["i"]


def test_another_table_of_the_database_asks_for_nothing(pg: PostgreSQLRules, folder: Path) -> None:
    """The extension is there, and the table is none of its own."""
    create(pg, folder, "timescaledb")
    found = verdict(pg, "device").shortfall

    assert found is not None
    assert found.code is Code.MISSING_ARBITER


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("h", Code.PARTITION_KEY_MISSING),
        ("r", Code.PARTITION_KEY_MISSING),
        ("a", Code.MISSING_ARBITER),
        ("n", Code.MISSING_ARBITER),
    ],
)
def test_a_distributed_table_asks_for_its_distribution_column(
    pg: PostgreSQLRules, folder: Path, method: str, code: Code
) -> None:
    """By hash and by range; neither by append nor where each node has all of it."""
    create(pg, folder, "citus")
    distributed(pg, method)
    found = verdict(pg, "device").shortfall

    assert found is not None
    assert found.code is code
    assert found.partitioner == ("Citus" if code is Code.PARTITION_KEY_MISSING else None)


def test_a_catalog_that_is_not_the_extensions_is_not_read(
    pg: PostgreSQLRules, folder: Path
) -> None:
    """Anybody may have created a table of its name."""
    create(pg, folder, "timescaledb")
    hypertable(pg, "time")
    execute(pg.connection, "ALTER EXTENSION timescaledb DROP TABLE _timescaledb_catalog.dimension")
    found = verdict(pg, "device").shortfall

    assert found is not None
    assert found.code is Code.MISSING_ARBITER
