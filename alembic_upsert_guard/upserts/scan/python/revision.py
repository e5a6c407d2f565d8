"""What a file states that makes it a revision of Alembic's."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..migrations import revision_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..migrations import Revision
    from .module import Module

__all__ = ["REVISION", "revision_of", "runs_on_upgrade"]

REVISION = b"down_revision"
"""What every revision has in it."""


def revision_of(module: Module) -> Revision | None:
    """Return the revision that a file is; None: it does not state both ``revision`` and ``down_revision``."""
    return revision_from(dict(_stated(module.tree)))


def runs_on_upgrade(module: Module, node: ast.AST) -> bool:
    """Return whether a node is outside of ``downgrade``."""
    return not any(
        isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef) and around.name == "downgrade"
        for around in module.around(node)
    )


def _stated(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
