"""What sets attributes is found in the bytes of every file, whatever else is in these."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import DeclaredTables, scan

if TYPE_CHECKING:
    from pathlib import Path

KEYS = "class Keys:\n    TABLE = 'accounts'\n"
SAVE = "from keys import Keys\nSQL = f'INSERT INTO {Keys.TABLE} (a) VALUES (1) ON CONFLICT DO NOTHING'\n"


@pytest.mark.parametrize("part", [".a:b;", "a.b=c;", ".a: ", "a.b.c", ". a ="])
def test_a_long_line_is_gone_through_once(tmp_path: Path, part: str) -> None:
    """Such as the style sheet of a page in a string."""
    (tmp_path / "keys.py").write_text(KEYS)
    (tmp_path / "save.py").write_text(SAVE)
    (tmp_path / "page.py").write_text(f"PAGE = 1\nSTYLE = '{part * 30_000}'\n")
    begun = process_time()

    report = scan([tmp_path], DeclaredTables(()))

    assert [judged.upsert.table_name for judged in report.upserts] == ["accounts"]
    assert process_time() - begun < 5
