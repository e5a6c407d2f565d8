"""Upserts that a server recorded, held against the database at hand.

What the text leaves open is looked up, and what stays open is unresolved:

====================================  =================================================================
the text                              answer
====================================  =================================================================
names no schema                       as in every schema that has the table, where these agree
its table is nowhere                  missing where a model has it, else unresolved: temporary, dropped
``$n`` in the statistics              see :func:`.values.target_without_values`
``$n`` in the log, in the predicate   served where it is without one, else refused for being bound
``$n`` in the log, in an element      unresolved
a literal in the log                  judged as it was sent, and shown nowhere
====================================  =================================================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...catalog import TableName, catalog_for
from ...catalog.names import default_schemas_of
from ...databases import database_for
from ...findings import Circumstance, FindingCode
from ...findings.statements import (
    bound_value_fact,
    bound_value_hint,
    disagreeing_schemas,
    hidden_values_fact,
    hidden_values_hint,
    hidden_values_reason,
    unknown_table,
    unresolved_record_hint,
)
from ..judge import judge_upserts
from ..target import Elements, NamedTable, Unread
from ..target_case import subject_of
from ..upsert import JudgedUpsert, Resolution
from .values import has_values, hide_values, target_without_bound, target_without_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from ...catalog import Offered
    from ..declared import DeclaredTables
    from ..target import Target
    from ..upsert import Upsert
    from .recorded import RecordedUpsert

__all__ = ["judge_recorded"]


def judge_recorded(
    connection: Connection,
    recorded: Iterable[RecordedUpsert],
    models: DeclaredTables | None = None,
) -> dict[RecordedUpsert, JudgedUpsert]:
    """Return what the database makes of each upsert, in their order. Nothing is written to it.

    :param models: as for :func:`..judge.judge_upserts`.
    :raises KeyError: for a dialect without a catalog; ask :func:`...catalog.catalog_for` first.
    """
    distinct = list(dict.fromkeys(recorded))
    tables = _tables(connection, distinct)
    offered = _offered(connection, {table for each in tables.values() for table in each})
    meant = {
        (each, table): _meant(each, table, offered.get(table))
        for each in distinct
        for table in tables[each]
    }
    answers = judge_upserts(connection, meant.values(), models)
    return {
        each: _agreed(
            each, [_shown(each, answers[meant[each, table]], models) for table in tables[each]]
        )
        for each in distinct
    }


def _tables(
    connection: Connection, recorded: Sequence[RecordedUpsert]
) -> Mapping[RecordedUpsert, Sequence[TableName]]:
    """The tables that each may be into: of a name without a schema, those of every schema that has one."""
    names = {str(each.upsert.table_name) for each in recorded if each.upsert.schema is None}
    schemas = default_schemas_of(connection, names)
    return {
        each: [
            TableName(schema, str(each.upsert.table_name))
            for schema in _schemas(each.upsert, schemas)
        ]
        for each in recorded
    }


def _schemas(upsert: Upsert, homes: Mapping[str, Sequence[str]]) -> Sequence[str | None]:
    if upsert.schema is not None:
        return (upsert.schema,)
    return homes.get(str(upsert.table_name)) or (None,)


def _offered(connection: Connection, tables: set[TableName]) -> Mapping[TableName, Offered]:
    catalog = catalog_for(connection.dialect)
    if catalog is None:
        raise KeyError(database_for(connection.dialect).name)
    return catalog.read(connection, tuple(sorted(tables, key=str))) if tables else {}


def _meant(recorded: RecordedUpsert, table: TableName, offered: Offered | None) -> Upsert:
    """The upsert into one table, with its values as far as they are known or can be found."""
    return replace(
        recorded.upsert,
        table=NamedTable(table.name, table.schema),
        target=_target(recorded, offered),
    )


def _target(recorded: RecordedUpsert, offered: Offered | None) -> Target | Unread:
    sent = recorded.sent
    if not isinstance(sent, Elements) or not has_values(sent):
        return sent
    if recorded.is_normalized:
        return target_without_values(sent, () if offered is None else offered.candidates)
    return target_without_bound(sent)


def _shown(
    recorded: RecordedUpsert, judged: JudgedUpsert, models: DeclaredTables | None
) -> JudgedUpsert:
    """The answer as it may be shown, with the ways out that there are for what a server recorded."""
    upsert = judged.upsert
    if _is_missing(judged):
        if models is not None and models.table(upsert.schema, str(upsert.table_name)) is not None:
            return judged
        return _unresolved(upsert, unknown_table(str(upsert.table_name)))
    if _is_refused_as_bound(recorded, judged):
        upsert = replace(upsert, target=recorded.upsert.target)
        return _bound(upsert)
    if judged.resolution is Resolution.UNRESOLVED:
        upsert = replace(upsert, target=recorded.upsert.target)
        # a sentence of the server's may repeat a literal that it was asked about
        hides = not recorded.is_normalized and has_values(judged.upsert.target)
        return _unresolved(upsert, hidden_values_reason() if hides else judged.findings[0].fact)
    if recorded.is_normalized or not has_values(upsert.target):
        return judged
    upsert = replace(upsert, target=hide_values(upsert.target))
    if judged.resolution is Resolution.SERVED:
        return replace(judged, upsert=upsert)
    subject = subject_of(upsert)
    hidden = subject.finding(
        judged.findings[0].code, hidden_values_fact(subject), hidden_values_hint()
    )
    return replace(judged, upsert=upsert, findings=(hidden,))


def _is_refused_as_bound(recorded: RecordedUpsert, judged: JudgedUpsert) -> bool:
    """Whether the server refused it for what is bound in its predicate, and nothing serves it without one."""
    target = judged.upsert.target
    return (
        not recorded.is_normalized
        and judged.resolution is Resolution.UNRESOLVED
        and isinstance(target, Elements)
        and isinstance(target.predicate, Unread)
    )


def _bound(upsert: Upsert) -> JudgedUpsert:
    subject = subject_of(upsert)
    finding = replace(
        subject.finding(FindingCode.BOUND_PREDICATE, bound_value_fact(subject), bound_value_hint()),
        circumstance=Circumstance.PREPARED,
    )
    return JudgedUpsert(upsert=upsert, resolution=Resolution.UNSERVED, findings=(finding,))


def _is_missing(judged: JudgedUpsert) -> bool:
    return any(finding.code is FindingCode.MISSING_TABLE for finding in judged.findings)


def _unresolved(upsert: Upsert, reason: str) -> JudgedUpsert:
    finding = subject_of(upsert).finding(
        FindingCode.UNRESOLVED_UPSERT, reason, unresolved_record_hint()
    )
    return JudgedUpsert(upsert=upsert, resolution=Resolution.UNRESOLVED, findings=(finding,))


def _agreed(recorded: RecordedUpsert, answers: Sequence[JudgedUpsert]) -> JudgedUpsert:
    """One answer for all schemas that the upsert may be into."""
    resolutions = {judged.resolution for judged in answers}
    if len(answers) == 1:
        return answers[0]
    if resolutions == {Resolution.SERVED}:
        arbiters = dict.fromkeys(name for judged in answers for name in judged.arbiters)
        return replace(answers[0], upsert=recorded.upsert, arbiters=tuple(arbiters))
    if resolutions == {Resolution.UNSERVED}:
        findings = tuple(finding for judged in answers for finding in judged.findings)
        return replace(answers[0], upsert=recorded.upsert, findings=findings)
    served = [str(j.upsert.schema) for j in answers if j.resolution is Resolution.SERVED]
    others = [str(j.upsert.schema) for j in answers if j.resolution is not Resolution.SERVED]
    return _unresolved(recorded.upsert, disagreeing_schemas(served, others))
