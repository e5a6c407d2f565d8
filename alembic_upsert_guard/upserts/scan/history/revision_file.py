"""One revision of Alembic's, read for what its ``upgrade()`` does to tables. Nothing of it is run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..migrations import revision_from
from .bound_names import unsteady_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..migrations import Revision

__all__ = ["RevisionFile", "read_revision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionFile:
    """What a file states of itself, and its functions."""

    path: str
    revision: Revision
    is_free: bool
    """False: it depends on revisions of other branches, too (``depends_on``)."""
    upgrade: ast.FunctionDef | None
    """None: there is none, or it is asynchronous."""
    constants: Mapping[str, ast.expr]
    """What names of the module are bound to, those that are bound once and stay as they are."""
    origins: Mapping[str, str]
    """The name in its own module of what is imported, by the name that it has here."""


def read_revision(path: str, source: bytes) -> RevisionFile | None:
    """Return the revision that a file is; None: it is none, or does not parse."""
    if b"down_revision" not in source:
        return None
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    constants = dict(_constants(tree))
    revision = revision_from(constants)
    if revision is None:
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    depends = constants.get("depends_on")
    return RevisionFile(
        path=path,
        revision=revision,
        is_free=depends is None or _is_none(depends),
        upgrade=next((each for each in functions if each.name == "upgrade"), None),
        constants={
            name: constants[name] for name in constants.keys() - unsteady_names(tree, but=functions)
        },
        origins=dict(_origins(tree)),
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Each name that the module binds once; one of several is left out."""
    bound: dict[str, list[ast.expr]] = {}
    for node in tree.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and value is not None:
                bound.setdefault(target.id, []).append(value)
    for name, values in bound.items():
        if len(values) == 1:
            yield name, values[0]


def _origins(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name
