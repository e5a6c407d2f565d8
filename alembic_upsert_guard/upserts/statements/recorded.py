"""One upsert of a server's record, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..upsert import Form, Place, Source, Upsert
from .values import hide_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..scan.sql.upsert import SqlUpsert
    from ..target import Target, Unread

__all__ = ["Occurrence", "Recorded", "RecordedUpsert", "add_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedUpsert:
    """One upsert, and how often it is recorded."""

    upsert: Upsert
    """As it may be shown: ``$1`` is in the place of each value of its target."""
    sent: Target | Unread
    """The target with the values that the text has, which are shown nowhere."""
    is_normalized: bool
    """Whether the server wrote ``$n`` for literals, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Everything that was read of a server's record."""

    upserts: tuple[RecordedUpsert, ...]
    """In the order of the record."""
    unread: int = 0
    """Statements that upsert as far as their words show, and that do not read as SQL."""
    notes: tuple[str, ...] = ()
    """What the record does not have, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One text of the record that upserts."""

    upsert: SqlUpsert
    calls: int
    place: Place


def add_up(occurrences: Iterable[Occurrence], *, is_normalized: bool) -> tuple[RecordedUpsert, ...]:
    """Return the upserts, each once: those of the same table and target are one, at the place of the first."""
    groups: dict[tuple[object, ...], list[Occurrence]] = {}
    for each in occurrences:
        sent = each.upsert.target
        # of what is shown alike, other literals are another upsert
        shown = hide_values(sent) if is_normalized else sent
        groups.setdefault((each.upsert.table, shown), []).append(each)
    return tuple(
        RecordedUpsert(
            upsert=Upsert(
                source=Source.STATEMENTS,
                place=group[0].place,
                table=group[0].upsert.table,
                target=hide_values(group[0].upsert.target),
                form=Form.SQL,
                calls=sum(each.calls for each in group),
            ),
            sent=group[0].upsert.target,
            is_normalized=is_normalized,
        )
        for group in groups.values()
    )
