"""A database of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from tests.served.judging import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def database(url: str, tmp_path: Path) -> Iterator[Database]:
    """This test's own database, without a table."""
    engine = create_engine(url)
    yield Database(engine, tmp_path)
    engine.dispose()
