"""The hooks, run by pre-commit itself: the block of the recipes, and this repository as the source."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECIPES = (ROOT / "docs" / "recipes.md").read_text()
IN_THE_PROJECT, IN_ITS_OWN = re.findall(r"```yaml\n(repos:.*?)```", RECIPES, re.DOTALL)

MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table
from alembic_upsert_guard import UpsertKey
metadata = MetaData()
Table("answers", metadata, Column("id", Integer, primary_key=True), Column("question", Integer), UpsertKey("question"))
"""
ENV = """
from alembic import context
from models import metadata
context.configure(url="sqlite://", target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
"""
SERVICE = """
from models import metadata
from sqlalchemy.dialects.sqlite import insert
answers = metadata.tables["answers"]
statement = insert(answers).on_conflict_do_nothing(index_elements=["question"])
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("pre_commit") is None or shutil.which("git") is None,
        reason="pre-commit or git is not installed: pip install --group test",
    ),
]


class Repository:
    """A project under git, as pre-commit sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "migrations").mkdir()
        self.writes("alembic.ini", "[alembic]\nscript_location = %(here)s/migrations\n")
        self.writes("migrations/env.py", ENV)
        self.writes("models.py", MODELS)
        self.writes("service.py", SERVICE)
        self.git("init", "--quiet")

    def writes(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def git(self, *words: str) -> str:
        return self.runs("git", "-c", "user.name=a", "-c", "user.email=a@b", *words).stdout.strip()

    def runs(self, *words: str) -> subprocess.CompletedProcess[str]:
        # a hook of ours that runs this test has its own idea of where the repository is
        outer = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(
            words,
            cwd=self.folder,
            env={
                **outer,
                "PATH": f"{Path(sys.executable).parent}:{outer['PATH']}",
                "PYTHONPATH": str(self.folder),
                "PRE_COMMIT_HOME": str(self.folder.parent / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def hook(self) -> tuple[int, str]:
        """The code of a run on all files, and what was printed."""
        self.git("add", "--all")
        ran = self.runs(sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose")
        return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


def test_the_hook_in_the_project(repository: Repository) -> None:
    """As the recipe has it: green, and red for the upsert that a declaration is taken from."""
    repository.writes(".pre-commit-config.yaml", IN_THE_PROJECT)
    code, printed = repository.hook()
    assert code == 0, printed
    assert "nothing to do" in printed

    repository.writes("models.py", MODELS.replace(', UpsertKey("question")', ""))
    code, printed = repository.hook()
    assert code == 1, printed
    assert "undeclared-upsert" in printed


def test_the_hook_in_its_own_environment(repository: Repository, tmp_path: Path) -> None:
    """From a repository of this package, with the requirements that the recipe names."""
    if not (ROOT / "alembic_upsert_guard").is_dir():
        pytest.skip("these are the tests of a wheel: its source is not here")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("alembic_upsert_guard", "docs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, source)
    from_source = Repository(tmp_path / "scratch")
    from_source.folder = source
    from_source.git("init", "--quiet")
    from_source.git("add", "--all")
    from_source.git("commit", "--quiet", "-m", "released")
    block = re.sub(r"repo: \S+", f"repo: {source}", IN_ITS_OWN)
    block = block.replace("v0.1.0", from_source.git("rev-parse", "HEAD"))
    repository.writes(".pre-commit-config.yaml", block.replace("psycopg2-binary", "sqlalchemy"))

    code, printed = repository.hook()

    assert code == 0, printed
    assert "nothing to do" in printed
