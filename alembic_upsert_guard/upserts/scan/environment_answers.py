"""What the models say of an upsert, where a tree has several Alembic environments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..target import NamedTable, Unread
from ..upsert import Resolution
from .resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..upsert import JudgedUpsert, Upsert
    from .environments import ScannedEnvironment, ScannedEnvironments

__all__ = ["best_answer"]

_BEST = (
    Resolution.DECLARED,
    Resolution.MODELLED,
    Resolution.READ,
    Resolution.UNRESOLVED,
    Resolution.UNDECLARED,
)


def best_answer(upsert: Upsert, environments: ScannedEnvironments) -> JudgedUpsert:
    """Return what the models of an upsert's environment say of it.

    ==================================================  ===================================
    the upsert is in                                    it is held against the models
    ==================================================  ===================================
    a folder of one environment, or of several          of those of them that have the table
    the same, and none of these has the table           of all that have it: it may be meant
                                                        for another one's database
    a folder of none                                    of all that have it
    ==================================================  ===================================

    Of several answers the best counts: an error is one in each.
    """
    own = environments.around(upsert.place.path or "")
    asked = _having(own, upsert) or _having(environments.every, upsert) or own or environments.every
    answers = [_answer(upsert, each, alone=len(environments.every) == 1) for each in asked]
    return min(answers, key=lambda answer: _BEST.index(answer.resolution))


def _having(
    environments: Iterable[ScannedEnvironment], upsert: Upsert
) -> tuple[ScannedEnvironment, ...]:
    table = upsert.table
    if isinstance(table, Unread):
        return ()
    return tuple(
        each for each in environments if each.declared is not None and table.among(each.declared)
    )


def _answer(upsert: Upsert, environment: ScannedEnvironment, *, alone: bool) -> JudgedUpsert:
    """The answer of one; a table that a class led to may be that of another one's class."""
    table = upsert.table
    models = environment.declared
    if not alone and models is not None and isinstance(table, NamedTable):
        upsert = replace(upsert, table=replace(table, declared=None))
    return resolve(upsert, models, environment.drivers)
