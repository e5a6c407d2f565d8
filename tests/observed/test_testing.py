"""The test that a project imports, and the function that it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table

from alembic_upsert_guard import Finding, UpsertKey, check_keys
from tests.observed.accounts import engine_of

if TYPE_CHECKING:
    from tests.observed.suites import Suite

CONFTEST = """
import pytest
from app import Base, engine
from alembic_upsert_guard import declare_upsert_key

declare_upsert_key(Base.metadata.tables["accounts"], {key})

@pytest.fixture
def upsert_guard_connection():
    with engine.connect() as connection:
        yield connection

@pytest.fixture
def upsert_guard_metadata():
    return Base.metadata
"""
IMPORTED = "from alembic_upsert_guard.testing import test_upsert_keys_are_served\n"


def declared(*elements: str) -> MetaData:
    metadata = MetaData()
    columns = [Column(name, String(50), nullable=False) for name in ("email", "name", "status")]
    Table(
        "accounts",
        metadata,
        Column("id", Integer, primary_key=True),
        *columns,
        UpsertKey(*elements),
    )
    return metadata


def test_check_keys_returns_findings(postgresql_url: str) -> None:
    """What the command reports, as values; none for a key that is served."""
    with engine_of(postgresql_url).connect() as connection:
        (finding,) = check_keys(connection, declared("email", "status"))
        none = check_keys(connection, [declared("email")])

    assert isinstance(finding, Finding)
    assert (finding.code, finding.severity, finding.table) == (
        "missing-arbiter",
        "error",
        "accounts",
    )
    assert finding.elements == ("email", "status")
    assert none == ()


def test_check_keys_reads_rows_where_it_is_asked_to(postgresql_url: str) -> None:
    """Rows that break a key that nothing serves."""
    with engine_of(postgresql_url).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO accounts VALUES (1, 'a', 'n', 's'), (2, 'b', 'm', 's')"
        )
        codes = [
            {f.code.value for f in check_keys(connection, declared("status"), rows=r)}
            for r in (False, True)
        ]

    assert codes == [{"missing-arbiter"}, {"missing-arbiter", "duplicate-rows"}]


@pytest.mark.parametrize(("key", "code"), [('"email"', 0), ('"email", "id"', 1)])
def test_the_imported_test_fails_where_a_key_is_not_served(
    suite: Suite, key: str, code: int
) -> None:
    """With the lines of the command; and passes where all are."""
    suite.write("conftest.py", CONFTEST.format(key=key))
    ran = suite.run(tests=IMPORTED)

    assert ran.code == code, ran.text
    assert ("error[missing-arbiter]: upsert key accounts (" in ran.text) is bool(code)


def test_without_a_connection_it_says_which_fixture_to_define(suite: Suite) -> None:
    """pytest-alembic is not used here."""
    suite.write(
        "conftest.py",
        CONFTEST.format(key='"email"').replace("def upsert_guard_connection", "def other"),
    )
    ran = suite.run("-p", "no:pytest_alembic", tests=IMPORTED)

    assert ran.code == 1
    assert "define a fixture upsert_guard_connection in conftest.py" in ran.text
