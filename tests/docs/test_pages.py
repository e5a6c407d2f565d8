"""Every block of the pages is run: files are written, commands typed, their output held against what the page shows.

A block's name stands behind its language: ``python models.py`` is a file of the project. ``console`` blocks are
commands after ``$``, each followed by everything that it prints; ``...`` stands for any text. ``python`` without a
name is run after the models' imports, ``sql`` on the test's database, where ``-- ERROR 42P10: text`` and ``-- 2`` are
answers.
"""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import os
import re
import shlex
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from alembic.operations import Operations
from packaging.requirements import Requirement
from sqlalchemy import create_engine

from alembic_upsert_guard.command.arguments import argument_parser
from alembic_upsert_guard.command.ignores import read_entries
from tests.project import _MODELS as MODULE
from tests.test_codes import run as run_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    "index.md",
    "tutorial.md",
    "declaring.md",
    "recipes.md",
    "how-it-works.md",
    "reference.md",
    "performance.md",
    "security.md",
    "supabase.md",
    "42p10.md",
)
"""The others have tests of their own, and matrix.md is written by a program."""

PRELUDE = MODULE.replace("{base}", "pass")


@dataclass(frozen=True)
class Block:
    """One fenced block, and the line of the page where it stands."""

    language: str
    name: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    text = (DOCS / page).read_text()
    for found in re.finditer(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield Block(*found.groups(), text[: found.start()].count("\n") + 1)


class Reader:
    """Somebody who does what a page says, in a folder and a database of their own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.names: dict[str, Any] = {}
        self.place = ""
        """The block that is done; a failure shows it."""

    def does(self, block: Block) -> None:
        """Run the block; what it does not do as told is an error."""
        if block.name:
            self.writes(block.name, block.text)
        else:
            getattr(self, f"runs_{block.language}")(block.text)

    def writes(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def runs_console(self, text: str) -> None:
        """Each command in turn, and all that it prints."""
        for typed in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, told = typed.partition("\n")
            if command.startswith("pip install "):
                installs_us(command)
            else:
                printed = self.shell(command)
                assert is_told(printed, told), f"{self.place}: $ {command}\n{printed}"

    def shell(self, command: str) -> str:
        """What the command printed, both streams; of ours the report, and not what ``env.py`` logs beside it."""
        programs = Path(sys.executable).parent
        ran = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env={
                **os.environ,
                "DATABASE_URL": self.url,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "PYTHONPATH": str(self.folder),
                "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if command.startswith("upsert-guard ") else subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ran.stdout

    def runs_sql(self, text: str) -> None:
        engine = create_engine(self.url)
        with engine.connect() as connection:
            run_sql(connection, text)
            connection.commit()
        engine.dispose()

    def runs_python(self, text: str) -> None:
        """One module a page: later blocks see what earlier ones made."""
        if not self.names:
            self._executes(PRELUDE.replace("from __future__ import annotations\n", ""))
        self._executes(text)

    def _executes(self, source: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(self.folder)
            exec(compile(source, "page", "exec", dont_inherit=True), self.names)  # noqa: S102 - it is the page's
        sys.modules.pop("models", None)

    def runs_toml(self, text: str) -> None:
        """Accepted findings, in a file of their own."""
        self.writes("accepted/pyproject.toml", text)
        assert read_entries(self.folder / "accepted" / "pyproject.toml")

    def runs_yaml(self, text: str) -> None:
        """YAML, whose lines of ours are commands."""
        assert yaml.safe_load(textwrap.dedent(text))
        for line in re.findall(r"(?:run|entry): upsert-guard (.*)", text):
            argument_parser().parse_args(shlex.split(line))


def installs_us(command: str) -> None:
    """The requirement is this distribution, with extras that it has."""
    for word in shlex.split(command)[2:]:
        requirement = Requirement(word)
        assert requirement.name == "alembic-upsert-guard"
        offered = importlib.metadata.metadata(requirement.name).get_all("Provides-Extra")
        assert requirement.extras <= set(offered or ())


def is_told(printed: str, told: str) -> bool:
    """Whether the page shows what was printed; ``...`` stands for any lines, or for any text of one."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "...\n" else ".*?".join(map(re.escape, line.split("...")))
        for line in told.splitlines(keepends=True)
    )
    return re.fullmatch(pattern, printed) is not None


@pytest.mark.parametrize("page", PAGES)
def test_everything_on_the_page_happens_as_told(page: str, tmp_path: Path, url: str) -> None:
    """From the top to the end, in one folder and one database."""
    reader = Reader(tmp_path, url)
    for block in blocks(page):
        reader.place = f"docs/{page}:{block.line}"
        reader.does(block)


def test_every_page_is_named_in_a_test() -> None:
    """Here, or where its blocks are run."""
    tests = "".join(path.read_text() for path in DOCS.parent.glob("tests/**/*.py"))
    unnamed = {path.name for path in DOCS.glob("*.md") if path.name not in tests}

    assert unnamed == set()


def test_the_changelog_is_on_the_site() -> None:
    """As it is written, beside the README."""
    assert (DOCS / "changelog.md").read_text() == '--8<-- "CHANGELOG.md"\n'
    assert (DOCS.parent / "CHANGELOG.md").is_file()


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    """Each is a page of the documentation or on the web."""
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        assert link.startswith("https://") or (DOCS / link).is_file(), link


@pytest.mark.parametrize("page", ["rows.md", "online.md"])
def test_lines_for_a_revision_are_directives(page: str) -> None:
    """With arguments that they take; what they do is in the tests of the directives."""
    calls = [
        call
        for block in blocks(page)
        if block.language == "python"
        for call in ast.walk(ast.parse(block.text))
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("op.")
    ]
    assert calls
    for call in calls:
        directive = getattr(Operations, ast.unparse(call.func).removeprefix("op."))
        keywords = {str(keyword.arg): keyword.value for keyword in call.keywords}
        inspect.signature(directive).bind(None, *call.args, **keywords)
