"""The models that an upsert is held against, where a tree has several Alembic environments."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..declared import DeclaredTables
from ..target import NamedTable, Unread
from ..upsert import Resolution
from .resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..upsert import JudgedUpsert, Upsert

__all__ = ["ScannedEnvironment", "ScannedEnvironments"]

_BEST = (
    Resolution.DECLARED,
    Resolution.MODELLED,
    Resolution.READ,
    Resolution.UNRESOLVED,
    Resolution.UNDECLARED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedEnvironment:
    """One environment: models, and what is written for them."""

    declared: DeclaredTables | None
    """None: there are no models, and nothing is judged."""
    drivers: frozenset[str] = frozenset()
    """SQLAlchemy's names of the drivers that the environment connects with; empty: they are not known."""
    folders: tuple[str, ...] = ()
    """The real paths of what belongs to it; empty: everything, where it is the only one."""


class ScannedEnvironments:
    """All environments of a scan."""

    def __init__(self, environments: Sequence[ScannedEnvironment]) -> None:
        """One at least."""
        self._environments = tuple(environments)
        self._of_folder: dict[str, tuple[ScannedEnvironment, ...]] = {}

    @property
    def declared(self) -> DeclaredTables | None:
        """The tables and classes of all, by which files are read; None: there are none."""
        if len(self._environments) == 1:
            return self._environments[0].declared
        known = [each.declared for each in self._environments if each.declared is not None]
        tables = tuple(dict.fromkeys(table for each in known for table in each.tables))
        classes = tuple(dict.fromkeys(c for each in known for c in each.classes))
        return DeclaredTables(tables, classes)

    def judged(self, upsert: Upsert) -> JudgedUpsert:
        """Return what the models say of an upsert.

        ==========================================  =========================================
        the upsert is in                            it is held against
        ==========================================  =========================================
        a folder of one environment                 its models
        the same, and they do not have the table    all, for it may be another one's database
        a folder of several, or of none             all
        ==========================================  =========================================

        Of all the best answer counts: an error is one in each.
        """
        if len(self._environments) == 1:
            only = self._environments[0]
            return resolve(upsert, only.declared, only.drivers)
        own = self._around(upsert.place.path or "")
        if len(own) != 1 or not _has_table(own[0], upsert):
            having = [each for each in self._environments if _has_table(each, upsert)]
            own = tuple(having) or own or self._environments
        answers = [_resolved(upsert, each) for each in own]
        return min(answers, key=lambda answer: _BEST.index(answer.resolution))

    def _around(self, path: str) -> tuple[ScannedEnvironment, ...]:
        """The environments whose folders hold a file, those of the innermost folder only."""
        folder = os.path.dirname(os.path.realpath(path))  # noqa: PTH120 - as it is compared
        if folder not in self._of_folder:
            held = [
                (len(Path(each).parts), environment)
                for environment in self._environments
                for each in environment.folders
                if Path(folder).is_relative_to(each)
            ]
            deepest = max((depth for depth, _ in held), default=0)
            found = dict.fromkeys(id(e) for depth, e in held if depth == deepest)
            self._of_folder[folder] = tuple(e for e in self._environments if id(e) in found)
        return self._of_folder[folder]


def _has_table(environment: ScannedEnvironment, upsert: Upsert) -> bool:
    if isinstance(upsert.table, Unread) or environment.declared is None:
        return False
    return environment.declared.table(upsert.table.schema, upsert.table.name) is not None


def _resolved(upsert: Upsert, environment: ScannedEnvironment) -> JudgedUpsert:
    """The answer of one; a table that a class led to is its own only if it has the class."""
    table = upsert.table
    if isinstance(table, NamedTable) and table.declared is not None and environment.declared:
        found = environment.declared.table(table.schema, table.name)
        upsert = replace(upsert, table=replace(table, declared=found))
    return resolve(upsert, environment.declared, environment.drivers)
