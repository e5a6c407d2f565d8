"""A database made by a script, and what is said of its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from alembic_upsert_guard.upserts.functions import judge_functions
from tests.functions.judging import Database

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """This test's own database, without a table."""
    engine = create_engine(url)
    yield Database(engine, judge_functions)
    engine.dispose()
