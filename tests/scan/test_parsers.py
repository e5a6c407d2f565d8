"""The parsers are an extra: without them there is one error, which names it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.errors import MissingParsersError, UpsertGuardError
from alembic_upsert_guard.upserts.scan import DeclaredTables, scan
from tests.test_imports import fresh

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("parser", ["postgast", "sqlglot", "tree_sitter_typescript"])
def test_without_a_parser_there_is_one_error(
    parser: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any file is read, whatever the files are."""
    for name in list(sys.modules):
        if name.startswith("alembic_upsert_guard.upserts.scan."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, parser, None)

    with pytest.raises(MissingParsersError) as raised:
        scan([tmp_path], DeclaredTables(()))

    assert str(raised.value) == (
        f"scanning needs parsers that are not installed ({parser}): pip install 'alembic-upsert-guard[scan]'"
    )
    assert isinstance(raised.value, UpsertGuardError)


def test_the_package_of_the_scanner_imports_no_parser() -> None:
    """Nor does the module that reads the models."""
    fresh("""
        import sys
        import alembic_upsert_guard.upserts.scan
        import alembic_upsert_guard.upserts.models
        assert not {"postgast", "sqlglot", "tree_sitter", "alembic"} & set(sys.modules)
    """)
