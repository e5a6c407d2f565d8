"""An upsert held against the models: its resolution and its findings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...findings import Circumstance, FindingCode
from ...findings.call_sites import bound_predicate
from ...findings.calls import Call
from ...findings.schemas import only_table_of_name
from ..target import Elements, Lookup, NamedTable, Unread
from ..upsert import JudgedUpsert, Resolution
from .answer import ModelContext, finding_of, unresolved
from .resolution import answer_of, read_only, without_model

if TYPE_CHECKING:
    from ...findings import Finding
    from ...findings.call_sites import Wording
    from ..declared import DeclaredTable, DeclaredTables
    from ..upsert import Upsert
    from .answer import Answer

__all__ = ["PREPARING_DRIVERS", "resolve"]

PREPARING_DRIVERS = frozenset({"asyncpg", "psycopg", "psycopg_async"})
"""SQLAlchemy's names of the drivers that prepare statements by themselves, so that plans turn generic."""


def resolve(
    upsert: Upsert, models: DeclaredTables | None, drivers: frozenset[str] = frozenset()
) -> JudgedUpsert:
    """Return what the models say of an upsert, with the table and the target that they know it by.

    :param models: None: there are none, and what can be read is not judged.
    :param drivers: SQLAlchemy's names of the project's drivers; empty: they are not known.
    """
    named = upsert.table
    context: ModelContext | None = None
    if isinstance(named, Unread):
        answer = unresolved(named, upsert.call)
    else:
        table = None if models is None else named.only(models)
        if models is None:
            answer = read_only(upsert.target, upsert.call)
        elif table is None:
            fails = not isinstance(upsert.target, Lookup)
            answer = without_model(upsert.call, named, models, fails=fails)
        else:
            upsert = replace(upsert, table=_known_by(table, named))
            context = ModelContext(_call(upsert, table, models), table, models)
            answer = _as_far_as_schema(answer_of(upsert.target, context), named, table)
    upsert = replace(upsert, target=answer.target or upsert.target)
    findings = [] if answer.wording is None else [_of_answer(upsert, answer, answer.wording)]
    return JudgedUpsert(
        upsert=upsert,
        resolution=answer.resolution,
        findings=(*findings, *_bindings(upsert, context, answer, drivers)),
    )


def _known_by(table: DeclaredTable, named: NamedTable) -> NamedTable:
    """A table as the models know it; that its schema is a value of run time, a database has to be told."""
    if isinstance(named.schema, Unread):
        return NamedTable(table.name, named.schema, table)
    return NamedTable(table.name, table.schema)


def _as_far_as_schema(answer: Answer, named: NamedTable, table: DeclaredTable) -> Answer:
    """An answer that says so, where the schema is not known and the table is the only one of its name."""
    if answer.wording is None or not isinstance(named.schema, Unread):
        return answer
    fact = f"{answer.wording.fact}; {only_table_of_name(table.full_name)}"
    return replace(answer, wording=replace(answer.wording, fact=fact))


def _call(upsert: Upsert, table: DeclaredTable, models: DeclaredTables) -> Call:
    mapped = models.class_for(table)
    named = None if mapped is None else mapped.qualname
    return Call(upsert.form, table.full_name, upsert.model or named, upsert.fields)


# -- findings


def _of_answer(upsert: Upsert, answer: Answer, wording: Wording) -> Finding:
    if answer.resolution is Resolution.UNRESOLVED:
        return finding_of(upsert, FindingCode.UNRESOLVED_UPSERT, wording)
    return finding_of(upsert, answer.code, wording, answer.circumstance)


def _bindings(
    upsert: Upsert, context: ModelContext | None, answer: Answer, drivers: frozenset[str]
) -> list[Finding]:
    """What is said of values bound in the conflict target: an error where the driver prepares statements by itself."""
    if not upsert.binds:
        return []
    call = upsert.call if context is None else context.call
    key_line = None if context is None else context.key_line(answer.key)
    target = upsert.target
    plain = isinstance(target, Elements) and all(e.column is not None for e in target.elements)
    wording = bound_predicate(call, key_line, upsert.where if plain else None)
    prepared = Circumstance.PREPARED if drivers & PREPARING_DRIVERS else None
    return [finding_of(upsert, FindingCode.BOUND_PREDICATE, wording, prepared)]
