"""``docs/observed.md``: what it shows is run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.docs.test_pages import Reader, blocks

if TYPE_CHECKING:
    from pathlib import Path


def test_everything_on_the_page_happens_as_told(tmp_path: Path, url: str) -> None:
    """From the top to the end, and the file that the page shows is the one that is written."""
    reader = Reader(tmp_path, url)
    for block in blocks("observed.md"):
        reader.place = f"docs/observed.md:{block.line}"
        reader.does(block)

    written = tmp_path / ".upsert_guard" / "observed.json"
    assert document(written) == document(tmp_path / "expected.json")


def document(path: Path) -> object:
    return json.loads(path.read_text())
