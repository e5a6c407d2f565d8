"""A test for a project's own suite, in the manner of pytest-alembic.

``from alembic_upsert_guard.testing import test_upsert_keys_are_served`` in a test module, and in ``conftest.py`` the
fixtures that it takes; with pytest-alembic one of them is there already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .api import check_keys
from .findings import Severity, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection

__all__ = ["migrated_connection", "test_upsert_keys_are_served"]


def test_upsert_keys_are_served(
    upsert_guard_connection: Connection, upsert_guard_metadata: MetaData | Iterable[MetaData]
) -> None:
    """Every declared upsert key finds its arbiter in the database that the migrations make."""
    __tracebackhide__ = True
    findings = check_keys(upsert_guard_connection, upsert_guard_metadata)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        pytest.fail("\n".join(as_text(errors, coloured=False)), pytrace=False)


def migrated_connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Yield a connection to pytest-alembic's database, upgraded to all heads.

    :raises pytest.fail.Exception: pytest-alembic is not installed, or its ``alembic_engine`` is asynchronous.
    """
    try:
        runner = request.getfixturevalue("alembic_runner")
        engine = request.getfixturevalue("alembic_engine")
    except pytest.FixtureLookupError:
        pytest.fail(_DEFINE_ONE, pytrace=False)
    if not hasattr(engine, "begin") or hasattr(engine, "sync_engine"):
        pytest.fail(_DEFINE_ONE, pytrace=False)
    runner.migrate_up_to("heads")
    with engine.connect() as connection:
        yield connection


_DEFINE_ONE = (
    "define a fixture upsert_guard_connection in conftest.py, which yields a sqlalchemy Connection to a database that "
    "the migrations were run on; with pytest-alembic and a synchronous alembic_engine there is one"
)
