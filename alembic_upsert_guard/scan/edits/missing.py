"""The keys that the models lack, by the findings of a scan that a declaration settles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...findings.call_sites import UNDECLARED_UPSERT
from ..callsite import Resolution
from ..sighting import Elements, KeyOfTable
from .spelling import KeyToWrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...findings import Finding
    from ..callsite import CallSite
    from ..declared import DeclaredTable, DeclaredTables

__all__ = ["Missing", "missing_keys", "place_of"]


@dataclass(frozen=True, slots=True)
class Missing:
    """One key that a table lacks."""

    table: DeclaredTable
    key: KeyToWrite
    findings: tuple[Finding, ...]
    """Those that are settled once it is declared."""


def missing_keys(
    findings: Iterable[Finding], call_sites: Iterable[CallSite], models: DeclaredTables
) -> list[Missing]:
    """Return the keys to declare, in the order of the call sites that need them; each once.

    :param findings: those that nobody suppressed; call sites without one are left as they are.
    """
    wanted = {place_of(f): f for f in findings if f.code == UNDECLARED_UPSERT and f.location}
    found: dict[object, Missing] = {}
    for site in call_sites:
        finding = wanted.get((site.path, site.line, site.table, site.elements, site.where))
        table = None if site.table is None else models.table(site.schema, site.table)
        if finding is None or table is None:
            continue
        key = _key_of(site, table)
        if key is None:
            continue
        identity = (table.schema, table.name, frozenset(key.elements), key.where)
        known = found.get(identity)
        settled = (finding,) if known is None else (*known.findings, finding)
        found[identity] = Missing(table, key if known is None else known.key, settled)
    return _without_narrower(list(found.values()))


def place_of(finding: Finding) -> object:
    """Return what a finding shares with its call site."""
    at = finding.location
    path, line = ("", 0) if at is None else (at.path, at.line)
    return (path, line, finding.table, finding.elements, finding.where)


def _key_of(site: CallSite, table: DeclaredTable) -> KeyToWrite | None:
    """The key that the site needs; None: the site itself is likelier wrong, or says too little."""
    if site.resolution is not Resolution.UNDECLARED:
        return None
    if not isinstance(site.target, Elements | KeyOfTable) or not site.target.elements:
        return None
    predicate = site.target.predicate
    columns = {e.column for e in site.target.elements if e.column is not None}
    if not columns <= set(table.column_names) or not isinstance(predicate, str | None):
        return None
    return KeyToWrite(site.target.elements, predicate)


def _without_narrower(found: Sequence[Missing]) -> list[Missing]:
    """A key without a predicate serves every predicate on the same elements: the partial ones are not needed."""
    full = {_elements(each): each for each in found if each.key.where is None}
    kept: list[Missing] = []
    for each in found:
        wider = full.get(_elements(each), each)
        if wider is each:
            settled = [m.findings for m in found if _elements(m) == _elements(each)]
            is_full = each.key.where is None
            findings = tuple(f for group in settled for f in group) if is_full else each.findings
            kept.append(Missing(each.table, each.key, findings))
    return kept


def _elements(missing: Missing) -> object:
    table = missing.table
    return table.schema, table.name, frozenset(missing.key.elements)
