"""Findings held against the ignore entries of a project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..findings import Finding, FindingCode
from .ignores import table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .ignores import IgnoreEntry

__all__ = ["Suppressed", "suppress"]

_SAME_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Findings, sorted by whether an entry suppresses them."""

    left: tuple[Finding, ...]
    """Those that none suppresses, and then one for each entry that suppresses nothing or has run out."""
    suppressed: tuple[Finding, ...]


def suppress(
    findings: Sequence[Finding],
    entries: Iterable[IgnoreEntry],
    commands: Iterable[str],
    *,
    models: Mapping[str, str] = _SAME_NAMES,
    spell: Callable[[str], str] = str,
) -> Suppressed:
    """Return the findings that entries suppress today and those that none does, with the stale entries.

    :param commands: an entry whose code none of them can report is left for the others.
    :param models: the names that the models give to tables which live under another schema, by ``schema.table``; an
     entry may use either.
    :param spell: the path of a finding as entries have it; an entry may have it as the finding does, too.
    """
    today = date.today()  # noqa: DTZ011 - a date that people write is one of where they are
    able = frozenset(commands)
    suppressed: set[int] = set()
    stale = []
    for entry in entries:
        if able.isdisjoint(entry.code.commands):
            continue
        if entry.until is not None and entry.until < today:
            stale.append(_stale(entry, f"ran out on {entry.until.isoformat()}"))
            continue
        matched = {n for n, f in enumerate(findings) if _matches(entry, f, models, spell)}
        if not matched:
            stale.append(_stale(entry, "matches nothing"))
        suppressed |= matched
    return Suppressed(
        left=(*(f for n, f in enumerate(findings) if n not in suppressed), *stale),
        suppressed=tuple(f for n, f in enumerate(findings) if n in suppressed),
    )


def _matches(
    entry: IgnoreEntry, finding: Finding, models: Mapping[str, str], spell: Callable[[str], str]
) -> bool:
    table = table_of(finding)
    if finding.code is not entry.code or entry.table not in (table, models.get(table, table)):
        return False
    if entry.elements is not None and (
        sorted(entry.elements) != sorted(finding.elements) or entry.where != finding.where
    ):
        return False
    at = finding.location
    return entry.path is None or (at is not None and entry.path in (at.path, spell(at.path)))


def _stale(entry: IgnoreEntry, reason: str) -> Finding:
    schema, table = entry.table_name
    return Finding(
        code=FindingCode.STALE_IGNORE,
        schema=schema,
        table=table,
        fact=f"the entry that ignores {entry.code} of {entry.table} {reason}",
        hint="take it out of pyproject.toml, or renew it where the finding is still there and still meant",
        location=entry.location,
    )
