"""On the sample project ``--fix`` writes what the demo writes by hand."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sample_project
from sample_project.demo import scenes
from sample_project.demo.project import Edit
from sample_project.demo.project import Project as DemoProject

ROOT = Path(sample_project.__file__).parent

KEYS = """
import json
from alembic_upsert_guard import declared_upsert_keys
from app.models import Base
keys = declared_upsert_keys(Base.metadata)
print(json.dumps([[key.table, key.elements, key.where] for key in keys]))
"""


def written_by_hand() -> list[tuple[str, tuple[Edit, ...]]]:
    """What the scenes of the demo declare: file, lines."""
    names = {**vars(scenes), "metrics": "pattern_quality_metrics"}
    found = []
    for node in ast.walk(ast.parse(Path(scenes.__file__).read_text())):
        match node:
            case ast.Call(func=ast.Attribute(attr="declares"), args=[path, *edits]):
                values = [
                    eval(compile(ast.Expression(each), "scenes", "eval"), names)  # noqa: S307 - our own file
                    for each in (path, *edits)
                ]
                found.append((values[0], tuple(values[1:])))
    return found


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def ran(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=folder,
        env={**os.environ, "DATABASE_URL": "postgresql://nobody@/nowhere", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied(tmp_path_factory.mktemp("by_hand") / "project")
    for path, edits in written_by_hand():
        DemoProject(folder, "").add_lines(path, edits)
    return folder


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied(tmp_path_factory.mktemp("fixed") / "project")
    ran(folder, "-m", "alembic_upsert_guard", "scan", "app", "migrations", "web", "--fix")
    return folder


def test_the_same_keys(by_hand: Path, fixed: Path) -> None:
    """Each of the eight, by table, elements and predicate."""
    keys = json.loads(ran(fixed, "-c", KEYS))

    assert keys == json.loads(ran(by_hand, "-c", KEYS))
    assert len(keys) == 8


@pytest.mark.parametrize("file", ["exam_mentor.py", "lesson_progress.py", "pattern_quality.py"])
def test_the_same_text(by_hand: Path, fixed: Path, file: str) -> None:
    """To the byte, but for names and the meaning of NULL, which only a person knows."""
    models = Path("app", "models", file)
    hand = (by_hand / models).read_text()

    for known in (', nulls="distinct"', ', name="pattern_quality_metrics_pattern_id_unique"'):
        hand = hand.replace(known, "")
    assert (fixed / models).read_text() == hand


def test_the_formatter_has_nothing_to_do(fixed: Path) -> None:
    """Ruff leaves each changed file as it is, and its imports are sorted."""
    for command in (["format", "--check"], ["check", "--select", "I"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length=100"]
        done = subprocess.run(
            [*ruff, "app"], cwd=fixed, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_the_next_scan_is_clean(fixed: Path) -> None:
    """Without a warning."""
    scan = ["-m", "alembic_upsert_guard", "scan", "app", "migrations", "web", "--strict"]

    assert "nothing to do" in ran(fixed, *scan)
