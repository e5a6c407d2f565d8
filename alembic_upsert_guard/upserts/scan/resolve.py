"""From what was seen in a file to a call site and its findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...findings import Circumstance, Finding, FindingCode, Location
from ...findings.call_sites import bound_predicate
from ...findings.calls import Call
from ..upsert import CallSite, Resolution
from .answer import Asked, unresolved
from .resolution import answer_of, read_only, without_model
from .sighting import ConflictTargetCall, Constraint, ConstraintObject, Elements, Unread

if TYPE_CHECKING:
    from ...findings.call_sites import Wording
    from .answer import Answer
    from .declared import DeclaredTable, DeclaredTables
    from .sighting import Sighting, Target

__all__ = ["PREPARING_DRIVERS", "Resolved", "resolve"]

PREPARING_DRIVERS = frozenset({"asyncpg", "psycopg", "psycopg_async"})
"""SQLAlchemy's names of the drivers that prepare statements by themselves, so that plans turn generic."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call site, and what there is to say of it."""

    call_site: CallSite
    findings: tuple[Finding, ...]


def resolve(
    path: str,
    sighting: Sighting,
    models: DeclaredTables | None,
    drivers: frozenset[str] = frozenset(),
) -> Resolved:
    """Return the call site of a sighting, with its findings.

    :param path: as people are told of the file.
    :param models: None: there are none, and what can be read is not judged.
    :param drivers: SQLAlchemy's names of the project's drivers; empty: they are not known.
    """
    named = sighting.table
    asked: Asked | None = None
    if isinstance(named, Unread):
        answer = unresolved(named, Call(sighting.form, "?", sighting.model))
        schema = table_name = None
    else:
        schema, table_name = named.schema, named.name
        table = None if models is None else named.declared or models.table(schema, table_name)
        call = Call(sighting.form, _full_name(schema, table_name), sighting.model)
        if models is None:
            answer = read_only(sighting.target, call)
        elif table is None:
            answer = without_model(call, named, models)
        else:
            schema, table_name = table.schema, table.name
            asked = Asked(_call(sighting, table, models), table, models)
            answer = answer_of(sighting.target, asked)
    elements, where = _written(sighting.target)
    if not answer.elements:
        answer = replace(answer, elements=elements, where=where)
    site = _call_site(path, sighting, (schema, table_name), answer)
    findings = [] if answer.wording is None else [_of_answer(site, answer, answer.wording)]
    findings += _bindings(sighting, site, asked, answer, drivers)
    return Resolved(site, tuple(findings))


def _full_name(schema: str | None, name: str) -> str:
    return name if schema is None else f"{schema}.{name}"


def _call(sighting: Sighting, table: DeclaredTable, models: DeclaredTables) -> Call:
    mapped = models.class_for(table)
    named = None if mapped is None else mapped.qualname
    return Call(sighting.form, table.full_name, sighting.model or named)


def _written(target: Target | Unread) -> tuple[tuple[str, ...], str | None]:
    if isinstance(target, ConstraintObject):
        return tuple(e.label for e in target.elements), None
    if not isinstance(target, Elements | ConflictTargetCall):
        return (), None
    where = target.predicate
    return tuple(e.label for e in target.elements), where if isinstance(where, str) else None


def _call_site(
    path: str, sighting: Sighting, table: tuple[str | None, str | None], answer: Answer
) -> CallSite:
    target = sighting.target
    return CallSite(
        path=path,
        line=sighting.line,
        first_line=sighting.first_line,
        last_line=sighting.last_line,
        schema=table[0],
        table=table[1],
        elements=answer.elements,
        where=answer.where,
        constraint=answer.constraint or _named_constraint(target),
        target=target,
        resolution=answer.resolution,
        reason=None if answer.wording is None else answer.wording.fact,
    )


def _named_constraint(target: Target | Unread) -> str | None:
    return target.name if isinstance(target, Constraint | ConstraintObject) else None


# -- findings


def _of_answer(site: CallSite, answer: Answer, wording: Wording) -> Finding:
    if answer.resolution is Resolution.UNRESOLVED:
        return _finding(FindingCode.UNRESOLVED_UPSERT, site, wording)
    modelled = answer.resolution is Resolution.MODELLED
    return _finding(answer.code, site, wording, Circumstance.MODELLED if modelled else None)


def _finding(
    code: FindingCode, site: CallSite, wording: Wording, circumstance: Circumstance | None = None
) -> Finding:
    return Finding(
        code=code,
        circumstance=circumstance,
        schema=site.schema,
        table=site.table,
        elements=site.elements,
        where=site.where,
        fact=wording.fact,
        hint=wording.hint,
        location=Location(site.path, site.line),
        offer=wording.offer,
    )


def _bindings(
    sighting: Sighting,
    site: CallSite,
    asked: Asked | None,
    answer: Answer,
    drivers: frozenset[str],
) -> list[Finding]:
    """What is said of values bound in the conflict target: an error where the driver prepares statements by itself."""
    if not sighting.binds:
        return []
    call = asked.call if asked is not None else Call(sighting.form, "?", sighting.model)
    key_line = None if asked is None else asked.key_line(answer.key)
    target = sighting.target
    plain = isinstance(target, Elements) and all(e.column is not None for e in target.elements)
    wording = bound_predicate(call, key_line, site.where if plain else None)
    prepared = Circumstance.PREPARED if drivers & PREPARING_DRIVERS else None
    return [_finding(FindingCode.BOUND_PREDICATE, site, wording, prepared)]
