"""The shop's models, copied into a tree of their own, so that imports lead to their files."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import scan
from tests.scan.garage import Garage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alembic_upsert_guard.upserts.scan import DeclaredTables, ScanReport


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the package ``shop`` in it, which can be imported."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copytree(Path(__file__).parent / "shop", folder / "shop")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in ("shop.models", "shop"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="session")
def shop(tree: Path) -> DeclaredTables:
    """What the shop declares."""
    models = importlib.import_module("shop.models")
    return declared_tables(models.Base.metadata)


@pytest.fixture
def folder(tree: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder of this test's own, next to the package ``shop``."""
    own = tree / "services"
    own.mkdir()
    yield own
    for path in own.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(own)


@pytest.fixture
def scanned(folder: Path, shop: DeclaredTables) -> Callable[..., ScanReport]:
    """Write files into the folder, and scan it."""

    def write_and_scan(**files: str) -> ScanReport:
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
        return scan([folder], shop)

    return write_and_scan


@pytest.fixture
def garage(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Garage]:
    """One table of a model's, made in a database of this test's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Garage(tmp_path, url, monkeypatch)
    yield made
    made.dispose()
