"""The page names what the extra installs, each with a module of tests."""

from __future__ import annotations

import re
from pathlib import Path

from tests.neighbours.page import NEIGHBOURS, PAGE, row, with_hosts, with_rows

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def in_the_extra() -> set[str]:
    """The distributions of the extra ``neighbours``, by their names in lower case."""
    (listed,) = re.findall(
        r"^neighbours = \[\n(.*?)^\]", PYPROJECT.read_text(), re.DOTALL | re.MULTILINE
    )
    return set(re.findall(r'"([a-z0-9-]+)', listed))


def test_every_neighbour_is_in_the_extra_and_has_its_tests() -> None:
    """And none is installed that is not told of; Flask-SQLAlchemy is what Flask-Migrate's application is made with."""
    named = {neighbour.distribution.lower() for neighbour in NEIGHBOURS}
    assert in_the_extra() - {"flask-sqlalchemy"} == named
    assert all((Path(__file__).parent / neighbour.module).is_file() for neighbour in NEIGHBOURS)


def test_the_page_has_a_row_for_each() -> None:
    """With the note that stands beside the tests."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(NEIGHBOURS)
    for line, neighbour in zip(rows, NEIGHBOURS, strict=True):
        distribution, version, entry, tests, note = _cells(line)
        assert (distribution, entry) == (neighbour.distribution, neighbour.entry)
        assert re.fullmatch(r"\d[\w.]+", version)
        assert re.fullmatch(r"[1-9]\d* passed", tests)
        assert note == (neighbour.note or "none known")


def _cells(line: str) -> list[str]:
    return line.removeprefix("| ").removesuffix(" |").split(" | ")


def test_rows_are_put_in_the_place_of_rows() -> None:
    """And nothing else of the page changes."""
    page = "a\n\n| a | b | c | d | e |\n|---|---|---|---|---|\n| old |\n\nb\n"
    new = with_rows(page, [row(NEIGHBOURS[0], "1.0", 2)])
    assert new.startswith(
        "a\n\n| a | b | c | d | e |\n|---|---|---|---|---|\n| alembic-utils | 1.0 | "
    )
    assert new.endswith("2 passed | none known |\n\nb\n")


def test_the_page_says_what_it_was_run_with() -> None:
    """In a sentence of its own."""
    page = "a\n\nRun with Alembic 1 and Python 2.\n\nb\n"
    new = with_hosts(page, ["Alembic 3", "pytest 4", "Python 5"])
    assert new == "a\n\nRun with Alembic 3, pytest 4 and Python 5.\n\nb\n"
    assert with_hosts(PAGE.read_text(), ["Alembic 3", "Python 5"]) != PAGE.read_text()
