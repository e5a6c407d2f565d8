"""One root for every exception, so that one ``except`` catches them all."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import alembic_upsert_guard
from alembic_upsert_guard.errors import HiddenRowsError, UpsertGuardError


def test_every_exception_has_the_root() -> None:
    """Those that a module keeps to itself too: what gets out of it by a fault of ours is caught with the others."""
    others = []
    for found in pkgutil.walk_packages(alembic_upsert_guard.__path__, "alembic_upsert_guard."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        others += [
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and issubclass(value, Exception)
            and value.__module__ == found.name
            and not issubclass(value, UpsertGuardError)
        ]

    assert others == []


def test_hidden_rows_are_reported_as_fact_and_hint() -> None:
    """The check takes the fact, and what an upgrade would have to do stays out of it."""
    error = HiddenRowsError("rows are hidden", "run the upgrade as the owner")

    assert (error.fact, str(error)) == (
        "rows are hidden",
        "rows are hidden. Run the upgrade as the owner",
    )
