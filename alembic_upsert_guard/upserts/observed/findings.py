"""What is found in recorded upserts: targets that a server refused, and values that were bound in one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from ...catalog import Offered, TableName
from ...databases import database_for, database_named
from ...findings import FindingCode, Location
from ...findings.observed_findings import (
    ObservedSubject,
    RefusedTarget,
    bound_upsert,
    bound_upsert_note,
    refused_upsert,
    refused_upsert_note,
)
from ...inference import Code, ConflictTarget, Shortfall, Traits
from ...sqltext import script_dialect
from ..arbiter_sql import ArbiterOrder, arbiter_sql
from .observed_upsert import element_of_label
from .outcome import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Dialect

    from ...findings import Finding
    from .observed_upsert import SentUpsert
    from .recorder import Run

__all__ = ["findings_of", "note_of"]

_PREPARING = frozenset({"asyncpg", "psycopg", "psycopg_async"})
"""Drivers that prepare statements by themselves, so that plans turn generic."""


def findings_of(runs: Iterable[Run]) -> tuple[Finding, ...]:
    """Return one finding for each upsert, place and cause, sorted by place."""
    bound: dict[tuple[object, ...], list[Run]] = defaultdict(list)
    refused: dict[tuple[object, ...], list[Run]] = defaultdict(list)
    for run in sorted(runs, key=_order):
        if run.upsert.binds and (run.refusal is None or _prepares(run)):
            bound[run.upsert, run.path, run.line].append(run)
        elif run.refusal is not None:
            cause = (run.refusal, run.constraint, run.dialect)
            refused[(run.upsert, run.path, run.line, *cause)].append(run)
    found = [
        (_order(group[0]), bound_upsert(_subject(group), prepares=any(map(_prepares, group))))
        for group in bound.values()
    ]
    for group in refused.values():
        reason = _refused(group[0], _dialect(group[0].dialect))
        found.append((_order(group[0]), refused_upsert(_subject(group), reason)))
    return tuple(finding for _, finding in sorted(found, key=lambda pair: pair[0]))


def note_of(runs: Sequence[Run], dialect: Dialect) -> str:
    """Return what is put on the exception of a refused upsert: the statement that fixes it, or what to declare."""
    run = next(run for run in runs if run.refusal is not None)
    if run.upsert.binds and _prepares(run):
        return bound_upsert_note(_subject([run]), prepares=True)
    return refused_upsert_note(_subject([run]), _refused(run, dialect))


def _prepares(run: Run) -> bool:
    """Whether a bound value is no literal to the planner, be it after some executions."""
    return run.driver in _PREPARING or database_named(run.dialect).renders_values_in_predicates


def _order(run: Run) -> tuple[object, ...]:
    upsert = run.upsert
    return (
        run.path or "",
        run.line or 0,
        upsert.schema or "",
        upsert.table,
        upsert.elements,
        upsert.where or "",
        upsert.constraint or "",
        run.dialect,
        str(run.refusal or ""),
        run.outcome,
        run.test or "",
    )


def _subject(runs: Sequence[Run]) -> ObservedSubject:
    run, upsert = runs[0], runs[0].upsert
    elements = tuple(map(element_of_label, upsert.elements))
    at = None if run.path is None or run.line is None else Location(run.path, run.line)
    return ObservedSubject(
        schema=upsert.schema,
        table=upsert.table,
        elements=tuple((e.label, e.column is None) for e in elements),
        where=upsert.where,
        constraint=upsert.constraint,
        location=at,
        tests=tuple(sorted({each.test for each in runs if each.test is not None})),
    )


def _refused(run: Run, dialect: Dialect) -> RefusedTarget:
    missing = run.refusal is Refusal.NO_CONSTRAINT
    return RefusedTarget(
        code=FindingCode.MISSING_CONSTRAINT if missing else FindingCode.UNSERVED_UPSERT,
        sqlstate=str(run.refusal) if database_named(run.dialect).has_sqlstates else None,
        deferrable=run.constraint,
        is_deferrable=run.refusal is Refusal.DEFERRABLE,
        one_of_several=run.one_of_several,
        statements=_statements(run.upsert, dialect) if run.refusal is Refusal.NO_ARBITER else (),
    )


def _statements(upsert: SentUpsert, dialect: Dialect) -> tuple[str, ...]:
    """The SQL that serves the upsert, as far as it is known without asking the database what the table has."""
    if upsert.binds or not upsert.elements or not database_for(dialect).has_conflict_targets:
        return ()
    elements = tuple(map(element_of_label, upsert.elements))
    order = ArbiterOrder(
        table=TableName(upsert.schema, upsert.table),
        offered=Offered(traits=Traits(database=database_for(dialect))),
        target=ConflictTarget(elements, upsert.where),
        shortfall=Shortfall(Code.MISSING_ARBITER),
        has_rows=False,
    )
    return arbiter_sql(dialect, order)


def _dialect(name: str) -> Dialect:
    """A dialect of that name, for its quotes; no database is connected to."""
    return script_dialect(make_url(f"{name}://").get_dialect()())
