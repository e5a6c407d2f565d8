"""A throw-away copy of the project, where models may be edited and revisions generated."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .errors import NotAsToldError

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGINAL = Path(__file__).parents[1]
GUARD_LOGGER = "alembic.autogenerate.upsert_guard"


@dataclass(frozen=True)
class Edit:
    """Lines to add to a file beside a line that stands in it exactly once."""

    anchor: str
    lines: tuple[str, ...]
    is_above: bool


def above(anchor: str, *lines: str) -> Edit:
    return Edit(anchor, lines, is_above=True)


def below(anchor: str, *lines: str) -> Edit:
    return Edit(anchor, lines, is_above=False)


@dataclass(frozen=True)
class Outcome:
    """What a run of `alembic`, or of `upsert-guard`, left."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def failure(self) -> str:
        """What it says behind FAILED; empty where it did not fail."""
        return self.stdout.partition("FAILED: ")[2].strip()

    def logged(self, *mentioned: str) -> list[str]:
        """What the guard logged that says all of this, a line each."""
        marker = f"[{GUARD_LOGGER}] "
        said = [line.partition(marker)[2] for line in self.stderr.splitlines() if marker in line]
        return [line for line in said if all(text in line for text in mentioned)]


@dataclass(frozen=True)
class Project:
    root: Path
    database_url: str

    def alembic(self, *arguments: str) -> Outcome:
        return self._run("alembic", *arguments)

    def guard(self, *arguments: str) -> Outcome:
        """What ``upsert-guard`` left."""
        return self._run("alembic_upsert_guard.cli", *arguments)

    def _run(self, module: str, *arguments: str) -> Outcome:
        finished = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env=os.environ | {"DATABASE_URL": self.database_url, "PYTHONIOENCODING": "utf-8"},
            # on a terminal Alembic would fold the report to its width
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Outcome(finished.returncode, finished.stdout, finished.stderr)

    def add_lines(self, path: str, edits: tuple[Edit, ...]) -> None:
        """The file at that path has all the lines.

        :raises NotAsToldError: where an anchor stands there never, or more than once.
        """
        file = self.root / path
        lines = file.read_text(encoding="utf-8").splitlines()
        for edit in edits:
            times = lines.count(edit.anchor)
            if times != 1:
                raise NotAsToldError(
                    f"lines are added to {path}",
                    expected=f"once, this line: {edit.anchor}",
                    came=f"{times} times",
                )
            position = lines.index(edit.anchor) + (0 if edit.is_above else 1)
            lines[position:position] = edit.lines
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def uncomment(self, revision: Path, *lines: str) -> None:
        """The lines are code in the revision, each where it stood as a comment.

        :raises NotAsToldError: where one stood there never, or more than once.
        """
        source = revision.read_text(encoding="utf-8")
        for line in lines:
            times = source.count(f"# {line}\n")
            if times != 1:
                raise NotAsToldError(
                    "the offered lines are uncommented",
                    expected=f"once, this comment: # {line}",
                    came=f"{times} times in\n{source}",
                )
            source = source.replace(f"# {line}\n", f"{line}\n")
        revision.write_text(source, encoding="utf-8")

    def revisions(self) -> set[Path]:
        return set(self.root.glob("migrations/versions/*.py"))


def upgrade_in(revision: Path) -> str:
    """The source of its `upgrade()`, without Alembic's own markers."""
    source = revision.read_text(encoding="utf-8")
    upgrade = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    lines = source.splitlines()[upgrade.lineno - 1 : upgrade.end_lineno]
    return "\n".join(line for line in lines if "# ###" not in line)


def lines_of(path: str, first: str, last: str = "", *, within: str = "") -> list[str]:
    """The lines of the application between those two texts: what is shown is what is run.

    :param last: empty: the first line alone.
    :param within: a text further up, to look below of.
    :raises NotAsToldError: where the application does not hold them in that order.
    """
    lines = (ORIGINAL / path).read_text(encoding="utf-8").splitlines()
    found = [0]
    for text in (within, first, last):
        below_here = range(found[-1], len(lines))
        position = next((number for number in below_here if text in lines[number]), None)
        if position is None:
            raise NotAsToldError(
                f"{path} is quoted",
                expected=f"from line {found[-1] + 1} on: {text}",
                came="no such line",
            )
        found.append(position)
    return lines[found[-2] : found[-1] + 1]


@contextmanager
def throw_away_copy(database_url: str) -> Iterator[Project]:
    with TemporaryDirectory(prefix="sample-project-") as folder:
        root = Path(folder) / "project"
        shutil.copytree(ORIGINAL, root, ignore=shutil.ignore_patterns("__pycache__", "demo"))
        yield Project(root, database_url)
