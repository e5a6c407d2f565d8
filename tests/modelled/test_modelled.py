"""A fixed small part of the generated pairs; any number by ``python -m tests.modelled``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine

from .agreement import Tally, check

if TYPE_CHECKING:
    import pytest


def test_what_the_models_serve_is_what_the_upsert_does(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modelled and declared exactly where the real upsert succeeds, undeclared where it fails."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    engine = create_engine(url)
    tally = Tally()
    with engine.connect() as connection:
        check(connection, tally, size=200, seed=5)
    engine.dispose()

    assert tally.contradicted == []
    resolutions = {resolution for resolution, _ in tally.outcomes}
    assert resolutions == {"declared", "modelled", "undeclared", "unresolved"}
    doubtful = sum(n for (resolution, _), n in tally.outcomes.items() if resolution == "unresolved")
    assert doubtful < tally.pairs / 8
