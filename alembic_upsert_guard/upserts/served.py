"""Upserts in code, each held against what a database offers, declared or not.

On PostgreSQL the planner is asked about all of them in one statement; elsewhere the catalog's witness is. What the
database refuses is explained by the judge, on candidates that are read once for all tables.

=======================================  =============================================================
the upsert                               answer
=======================================  =============================================================
table or target cannot be read           unresolved, with the reader's reason
the table is not there                   unserved: ``missing-table``
ON CONSTRAINT without such a constraint  unserved: ``missing-constraint``; an index of the name is none
an arbiter, every one immediate          served
none, or a deferrable one                unserved, with the shortfall of its own
no columns named (Supabase)              as the table's primary key; without one it is a plain INSERT
no target                                served where anything is unique, else unserved
a predicate with bound values            as without it; where that is refused and an index is partial, unresolved
refused otherwise                        unserved, in the server's own sentence
may not be asked (privileges)            as the judge says; where it cannot, unresolved
=======================================  =============================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..catalog import TableName
from ..databases import database_for
from ..findings import FindingCode
from ..findings.unserved import (
    UpsertInCode,
    missing_constraint_fact,
    missing_table_fact,
    missing_table_hint,
    model_hint,
    no_target_hint,
    refusal_fact,
    refusal_hint,
    shortfall_of_upsert,
    unresolved_hint,
    without_primary_key,
    without_unique,
)
from ..inference import Code, ConflictTarget, Element, Kind
from .advice import SqlAdvice
from .scan.sighting import (
    AnyArbiter,
    ConflictTargetCall,
    Constraint,
    ConstraintObject,
    Elements,
    PrimaryKey,
    Unread,
)
from .upsert import Resolution
from .witness import Asked, Evidence, Witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from ..findings import Finding
    from .scan.declared import DeclaredTable, DeclaredTables
    from .scan.sighting import Target
    from .upsert import CallSite

__all__ = ["JudgedSite", "judge_call_sites", "together"]

_NO_CONSTRAINT = "42704"
"""undefined_object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSite:
    """One call site, as one database takes it."""

    site: CallSite
    """Its resolution is ``served``, ``unserved`` or ``unresolved``."""
    finding: Finding | None = None
    """None: it is served, or its table or target cannot be read, which the scanner has a finding for."""
    is_missing: bool = False
    """Whether the table is not in this database; another one may have it."""


def judge_call_sites(
    connection: Connection, sites: Sequence[CallSite], declared: DeclaredTables
) -> list[JudgedSite]:
    """Return what the database makes of each of `sites`, in their order. Nothing is written to it.

    :param declared: the models. A table of theirs has the declaration for a hint, any other the SQL.
    :raises KeyError: for a dialect without a catalog; ask :func:`..catalog.catalog_for` first.
    """
    targets = [_readable_target(site, declared) for site in sites]
    witness = Witness(connection, _tables(connection, sites, targets))
    cases = [
        _Case(connection, witness, site, target, declared) if site.table and target else None
        for site, target in zip(sites, targets, strict=True)
    ]
    witness.ask([case.asked for case in cases if case is not None and case.asked is not None])
    advice = SqlAdvice(connection, witness.offered)
    return [
        JudgedSite(site=replace(site, resolution=Resolution.UNRESOLVED))
        if case is None
        else case.judged(advice)
        for site, case in zip(sites, cases, strict=True)
    ]


def together(answers: Iterable[Sequence[JudgedSite]]) -> list[JudgedSite]:
    """Return the answers of all databases and tenants as one list, a site of several findings once for each.

    A table that one of the databases has is not missing in the others. The worst resolution is the site's.
    """
    judged: list[JudgedSite] = []
    for of_site in zip(*answers, strict=True):
        there = [each for each in of_site if not each.is_missing] or list(of_site[:1])
        worst = min((each.site for each in there), key=lambda site: _WORST.index(site.resolution))
        findings = dict.fromkeys(each.finding for each in there if each.finding is not None)
        judged += [JudgedSite(site=worst, finding=finding) for finding in findings or [None]]
    return judged


_WORST = (Resolution.UNSERVED, Resolution.UNRESOLVED, Resolution.SERVED)


def _tables(
    connection: Connection, sites: Sequence[CallSite], targets: Sequence[Target | None]
) -> Iterator[TableName]:
    for site, target in zip(sites, targets, strict=True):
        if site.table is not None and target is not None:
            yield _where_it_lives(connection, site)


def _where_it_lives(connection: Connection, site: CallSite) -> TableName:
    """The table under the schema that the connection translates its own to, as for a tenant."""
    translated = connection.get_execution_options().get("schema_translate_map") or {}
    return TableName(translated.get(site.schema, site.schema), str(site.table))


def _readable_target(site: CallSite, declared: DeclaredTables) -> Target | None:
    """The target in elements, a constraint's name, a primary key or none at all; None: it cannot be read."""
    target = site.target
    if isinstance(target, Unread):
        return None
    if isinstance(target, ConstraintObject):
        # what SQLAlchemy renders: the name that it has, else the columns
        return Elements(target.elements) if site.constraint is None else Constraint(site.constraint)
    if not isinstance(target, ConflictTargetCall):
        return target
    table = None if site.table is None else declared.table(site.schema, site.table)
    for key in () if table is None else table.keys:
        if key.labels == site.elements and key.where == site.where:
            return Elements(key.elements, key.where)
    return Elements(target.elements, target.predicate) if target.elements else None


class _Case:
    """One call site and everything that is known of it."""

    def __init__(
        self,
        connection: Connection,
        witness: Witness,
        site: CallSite,
        target: Target,
        declared: DeclaredTables,
    ) -> None:
        self._witness = witness
        self._declared = declared
        self._table = witness.spelled(_where_it_lives(connection, site))
        self._there = self._table in witness.offered
        self._target = target
        self._model: DeclaredTable | None = declared.table(site.schema, str(site.table))
        if isinstance(target, PrimaryKey) and self._there:
            self._target = Elements(_primary_key(witness, self._table))
            site = replace(site, elements=tuple(e.label for e in self._target.elements))
        self._site = site
        self._upsert = UpsertInCode(
            path=site.path,
            line=site.line,
            schema=site.schema,
            table=str(site.table),
            elements=site.elements,
            where=site.where,
            constraint=target.name if isinstance(target, Constraint) else None,
        )

    @property
    def asked(self) -> Asked | None:
        """What the witness is asked; None: nothing, for the table or its primary key is not there."""
        if not self._there:
            return None
        match self._target:
            case Elements(()):
                return None
            case Elements(elements, predicate):
                bare = None if isinstance(predicate, Unread) else predicate
                return Asked(self._table, ConflictTarget(elements, bare))
            case Constraint(name):
                return Asked(self._table, name)
        return Asked(self._table, None)

    def judged(self, advice: SqlAdvice) -> JudgedSite:
        """Return the answer."""
        if not self._there:
            return self._missing()
        asked = self.asked
        if asked is None:
            return self._unserved(without_primary_key(self._upsert), no_target_hint())
        evidence = self._witness.evidence(asked)
        if evidence.resolution is Resolution.SERVED:
            return JudgedSite(site=replace(self._site, resolution=Resolution.SERVED))
        if evidence.resolution is Resolution.UNRESOLVED:
            return self._unresolved(evidence.reason)
        if isinstance(self._target, Elements) and isinstance(self._target.predicate, Unread):
            candidates = self._witness.offered[self._table].candidates
            if any(c.unique and c.partial for c in candidates):
                return self._unresolved(self._target.predicate.reason)
        return self._of_evidence(asked, evidence, advice)

    def _of_evidence(self, asked: Asked, evidence: Evidence, advice: SqlAdvice) -> JudgedSite:
        if isinstance(self._target, Constraint) and evidence.sqlstate == _NO_CONSTRAINT:
            index = self._witness.constraint(self._table, self._target.name)
            return self._unserved(
                missing_constraint_fact(self._upsert, index),
                advice.for_constraint(self._table, self._target.name),
                FindingCode.MISSING_CONSTRAINT,
            )
        if evidence.shortfall is None:
            is_told = self._witness.dialect.name == "postgresql"
            sqlstate = evidence.sqlstate if is_told else ""
            fact = refusal_fact(self._upsert, sqlstate, evidence.reason)
            return self._unserved(fact, refusal_hint(evidence.sqlstate))
        if isinstance(self._target, AnyArbiter):
            return self._unserved(without_unique(self._upsert), no_target_hint())
        target = asked.target
        if not isinstance(target, ConflictTarget):
            late = evidence.shortfall.candidate
            target = ConflictTarget(() if late is None else late.elements)
        database = database_for(self._witness.dialect)
        fact = shortfall_of_upsert(self._upsert, target, evidence.shortfall, database)
        return self._unserved(fact, self._hint(target, evidence, advice))

    def _hint(self, target: ConflictTarget, evidence: Evidence, advice: SqlAdvice) -> str:
        if self._model is None or self._is_beyond_models(evidence):
            return str(advice.hint(self._table, target, evidence.shortfall))
        return model_hint(
            [(e.label, e.column is None) for e in target.elements],
            target.predicate,
            self._declared.place_of(self._model),
            declared=self._site.resolution in (Resolution.DECLARED, Resolution.MODELLED),
        )

    def _is_beyond_models(self, evidence: Evidence) -> bool:
        """Whether no declaration makes the arbiter: a partition column lacks, a rule refuses, or it is no table."""
        relation = self._witness.offered[self._table].traits.relation
        short = evidence.shortfall
        if short is not None and (short.code is Code.PARTITION_KEY_MISSING or short.columns):
            return True
        return bool(short is not None and short.rules) or relation not in (
            "table",
            "partitioned table",
        )

    def _missing(self) -> JudgedSite:
        fact = missing_table_fact(self._upsert, self._witness.homes(self._table))
        hint = missing_table_hint(has_models=self._model is not None)
        return replace(self._unserved(fact, hint, FindingCode.MISSING_TABLE), is_missing=True)

    def _unserved(
        self, fact: str, hint: str, code: FindingCode = FindingCode.UNSERVED_UPSERT
    ) -> JudgedSite:
        return JudgedSite(
            site=replace(self._site, resolution=Resolution.UNSERVED),
            finding=self._upsert.finding(code, fact, hint),
        )

    def _unresolved(self, reason: str) -> JudgedSite:
        return JudgedSite(
            site=replace(self._site, resolution=Resolution.UNRESOLVED),
            finding=self._upsert.finding(FindingCode.UNRESOLVED_UPSERT, reason, unresolved_hint()),
        )


def _primary_key(witness: Witness, table: TableName) -> tuple[Element, ...]:
    candidates = witness.offered[table].candidates
    keys = (c.elements for c in candidates if c.kind is Kind.PRIMARY_KEY)
    return tuple(Element(e.column) for elements in keys for e in elements)
