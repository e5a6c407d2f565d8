"""Upserts of any source, each held against what a database offers, declared or not.

On PostgreSQL the planner is asked about all of them in one statement; elsewhere the catalog's witness is. What the
database refuses is explained by the judge, on candidates that are read once for all tables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..catalog import TableName
from ..findings import FindingCode
from .advice import SqlAdvice
from .declared import DeclaredTables
from .lookup_case import LookupCase
from .placement import place_upserts
from .routine_case import RoutineCase
from .routine_lookup_case import RoutineLookupCase
from .target import Elements, Lookup
from .target_case import TargetCase, readable_target, unread_upsert
from .upsert import JudgedUpsert, Resolution
from .witness import Witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from .placement import PlacedUpsert
    from .target import Target
    from .upsert import Upsert

__all__ = ["judge_upserts", "merge_answers"]


def judge_upserts(
    connection: Connection,
    upserts: Iterable[Upsert],
    models: DeclaredTables | None = None,
    *,
    scanned: Mapping[Upsert, JudgedUpsert] | None = None,
) -> dict[Upsert, JudgedUpsert]:
    """Return what the database makes of each upsert, in their order: served, unserved or unresolved.

    Nothing is written to the database, and no routine is called.

    :param models: a table of theirs has the declaration for a hint; None: there are none, and hints are SQL to run.
    :param scanned: what the models say of an upsert, where they were asked: one that they serve has another hint, and
     one that is unread is reported as they report it.
    :raises KeyError: for a dialect without a catalog; ask :func:`..catalog.catalog_for` first.
    """
    distinct = list(dict.fromkeys(upserts))
    by_models = scanned or {}
    placed = place_upserts(connection, distinct)
    targets = _readable_targets(connection, placed)
    witness = Witness(connection, (table for table, _ in targets.values()))
    cases: dict[Upsert, RoutineCase | TargetCase] = {}
    for upsert in distinct:
        if upsert.routine is not None:
            of_routine = RoutineLookupCase if isinstance(upsert.target, Lookup) else RoutineCase
            cases[upsert] = of_routine(witness, upsert, upsert.routine, in_sql=models is None)
        elif upsert in targets:
            table, target = targets[upsert]
            target = _inferred(target, models, upsert)
            case = LookupCase if isinstance(target, Lookup) else TargetCase
            cases[upsert] = case(
                witness,
                placed[upsert].upsert,
                table,
                target,
                models=models or DeclaredTables(()),
                is_modelled=upsert in by_models and by_models[upsert].resolution in _BY_MODELS,
            )
    advice = _ask(connection, witness, cases.values())
    return {
        upsert: placed[upsert].with_note(cases[upsert].judged(advice))
        if upsert in cases
        else _unread(placed[upsert], by_models.get(upsert))
        for upsert in distinct
    }


_BY_MODELS = (Resolution.DECLARED, Resolution.MODELLED)


def _inferred(target: Target, models: DeclaredTables | None, upsert: Upsert) -> Target:
    """A lookup as the ON CONFLICT that is sent in its place, where the models have exactly its elements."""
    if not isinstance(target, Lookup) or not target.infers_modelled or models is None:
        return target
    model = models.table(upsert.schema, str(upsert.table_name))
    wanted = frozenset(target.elements)
    arbiters = () if model is None else model.arbiters
    exact = any(frozenset(a.elements) == wanted and not a.partial for a in arbiters)
    return Elements(target.elements) if exact else target


def _readable_targets(
    connection: Connection, upserts: Mapping[Upsert, PlacedUpsert]
) -> dict[Upsert, tuple[TableName, Target]]:
    """Table and target of each upsert that is no routine's, where both are read."""
    found = {}
    for upsert, placed in upserts.items():
        target = readable_target(placed.upsert)
        if upsert.routine is None and target is not None and placed.obstacle is None:
            found[upsert] = (_table_of(connection, placed), target)
    return found


def _ask(
    connection: Connection, witness: Witness, cases: Iterable[RoutineCase | TargetCase]
) -> SqlAdvice:
    """Put the questions of all cases, and return what gives their hints."""
    asked = list(cases)
    questions = (case.question for case in asked)
    witness.ask(question for question in questions if question is not None)
    advised = (case.advised_table for case in asked)
    witness.read(table for table in advised if table is not None)
    return SqlAdvice(connection, witness.offered)


def _table_of(connection: Connection, placed: PlacedUpsert) -> TableName:
    """The table under the schema that the connection translates its own to, as for a tenant."""
    upsert = placed.upsert
    translated = connection.get_execution_options().get("schema_translate_map") or {}
    if placed.note is not None:  # the schema is a database's own
        translated = {}
    return TableName(translated.get(upsert.schema, upsert.schema), str(upsert.table_name))


def _unread(placed: PlacedUpsert, by_models: JudgedUpsert | None) -> JudgedUpsert:
    upsert = placed.upsert
    if placed.obstacle is not None:
        return unread_upsert(upsert, placed.obstacle)
    if by_models is None:
        return unread_upsert(upsert)
    unresolved = tuple(f for f in by_models.findings if f.code is FindingCode.UNRESOLVED_UPSERT)
    return JudgedUpsert(upsert=upsert, resolution=Resolution.UNRESOLVED, findings=unresolved)


_Key = TypeVar("_Key")


def merge_answers(answers: Sequence[Mapping[_Key, JudgedUpsert]]) -> list[JudgedUpsert]:
    """Return what all databases and tenants say as one answer for each upsert, with the findings of all.

    A table that one of the databases has is not missing in the others. The worst resolution counts.
    """
    merged: list[JudgedUpsert] = []
    for key in dict.fromkeys(key for answer in answers for key in answer):
        of_upsert = [answer[key] for answer in answers if key in answer]
        there = [each for each in of_upsert if not _is_missing(each)] or of_upsert[:1]
        worst = min(there, key=lambda judged: _WORST.index(judged.resolution))
        findings = dict.fromkeys(finding for each in there for finding in each.findings)
        arbiters = dict.fromkeys(name for each in there for name in each.arbiters)
        merged.append(replace(worst, findings=tuple(findings), arbiters=tuple(arbiters)))
    return merged


_WORST = (Resolution.UNSERVED, Resolution.UNRESOLVED, Resolution.SERVED, Resolution.READ)


def _is_missing(judged: JudgedUpsert) -> bool:
    """Whether the table is not in the database that was asked; another one may have it."""
    return any(finding.code is FindingCode.MISSING_TABLE for finding in judged.findings)
