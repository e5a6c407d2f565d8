"""Files read in several processes: the same as in one, whatever becomes of the others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import (
    DeclaredTables,
    file_reader,
    scan,
    tree_reader,
    workers,
)
from alembic_upsert_guard.upserts.scan.environments import (
    ScannedEnvironment,
    ScannedEnvironments,
)
from alembic_upsert_guard.upserts.scan.file_reader import FileReader
from alembic_upsert_guard.upserts.scan.source_tree import SourceTree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no process is copied here")

NOTHING = ScannedEnvironments([ScannedEnvironment(declared=None)])
SERVICE = """\
from sqlalchemy.dialects.postgresql import insert
from keys import KEYS
insert(Account).on_conflict_do_nothing(index_elements=KEYS)
"""


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Three files that upsert, one of them broken, and what they import."""
    (tmp_path / "keys.py").write_text("KEYS = ['a', 'b']\n")
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(SERVICE)
    (tmp_path / "c.py").write_text("upsert(\n")
    return [str(tmp_path / name) for name in ("a.py", "b.py", "c.py")]


def test_processes_read_what_one_reads(paths: list[str]) -> None:
    """The upserts, the problems, and what was looked for beside the files."""
    sizes = dict.fromkeys(paths, 1)
    alone = FileReader(SourceTree(paths), NOTHING)
    expected = {path: alone.read(path) for path in paths}
    reader = FileReader(SourceTree(paths), NOTHING)
    done: list[None] = []

    found = workers.read_in_processes(reader, sizes, 2, lambda: done.append(None))

    assert found == expected
    assert len(done) == 3
    assert reader.tree.looked_up == alone.tree.looked_up
    assert reader.tree.read_files == alone.tree.read_files != {}


def test_of_very_many_files_a_process_takes_several_at_once(
    paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe takes so many numbers, and no more."""
    monkeypatch.setattr(workers, "_WAITING", 2)
    reader = FileReader(SourceTree(paths), NOTHING)

    found = workers.read_in_processes(reader, dict.fromkeys(paths, 1), 2, lambda: None)

    assert sorted(found) == paths


def test_a_process_that_ends_early_hides_nothing(
    paths: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This one reads what is left."""
    read, own = file_reader.FileReader.read, os.getpid()

    def ending(reader: FileReader, path: str) -> file_reader.Outcome:
        if path.endswith("b.py") and os.getpid() != own:
            os._exit(3)
        return read(reader, path)

    expected = scan([tmp_path], DeclaredTables(()))
    monkeypatch.setattr(tree_reader, "workers_for", lambda _: 2)
    monkeypatch.setattr(file_reader.FileReader, "read", ending)

    assert scan([tmp_path], DeclaredTables(())) == expected
    assert len(expected.upserts) == 2


def test_a_small_tree_is_worth_no_process() -> None:
    """A few hundred milliseconds of work are."""
    assert workers.workers_for(100_000) == 1
