"""docs/command.md, run as it is; and the hooks that it shows."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from alembic_upsert_guard.command.arguments import argument_parser
from alembic_upsert_guard.command.ignores import read_entries
from tests.cli.commands import guard
from tests.docs.test_pages import is_told

if TYPE_CHECKING:
    from tests.project import Project, Ran

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "command.md").read_text()


def blocks(language: str) -> list[str]:
    """The page's fenced blocks of a language, in its order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def set_up(project: Project) -> None:
    models, service = blocks("python")
    project.models(textwrap.indent(models, "    "))
    project.sql(*filter(str.strip, blocks("sql")[0].split(";\n")))
    (project.path / "mistakes.py").write_text(service)


def run_of(project: Project, block: str) -> tuple[Ran, str]:
    """What the command printed, and what the page says of it."""
    prompt, _, shown = block.partition("\n")
    return guard(project, *shlex.split(prompt.removeprefix("$ upsert-guard "))), shown


def test_the_examples_print_what_the_page_says(project: Project) -> None:
    """Standard output, to the letter where the page has no ``...``; the last one suppresses everything."""
    set_up(project)
    for block in blocks("console"):
        ran, shown = run_of(project, block)
        assert is_told(ran.out, shown), block
    assert read_entries(project.path / "pyproject.toml")
    assert guard(project, "check", "--rows", "--strict").code == 0


def test_the_entry_of_the_page_suppresses(project: Project) -> None:
    """The TOML of the page suppresses the finding that it shows."""
    set_up(project)
    (project.path / "pyproject.toml").write_text(blocks("toml")[0])
    assert guard(project, "check", "--strict").code == 0


def test_every_command_and_option_is_on_the_page() -> None:
    """And no option that is not there."""
    usage = argument_parser().format_help() + "".join(
        parser.format_help()
        for action in argument_parser()._actions
        for parser in (action.choices.values() if isinstance(action.choices, dict) else ())
    )
    options = set(re.findall(r"--[a-z]+", usage)) - {"--help", "--config", "--name"}
    assert all(f"{option}" in PAGE for option in options)
    shown = "\n".join(line for line in PAGE.splitlines() if "upsert-guard " in line)
    assert set(re.findall(r"(?<= )--[a-z]+", shown)) <= options | {"--sql"}


@pytest.mark.parametrize("example", blocks("yaml"))
def test_the_examples_for_ci_are_commands(example: str) -> None:
    """YAML, and every line of ours is one that the command takes."""
    assert yaml.safe_load(textwrap.dedent(example))
    for line in re.findall(r"(?:run|entry): upsert-guard (.*)", example):
        argument_parser().parse_args(shlex.split(line))


def test_the_hooks_are_commands() -> None:
    """The ids of the page, and what they run."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["upsert-guard-scan", "upsert-guard-check"]
    for hook in hooks:
        assert f"`{hook['id']}`" in PAGE
        assert hook["language"] == "python"
        assert not hook["pass_filenames"]
        command, *arguments = shlex.split(hook["entry"])
        assert command == "upsert-guard"
        argument_parser().parse_args([*arguments, *hook.get("args", [])])
    assert hooks[0]["additional_dependencies"] == [".[scan]"]


def test_links_lead_somewhere() -> None:
    """Each is a page of the documentation or on the web."""
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        page = link.partition("#")[0]
        assert link.startswith("https://") or (ROOT / "docs" / page).exists()
