"""What a stranger types, from `pip install` to the first true finding: two commands, with models and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from tests.strangers import ROOT, STRANGERS, Stranger, built_wheel, walk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is uploaded."""
    if not (ROOT / "alembic_upsert_guard").is_dir():
        pytest.skip("the source of the package is not beside the tests")
    return built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda stranger: stranger.name)
def test_two_commands_lead_to_the_first_finding(
    stranger: Stranger, tmp_path: Path, wheel: Path, url: str
) -> None:
    """pip installs all that the second command needs; with models that is neither a configuration nor a database."""
    if stranger.schema:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(stranger.schema)
        engine.dispose()

    installed, *rest = walk(stranger, tmp_path, wheel, url)

    assert installed.code == 0, installed.printed
    (last,) = rest
    assert last.code == 1, last.printed
    for line in stranger.found:
        assert line in last.printed
