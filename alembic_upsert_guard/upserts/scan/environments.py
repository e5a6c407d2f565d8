"""The Alembic environments of a tree, and the models that each of its files is read by."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..declared import DeclaredTables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..declared import DeclaredTable

__all__ = ["ScannedEnvironment", "ScannedEnvironments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedEnvironment:
    """One environment: models, and what is written for them."""

    declared: DeclaredTables | None
    """None: there are no models, and nothing is judged."""
    drivers: frozenset[str] = frozenset()
    """SQLAlchemy's names of the drivers that the environment connects with; empty: they are not known."""
    folders: tuple[str, ...] = ()
    """The real paths of the files and folders that belong to it; of no account where it is the only one."""


class ScannedEnvironments:
    """All environments of a scan."""

    def __init__(self, environments: Sequence[ScannedEnvironment]) -> None:
        """One at least."""
        self.every = tuple(environments)
        self._around: dict[str, tuple[ScannedEnvironment, ...]] = {}
        self._common: dict[tuple[int, ...], DeclaredTables] = {}

    @property
    def known_by(self) -> tuple[object, ...]:
        """Whatever decides how a file is read."""
        if len(self.every) == 1:
            return (self.every[0].declared,)
        return tuple((each.declared, each.folders) for each in self.every)

    def around(self, path: str) -> tuple[ScannedEnvironment, ...]:
        """Return the environments that a file belongs to: of those around it the innermost ones; empty: to none."""
        if len(self.every) == 1:
            return self.every
        if path not in self._around:
            depths = [_depth(each, os.path.realpath(path)) for each in self.every]
            deepest = max(depths) or None
            self._around[path] = tuple(
                each for each, depth in zip(self.every, depths, strict=True) if depth == deepest
            )
        return self._around[path]

    def models_of(self, path: str) -> DeclaredTables:
        """Return the models by which a file is read: those of its environments; of all, where it belongs to none.

        Of several environments a table is left out that is not the same in all that have one of its name: what a
        reader cannot tell is then left to the source.
        """
        environments = self.around(path) or self.every
        key = tuple(map(id, environments))
        if key not in self._common:
            self._common[key] = _common([e.declared for e in environments if e.declared])
        return self._common[key]


def _depth(environment: ScannedEnvironment, path: str) -> int:
    """The number of parts of the longest of its folders that a real path is in; 0: it is in none."""
    around = (Path(folder) for folder in environment.folders)
    return max((len(each.parts) for each in around if Path(path).is_relative_to(each)), default=0)


def _common(models: Sequence[DeclaredTables]) -> DeclaredTables:
    if len(models) == 1:
        return models[0]
    named: dict[tuple[str | None, str], dict[object, DeclaredTable]] = {}
    for table in (table for each in models for table in each.tables):
        read = (table.columns, table.primary_key)
        named.setdefault((table.schema, table.name), {}).setdefault(read, table)
    classes = tuple(dict.fromkeys(c for each in models for c in each.classes))
    same = (next(iter(each.values())) for each in named.values() if len(each) == 1)
    return DeclaredTables(tuple(same), classes)
