"""On which lines of a Python file reading begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import scan
from alembic_upsert_guard.upserts.scan.python.evidence import evidence_lines
from alembic_upsert_guard.upserts.scan.python.word_lines import WordLines

if TYPE_CHECKING:
    from pathlib import Path

METHODS = frozenset({"insert_rows", "on_conflict_do_nothing", "upsert"})


@pytest.mark.parametrize(
    "line",
    [
        "x.upsert(y)",
        "x.insert_rows(y)",
        "x.on_conflict_do_nothing()",
        'y = "INSERT INTO t"',
        'y = "INSERT"',
        'y = "\\nINSERT\\nINTO t"',
        'y = "ON DUPLICATE KEY"',
    ],
)
def test_a_call_or_a_piece_of_sql_is_evidence(line: str) -> None:
    """It may be an upsert, or a part of one."""
    assert lines_of(line) == [1]


@pytest.mark.parametrize("line", ["x.upsert_session(y)", "rows.insert(0, y)", "x.inserted = 1"])
def test_another_name_with_the_word_in_it_is_none(line: str) -> None:
    """A name that no library's method has leads to nothing."""
    assert lines_of(line) == []


def test_every_name_counts_beside_pandas() -> None:
    """The function that ``to_sql`` inserts by can have any name."""
    assert lines_of("def my_upsert(x): ...\ny.to_sql(method=my_upsert)") == [1, 2]


def test_nothing_is_known_of_lines_that_end_otherwise() -> None:
    """All statements are looked at then."""
    assert lines_of("x = 1\rx.upsert(y)") is None


def test_a_function_is_read_whose_words_are_in_two_statements(tmp_path: Path) -> None:
    """The INSERT is evidence beside no conflict."""
    (tmp_path / "f.py").write_text(
        "def write(cursor):\n"
        f"    {'x = 1; ' * 100}\n"
        '    head = "INSERT INTO t (a)"\n'
        "    cursor.execute(head + tail())\n"
        "def tail():\n"
        '    return " SELECT 1 WHERE NOT EXISTS (SELECT FROM t WHERE a = 1)"\n'
    )
    assert len(scan([tmp_path], None).upserts) == 1


def lines_of(source: str) -> list[int] | None:
    """The lines of evidence."""
    found = evidence_lines(WordLines(source.encode()), METHODS)
    return None if found is None else list(found)
