"""docs/architecture.md shows the structure that the imports have."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture import PICTURE, floors, imports, picture

PAGE = PICTURE.with_suffix(".md")


def test_the_picture_is_drawn_from_the_imports() -> None:
    """`python -m tests.architecture` draws it again after a change of the structure."""
    assert PICTURE.read_text(encoding="utf-8") == picture()


def test_each_part_has_its_line_on_the_page() -> None:
    """A package that the page does not explain is one that a contributor finds by accident."""
    explained = set(
        re.findall(r"^\| `([a-z_]+)(?:\.py|/)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    )

    assert explained == set(imports())


def test_a_part_is_above_all_that_it_imports() -> None:
    """Imports point down only, so floors exist at all: a circle would have none."""
    edges = imports()
    floor = floors(edges)

    assert all(floor[part] > floor[each] for part, to in edges.items() for each in to)


def test_each_function_of_a_journey_exists() -> None:
    """The journeys name modules and functions of today."""
    root = Path(__file__).parents[2] / "alembic_upsert_guard"
    named = re.findall(r"`([a-z_/]+\.py): ([A-Za-z_.]+)`", PAGE.read_text(encoding="utf-8"))

    gone = [
        f"{path}: {name}"
        for path, name in named
        if not (root / path).is_file()
        or not re.search(
            rf"(?:def|class) {name.rpartition('.')[2]}\b", (root / path).read_text(encoding="utf-8")
        )
    ]

    assert len(named) > 20
    assert gone == []
