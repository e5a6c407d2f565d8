"""Observed upserts as every source has them: one for each place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..target import Elements, NamedTable
from ..upsert import Place, Source, Upsert

if TYPE_CHECKING:
    from ..target import Target, Unread
    from .observed_upsert import ObservedUpsert, SentUpsert

__all__ = ["as_upserts"]


def as_upserts(observed: ObservedUpsert) -> tuple[Upsert, ...]:
    """Return what was recorded as upserts, one for each line that ran it, whatever the tests, sorted by path and line.

    Its line is the one that sent the statement, which can be below the one that made it.
    """
    upsert = observed.upsert
    lines = dict.fromkeys((place.path, place.line) for place in observed.places)
    return tuple(
        Upsert(
            source=Source.OBSERVED,
            place=Place(path=path, line=line),
            table=NamedTable(upsert.table, upsert.schema),
            target=_target(upsert),
            binds=upsert.binds,
        )
        for path, line in lines
    )


def _target(upsert: SentUpsert) -> Target | Unread:
    target = upsert.target
    if not upsert.binds or not isinstance(target, Elements):
        return target
    from ..statements.values import target_without_bound  # noqa: PLC0415 - the parsers are an extra

    return target_without_bound(target)
