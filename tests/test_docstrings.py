"""A test's docstring says what its name does not: the rule, the reason, the server's answer."""

from __future__ import annotations

import ast
from pathlib import Path


def test_every_test_has_one() -> None:
    """One sentence or two, on one line."""
    folder = Path(__file__).parent
    lacking = [
        f"{path.relative_to(folder)}::{node.name}"
        for path in sorted(folder.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]

    assert lacking == []
