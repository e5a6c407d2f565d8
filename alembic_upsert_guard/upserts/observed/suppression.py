"""Comments in the application that suppress a finding where its upsert is run."""

from __future__ import annotations

import ast
import tokenize
from typing import TYPE_CHECKING

from ..scan.ignoring import ignored_codes

if TYPE_CHECKING:
    from pathlib import Path

    from ...findings import Finding

__all__ = ["is_suppressed"]


def is_suppressed(finding: Finding, root: Path) -> bool:
    """Return whether ``# upsert-guard: ignore[code]`` is on a line of the statement that runs the upsert.

    :param root: the folder that the finding's path is relative to.
    """
    if finding.location is None:
        return False
    try:
        with tokenize.open(root / finding.location.path) as file:
            source = file.read()
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return False
    line = finding.location.line
    spans = [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    first, last = min(spans, key=lambda span: span[1] - span[0], default=(line, line))
    lines = source.splitlines()[first - 1 : last]
    return any(str(finding.code) in ignored_codes(each) for each in lines)
