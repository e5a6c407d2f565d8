"""Where a source may set an attribute, by its bytes: held against what the parser says."""

from __future__ import annotations

import ast
import sysconfig
from collections import defaultdict
from pathlib import Path

import pytest

from alembic_upsert_guard.upserts.scan.python.attribute_targets import attribute_targets
from alembic_upsert_guard.upserts.scan.python.word_lines import WordLines

STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))


@pytest.mark.parametrize(
    "source",
    [
        "x.key = 1",
        "x.key = y.key = 1",
        "x . key = 1",
        "x.key: int = 1",
        "x.key += 1",
        "x.key //= 1",
        "x.key >>= 1",
        "x.key, y = z",
        "(y, x.key) = z",
        "[y, *x.key] = z",
        "(\n    y,\n    x.key  # why\n) = z",
        "(x.\n key) = 1",
        "(x.  # why\n key) = 1",
        "x.key \\\n = 1",
        "for x.key in y: pass",
        "with y as x.key: pass",
        "with (y as x.key, z): pass",
        "del x.key",
        "del y, \\\n x.key",
        "del " + "y, " * 100 + "x.key",
    ],
)
def test_an_attribute_that_is_set_is_found(source: str) -> None:
    """Each form of a target is found, on its line."""
    assert set_by_parser(ast.parse(source))["key"] <= set(lines_of(source) or ())


@pytest.mark.parametrize(
    "source",
    [
        "y = x.key",
        "x.key.other = 1",
        "x.key(1)",
        "x.key[0] = 1",
        "x.key == 1",
        "x.keys = 1",
        "x.a_key = 1",
        "key = 1",
        "if x.key is None:\n    y = 1",
        "y = x.key\nz = 1",
        "f(key=1)",
    ],
)
def test_an_attribute_that_is_read_is_left_out(source: str) -> None:
    """Most of what only reads an attribute, or is another name, is no candidate."""
    assert lines_of(source) == ()


def test_a_comprehension_that_sets_an_attribute_is_found() -> None:
    """What nobody writes is not missed."""
    source = b"[1 for x.key in y]"
    assert attribute_targets(source, WordLines(source), "key").in_comprehension


@pytest.mark.parametrize("attribute", ["schlüssel", "key"])
def test_lines_that_are_not_known_may_be_any(attribute: str) -> None:
    """Names beyond ASCII, and lines that end in another way, are not known by their bytes."""
    source = f"x.{attribute} = 1\ry = 1\n".encode()
    assert attribute_targets(source, WordLines(source), attribute).lines is None


@pytest.mark.parametrize("package", ["asyncio", "email", "http", "json", "unittest", "xml"])
def test_everything_that_the_standard_library_sets_is_found(package: str) -> None:
    """For every attribute that the parser says is set, in real code."""
    for path in (STANDARD_LIBRARY / package).rglob("*.py"):
        source = path.read_bytes()
        lines = WordLines(source)
        for attribute, wanted in set_by_parser(ast.parse(source)).items():
            found = attribute_targets(source, lines, attribute).lines
            assert found is None or wanted <= set(found), (path, attribute)


def lines_of(source: str) -> tuple[int, ...] | None:
    """The lines on which ``key`` may be set."""
    encoded = source.encode()
    return attribute_targets(encoded, WordLines(encoded), "key").lines


def set_by_parser(tree: ast.AST) -> dict[str, set[int]]:
    """The lines on which each attribute is set or deleted."""
    found: dict[str, set[int]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            found[node.attr].add(node.end_lineno or 0)
    return found
