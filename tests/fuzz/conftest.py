"""An engine on this test's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine on this test's own database."""
    made = create_engine(url)
    yield made
    made.dispose()
