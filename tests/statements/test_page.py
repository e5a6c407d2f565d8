"""The page: its SQL is run, its commands are typed, and their output is what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_upsert_guard.cli import main
from alembic_upsert_guard.command.arguments import argument_parser

if TYPE_CHECKING:
    import pytest

    from tests.statements.conftest import Database

PAGE = (Path(__file__).parents[2] / "docs" / "statements.md").read_text()
BLOCK = re.compile(r"^```(sql|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_what_the_page_shows_is_what_is_printed(
    database: Database,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """From its first block to its last, on one database."""
    monkeypatch.chdir(tmp_path)
    shown = []
    for language, text in BLOCK.findall(PAGE):
        if language == "sql":
            database.run(*filter(None, (each.strip() for each in text.split(";\n"))))
            continue
        command, expected = text.split("\n", 1)
        words = shlex.split(command.replace('"$DATABASE_URL"', shlex.quote(database.url)))
        main(words[2:])
        assert capsys.readouterr().out == expected
        shown.append(command)
    assert len(shown) == 2


def test_the_page_names_every_option() -> None:
    """Those of ``check`` that are about records."""
    (check,) = [
        action.choices["check"]
        for action in argument_parser()._actions
        if isinstance(action.choices, dict)
    ]
    options = {option for action in check._actions for option in action.option_strings}
    records = {o for o in options if o.startswith(("--statements", "--log", "--observed"))}

    assert records == {"--statements", "--statements-from", "--log", "--log-database", "--observed"}
    assert [option for option in records if f"`{option}" not in PAGE] == []
