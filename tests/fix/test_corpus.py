"""Every shape of the corpus: what is written, that it imports and is clean, that a second run changes nothing."""

from __future__ import annotations

import difflib
import gc
import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.edits import left_after, plan_declarations, write_edits
from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import Resolution, ScanReport, scan
from tests.fix.corpus import Shape, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import MetaData

SHAPES = shapes()
WRITTEN = [shape for shape in SHAPES if not shape.left]
MODELLED = [shape for shape in WRITTEN if shape.title.startswith("modelled: ")][:3]
"""The last one has a target that nothing serves."""
REFUSED = [shape for shape in SHAPES if shape.left]


@contextmanager
def loaded(folder: Path) -> Iterator[MetaData]:
    """The models of the folder, imported anew; they are forgotten afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        base = importlib.import_module("models").Base
        yield base.metadata
    finally:
        sys.path.remove(str(folder))
        if "sqlmodel" in sys.modules:
            sys.modules["sqlmodel"].SQLModel.metadata.clear()
        for name in set(sys.modules) - before:
            path = getattr(sys.modules[name], "__file__", None) or ""
            if Path(path).parent == folder:
                del sys.modules[name]
        if "sqlmodel" in sys.modules:
            gc.collect()  # its registry is one for all, and has each class until it is collected


def scanned(folder: Path, metadata: MetaData) -> ScanReport:
    return scan([folder], declared_tables(metadata))


def fixed(folder: Path, *, primary_keys: bool = False) -> ScanReport:
    """What is left after ``--fix``; with `primary_keys`, ``--fix --strict``."""
    with loaded(folder) as metadata:
        report = scanned(folder, metadata)
        models = declared_tables(metadata)
        edits = plan_declarations(
            report.findings, report, models, [metadata], primary_keys=primary_keys
        )
        return left_after(write_edits(edits), report)


@pytest.fixture(autouse=True)
def no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is changed within a second is imported anew."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def named(shape: Shape) -> str:
    return shape.title


@pytest.mark.parametrize("shape", WRITTEN, ids=named)
def test_the_declarations_are_written(shape: Shape, tmp_path: Path) -> None:
    """As the corpus has them, and nothing is left to report."""
    models = shape.write(tmp_path)

    left = fixed(tmp_path)

    assert models.read_text() == shape.after
    assert left.findings == ()
    assert {judged.resolution for judged in left.upserts} == {Resolution.DECLARED}


@pytest.mark.parametrize("shape", WRITTEN, ids=named)
def test_the_next_scan_is_clean(shape: Shape, tmp_path: Path) -> None:
    """The changed models import, and declare each upsert; a second run writes nothing."""
    models = shape.write(tmp_path)
    models.write_text(shape.after)

    with loaded(tmp_path) as metadata:
        report = scanned(tmp_path, metadata)
        edits = plan_declarations(report.findings, report, declared_tables(metadata), [metadata])

    assert report.findings == ()
    assert {judged.resolution for judged in report.upserts} == {Resolution.DECLARED}
    assert edits.files == ()


@pytest.mark.parametrize("shape", MODELLED, ids=named)
def test_a_key_points_at_what_serves_it(shape: Shape, tmp_path: Path) -> None:
    """So that the next revision has nothing to create: no table gains a constraint or index."""
    shape.write(tmp_path)
    with loaded(tmp_path) as metadata:
        before = arbiters(metadata)
    (tmp_path / "models.py").write_text(shape.after)

    with loaded(tmp_path) as metadata:
        assert arbiters(metadata) == before


def arbiters(metadata: MetaData) -> dict[str, int]:
    """How many constraints and indexes each table has."""
    return {t.fullname: len(t.constraints) + len(t.indexes) for t in metadata.tables.values()}


@pytest.mark.parametrize("shape", WRITTEN, ids=named)
def test_nothing_is_taken_away(shape: Shape) -> None:
    """Each character of the file is there afterwards, in its order: text is inserted, and none is replaced."""
    matcher = difflib.SequenceMatcher(None, shape.before, shape.after, autojunk=False)
    operations = {tag for tag, *_ in matcher.get_opcodes()}

    assert operations <= {"equal", "insert"}


@pytest.mark.parametrize("shape", REFUSED, ids=named)
def test_what_is_not_safe_is_named(shape: Shape, tmp_path: Path) -> None:
    """The file stays as it is; the finding has the line to paste, its place and the reason."""
    models = shape.write(tmp_path)

    left = fixed(tmp_path)

    assert models.read_text() == shape.before
    hints = list(dict.fromkeys(f.hint.replace(f"{tmp_path}/", "") for f in left.findings))
    assert hints == [
        "write {}; --fix leaves that to you: {}".format(*line.split("; ", 1)) for line in shape.left
    ]


def test_the_corpus_is_large() -> None:
    """At least 30 shapes that are written, 10 that are not, and none twice."""
    assert len(WRITTEN) >= 30
    assert len(REFUSED) >= 10
    assert len({shape.title for shape in SHAPES}) == len(SHAPES)
