"""What is asked of each neighbour before its tests: that it is installed, or else that nobody requires it."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

import pytest

REQUIRED = "neighbours" in os.environ.get("UPSERT_GUARD_REQUIRE", "").split(",")


def needs(distribution: str) -> None:
    """Skip the module where the distribution is not installed; fail where UPSERT_GUARD_REQUIRE names ``neighbours``."""
    try:
        version(distribution)
    except PackageNotFoundError:
        reason = f"{distribution} is not installed: pip install --group neighbours"
        if REQUIRED:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason, allow_module_level=True)
