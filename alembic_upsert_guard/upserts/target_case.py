"""One upsert of which table and target are known, on one database.

=======================================  =============================================================
the upsert                               answer
=======================================  =============================================================
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

from dataclasses import replace
from typing import TYPE_CHECKING

from ..databases import database_for
from ..findings import FindingCode
from ..findings.constraints import missing_constraint_fact
from ..findings.django import django_without_unique
from ..findings.unserved import (
    UpsertInCode,
    missing_table_fact,
    missing_table_hint,
    model_hint,
    no_target_hint,
    occurrence,
    refusal_fact,
    refusal_hint,
    shortfall_of_upsert,
    unresolved_hint,
    without_primary_key,
    without_unique,
)
from ..inference import Code, ConflictTarget, Element, Kind
from .evidence import NO_CONSTRAINT
from .target import (
    AnyArbiter,
    ConflictTargetCall,
    Constraint,
    ConstraintObject,
    Elements,
    PrimaryKey,
    Unread,
)
from .upsert import Form, JudgedUpsert, Resolution, Source
from .witness import TargetQuestion

if TYPE_CHECKING:
    from ..catalog import TableName
    from ..catalog.functions import Question
    from ..findings import Circumstance
    from ..inference import Shortfall
    from .advice import SqlAdvice
    from .declared import DeclaredTable, DeclaredTables
    from .evidence import Evidence
    from .target import Target
    from .upsert import Upsert
    from .witness import Witness

__all__ = ["TargetCase", "readable_target", "subject_of", "unread_upsert"]


def readable_target(upsert: Upsert) -> Target | None:
    """Return the target in elements, a constraint's name, a primary key or none at all; None: something is unread."""
    target = upsert.target
    if isinstance(upsert.table, Unread):
        return None
    match target:
        case Unread() | ConflictTargetCall(()):
            return None
        case ConflictTargetCall(elements, predicate):
            return Elements(elements, predicate)
        # what SQLAlchemy renders: the name that it has, else the columns
        case ConstraintObject(_, str() as name):
            return Constraint(name)
        case ConstraintObject(elements):
            return Elements(elements)
    return target


def unread_upsert(upsert: Upsert, obstacle: str | None = None) -> JudgedUpsert:
    """Return that nothing is known of an upsert whose table or target is unread.

    :param obstacle: why it is not known which table is meant, where its name is read; None: nothing is in the way.
    """
    reason = obstacle or "the key that conflict_target() picks is in the models"
    for part in (upsert.target, upsert.table):
        if isinstance(part, Unread):
            reason = part.reason
    finding = subject_of(upsert).finding(FindingCode.UNRESOLVED_UPSERT, reason, unresolved_hint())
    return JudgedUpsert(upsert=upsert, resolution=Resolution.UNRESOLVED, findings=(finding,))


class TargetCase:
    """The upsert, and everything that is known of it."""

    def __init__(
        self,
        witness: Witness,
        upsert: Upsert,
        table: TableName,
        target: Target,
        *,
        models: DeclaredTables,
        is_modelled: bool,
    ) -> None:
        """The database is not asked yet.

        :param table: one of those that `witness` was made with.
        :param target: what :func:`readable_target` makes of the upsert's.
        :param is_modelled: whether the models serve the upsert.
        """
        self._witness = witness
        self._models = models
        self._model = models.table(upsert.schema, table.name) or _without_schema(upsert)
        self._is_modelled = is_modelled
        self._table = witness.spelled(table)
        self._is_there = self._table in witness.offered
        self._target = target
        if isinstance(target, PrimaryKey) and self._is_there:
            self._target = Elements(_primary_key(witness, self._table))
            columns = tuple(element.label for element in self._target.elements)
            upsert = replace(upsert, target=PrimaryKey(columns))
        self._upsert = upsert
        self._subject = subject_of(upsert)

    @property
    def question(self) -> Question | None:
        """What the planner is asked; None: nothing, for the table or its primary key is not there."""
        return None if self._asked is None else self._witness.question(self._asked)

    @property
    def advised_table(self) -> None:
        """Every table that a hint is about was read at once."""

    @property
    def _asked(self) -> TargetQuestion | None:
        if not self._is_there:
            return None
        match self._target:
            case Elements(()):
                return None
            case Elements(elements, predicate):
                bare = None if isinstance(predicate, Unread) else predicate
                return TargetQuestion(self._table, ConflictTarget(elements, bare))
            case Constraint(name):
                return TargetQuestion(self._table, name)
        return TargetQuestion(self._table, None)

    def judged(self, advice: SqlAdvice) -> JudgedUpsert:
        """Return the answer, once the database was asked."""
        if not self._is_there:
            fact = missing_table_fact(self._subject, self._witness.homes(self._table))
            hint = missing_table_hint(has_models=self._model is not None)
            return self._unserved(fact, hint, FindingCode.MISSING_TABLE)
        return self._of_table(advice)

    def _of_table(self, advice: SqlAdvice) -> JudgedUpsert:
        """The answer on a table that is there."""
        asked = self._asked
        if asked is None:
            return self._unserved(without_primary_key(self._subject), no_target_hint())
        evidence = self._witness.evidence(asked)
        if evidence.resolution is Resolution.SERVED:
            return JudgedUpsert(
                upsert=self._upsert, resolution=Resolution.SERVED, arbiters=evidence.arbiters
            )
        if evidence.resolution is Resolution.UNRESOLVED:
            return self._unresolved(evidence.reason)
        if isinstance(self._target, Elements) and isinstance(self._target.predicate, Unread):
            candidates = self._witness.offered[self._table].candidates
            if any(c.unique and c.partial for c in candidates):
                return self._unresolved(self._target.predicate.reason)
        return self._of_refusal(asked, evidence, advice)

    def _of_refusal(
        self, asked: TargetQuestion, evidence: Evidence, advice: SqlAdvice
    ) -> JudgedUpsert:
        if isinstance(self._target, Constraint) and evidence.sqlstate == NO_CONSTRAINT:
            index = self._witness.constraint(self._table, self._target.name)
            return self._unserved(
                missing_constraint_fact(self._subject, index),
                advice.for_constraint(self._table, self._target.name),
                FindingCode.MISSING_CONSTRAINT,
            )
        database = database_for(self._witness.dialect)
        if evidence.shortfall is None:
            sqlstate = evidence.sqlstate if database.has_sqlstates else ""
            fact = refusal_fact(self._subject, sqlstate, evidence.reason)
            return self._unserved(fact, refusal_hint(evidence.sqlstate))
        if isinstance(self._target, AnyArbiter):
            return self._unserved(without_unique(self._subject), self._no_target_hint())
        target = asked.target
        if not isinstance(target, ConflictTarget):
            spoiler = evidence.shortfall.candidate
            target = ConflictTarget(() if spoiler is None else spoiler.elements)
        fact = shortfall_of_upsert(self._subject, target, evidence.shortfall, database)
        return self._unserved(fact, self._hint(target, evidence.shortfall, advice))

    def _hint(self, target: ConflictTarget, shortfall: Shortfall, advice: SqlAdvice) -> str:
        if self._model is None or self._is_beyond_models(shortfall):
            return str(advice.hint(self._table, target, shortfall, self._upsert.call))
        return model_hint(
            [(e.label, e.column is None) for e in target.elements],
            target.predicate,
            self._models.place_of(self._model),
            declared=self._is_modelled,
        )

    def _no_target_hint(self) -> str:
        is_django = self._upsert.form is Form.DJANGO and self._model is None
        return django_without_unique(self._upsert.call) if is_django else no_target_hint()

    def _is_beyond_models(self, shortfall: Shortfall) -> bool:
        """Whether no declaration makes the arbiter: a partition column lacks, a rule refuses, or it is no table."""
        if shortfall.code is Code.PARTITION_KEY_MISSING or shortfall.columns or shortfall.rules:
            return True
        relation = self._witness.offered[self._table].traits.relation
        return relation not in ("table", "partitioned table")

    def _unserved(
        self,
        fact: str,
        hint: str,
        code: FindingCode = FindingCode.UNSERVED_UPSERT,
        circumstance: Circumstance | None = None,
    ) -> JudgedUpsert:
        return JudgedUpsert(
            upsert=self._upsert,
            resolution=Resolution.UNSERVED,
            findings=(self._subject.finding(code, fact, hint, circumstance),),
        )

    def _unresolved(self, reason: str) -> JudgedUpsert:
        finding = self._subject.finding(FindingCode.UNRESOLVED_UPSERT, reason, unresolved_hint())
        return JudgedUpsert(
            upsert=self._upsert, resolution=Resolution.UNRESOLVED, findings=(finding,)
        )


def _without_schema(upsert: Upsert) -> DeclaredTable | None:
    """The model that the upsert was found to mean, whose table names no schema of its own; None: there is none."""
    model = None if isinstance(upsert.table, Unread) else upsert.table.declared
    return model if model is not None and model.schema is None else None


def _primary_key(witness: Witness, table: TableName) -> tuple[Element, ...]:
    candidates = witness.offered[table].candidates
    keys = (c.elements for c in candidates if c.kind is Kind.PRIMARY_KEY)
    return tuple(Element(e.column) for elements in keys for e in elements)


def subject_of(upsert: Upsert) -> UpsertInCode:
    """Return the upsert as a finding is about it."""
    counts = upsert.source is Source.STATEMENTS and upsert.calls is not None
    return UpsertInCode(
        location=upsert.location,
        helper=upsert.helper,
        occurrence=occurrence(upsert.calls or 0, failed=upsert.location is not None)
        if counts
        else "",
        schema=upsert.schema,
        table=str(upsert.table_name),
        elements=upsert.elements,
        where=upsert.where,
        constraint=upsert.constraint,
    )
