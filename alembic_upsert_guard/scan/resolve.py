"""From what was seen in a file to a call site and its findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..findings import Finding, Location, told_of_key
from ..findings.call_sites import (
    BOUND_PREDICATE,
    UNDECLARED_UPSERT,
    UNRESOLVED_UPSERT,
    Wording,
    bound_predicate,
    undeclared_constraint,
    undeclared_target,
    undeclared_without_target,
    unknown_columns,
    unknown_table,
    unresolved_upsert,
)
from ..inference import Element
from .callsite import CallSite, Resolution
from .matching import Match, match_key
from .sighting import (
    AnyArbiter,
    Constraint,
    Elements,
    KeyOfTable,
    NamedTable,
    PrimaryKey,
    Unread,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .declared import DeclaredKey, DeclaredTable, DeclaredTables
    from .sighting import Sighting, Target

__all__ = ["Resolved", "resolve"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call site, and what is to be told of it."""

    call_site: CallSite
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is so; `wording` for what is not declared."""

    resolution: Resolution
    wording: Wording | None = None
    elements: tuple[str, ...] = ()
    where: str | None = None


def resolve(path: str, sighting: Sighting, declared: DeclaredTables) -> Resolved:
    """Return the call site of a sighting, with its findings.

    :param path: as people are told of the file.
    """
    named = sighting.table
    elements, where = _written(sighting.target)
    if isinstance(named, Unread):
        answer = _unresolved(named.reason)
        return _resolved(
            path, sighting, None, None, replace(answer, elements=elements, where=where)
        )
    table = named.declared or declared.table(named.schema, named.name)
    if table is None:
        answer = replace(_without_model(named, declared), elements=elements, where=where)
        return _resolved(path, sighting, named.schema, named.name, answer)
    answer = _answer(sighting.target, table, declared)
    if not answer.elements:
        answer = replace(answer, elements=elements, where=where)
    return _resolved(path, sighting, table.schema, table.name, answer)


def _written(target: Target | Unread) -> tuple[tuple[str, ...], str | None]:
    if not isinstance(target, Elements | KeyOfTable):
        return (), None
    where = target.predicate
    return tuple(e.label for e in target.elements), where if isinstance(where, str) else None


def _resolved(
    path: str, sighting: Sighting, schema: str | None, table: str | None, answer: _Answer
) -> Resolved:
    wording = answer.wording
    target = sighting.target
    site = CallSite(
        path=path,
        line=sighting.line,
        first_line=sighting.first_line,
        last_line=sighting.last_line,
        schema=schema,
        table=table,
        elements=answer.elements,
        where=answer.where,
        constraint=target.name if isinstance(target, Constraint) else None,
        target=target,
        resolution=answer.resolution,
        reason=None if wording is None else wording.fact,
    )
    findings = []
    if wording is not None:
        undeclared = answer.resolution is Resolution.UNDECLARED
        code = UNDECLARED_UPSERT if undeclared else UNRESOLVED_UPSERT
        findings.append(_finding(code, site, wording))
    if sighting.binds:
        key = None if not site.elements else ", ".join(f'"{e}"' for e in site.elements)
        findings.append(_finding(BOUND_PREDICATE, site, bound_predicate(key)))
    return Resolved(site, tuple(findings))


def _finding(code: str, site: CallSite, wording: Wording) -> Finding:
    return Finding(
        code,
        "error" if code == UNDECLARED_UPSERT else "warning",
        site.schema,
        site.table,
        site.elements,
        site.where,
        wording.fact,
        wording.hint,
        Location(site.path, site.line),
    )


def _unresolved(reason: str) -> _Answer:
    return _Answer(Resolution.UNRESOLVED, unresolved_upsert(reason))


def _undeclared(wording: Wording) -> _Answer:
    return _Answer(Resolution.UNDECLARED, wording)


def _declared(key: DeclaredKey | None) -> _Answer:
    if key is None:
        return _Answer(Resolution.DECLARED)
    return _Answer(Resolution.DECLARED, elements=key.labels, where=key.where)


def _without_model(named: NamedTable, declared: DeclaredTables) -> _Answer:
    told = named.name if named.schema is None else f"{named.schema}.{named.name}"
    alike = declared.alike(named.schema, named.name)
    if alike is not None:
        return _unresolved(f"whether {told} is the declared table {alike.full_name} cannot be told")
    return _undeclared(unknown_table(told))


def _answer(target: Target | Unread, table: DeclaredTable, declared: DeclaredTables) -> _Answer:
    place = declared.place_of(table)
    match target:
        case Unread(reason):
            return _unresolved(reason)
        case Elements(elements, predicate):
            return _of_elements(table, elements, predicate, place)
        case PrimaryKey():
            if not table.primary_key:
                return _unresolved(
                    f"the primary key is meant, and the model of {table.full_name} has none"
                )
            elements = tuple(Element(column=name) for name in table.primary_key)
            answer = _of_elements(table, elements, None, place)
            return replace(answer, elements=table.primary_key)
        case Constraint(name):
            return _of_constraint(table, name, place)
        case AnyArbiter():
            if table.keys:
                return _declared(None)
            return _undeclared(undeclared_without_target(table.full_name, place))
        case KeyOfTable(elements, predicate):
            return _of_key(table, elements, predicate, place)


def _of_elements(
    table: DeclaredTable,
    elements: tuple[Element, ...],
    predicate: str | Unread | None,
    place: str,
) -> _Answer:
    matches = [match_key(key, elements, predicate) for key in table.keys]
    if Match.SAME in matches:
        return _Answer(Resolution.DECLARED)
    if Match.DOUBT in matches:
        if isinstance(predicate, Unread):
            return _unresolved(predicate.reason)
        key = table.keys[matches.index(Match.DOUBT)]
        return _unresolved(
            f"whether it is served by {_told(table, key)} cannot be told: its SQL reads differently"
        )
    if isinstance(predicate, Unread):
        # the elements are no key's, whatever the predicate is
        predicate = None
    unknown = _unknown_columns(table, elements)
    if unknown:
        folded = {name.casefold() for name in table.column_names}
        if all(name.casefold() in folded for name in unknown):
            return _unresolved(
                f"{table.full_name} has no column {', '.join(unknown)} in that spelling, and it depends on the "
                "database whether case matters"
            )
        return _undeclared(unknown_columns(table.full_name, unknown, table.column_names))
    labels = [(e.label, e.column is None) for e in elements]
    others = [_told(table, key) for key in table.keys]
    return _undeclared(undeclared_target(table.full_name, labels, predicate, others, place))


def _unknown_columns(table: DeclaredTable, elements: Sequence[Element]) -> list[str]:
    return [
        e.column for e in elements if e.column is not None and e.column not in table.column_names
    ]


def _of_constraint(table: DeclaredTable, name: str, place: str) -> _Answer:
    for key in table.keys:
        if name in (key.name, key.arbiter):
            return _declared(key)
    nameless = [key for key in table.keys if key.arbiter is None]
    if nameless:
        return _unresolved(
            f"{_told(table, nameless[0])} points at a constraint without a name in the models, and whether that is "
            f"{name} cannot be told"
        )
    covered = next((a.elements for a in table.arbiters if a.name == name), None)
    labels = None if covered is None else [(e.label, e.column is None) for e in covered]
    others = [_told(table, key) for key in table.keys]
    return _undeclared(undeclared_constraint(table.full_name, name, labels, others, place))


def _of_key(
    table: DeclaredTable,
    elements: tuple[Element, ...],
    predicate: str | Unread | None,
    place: str,
) -> _Answer:
    """``conflict_target()``, which picks a declared key by the same rules and raises where there is none."""
    if isinstance(predicate, Unread):
        return _unresolved(predicate.reason)
    if not elements and predicate is None:
        if len(table.keys) == 1:
            return _declared(table.keys[0])
        if table.keys:
            return _unresolved(f"{table.full_name} declares several upsert keys, and none is named")
        return _undeclared(undeclared_without_target(table.full_name, place))
    fitting = [
        key
        for key in table.keys
        if not elements or match_key(replace(key, where=None), elements, None) is Match.SAME
    ]
    if predicate is not None:
        fitting = [key for key in fitting if match_key(key, key.elements, predicate) is Match.SAME]
    elif len(fitting) > 1:
        fitting = [key for key in fitting if key.where is None]
    if len(fitting) == 1:
        return _declared(fitting[0])
    return _of_elements(table, elements, predicate, place)


def _told(table: DeclaredTable, key: DeclaredKey) -> str:
    return told_of_key(table.full_name, key.labels, key.where)
