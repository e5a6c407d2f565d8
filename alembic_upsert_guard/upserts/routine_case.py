"""One upsert of a database's routine: the planner is asked about its own statement, under its own ``search_path``.

=========================================  ===========================================
the upsert                                 answer
=========================================  ===========================================
asked about                                as :mod:`.evidence` has it
a variable decides on the target           unresolved
a variable has a target column's name      unserved: 42702, as PL/pgSQL answers
what only a call would meet                unresolved
=========================================  ===========================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..catalog import TableName
from ..catalog.functions import Question
from ..findings.function_findings import (
    UpsertOfFunction,
    missing_constraint_of_function,
    unresolved_in_function,
    unserved_function,
)
from ..inference import ConflictTarget
from .evidence import NO_COLUMN, NO_CONSTRAINT, NO_TABLE, Evidence, evidence_of_plan
from .target import Constraint, Elements, Lookup, NamedTable, Unread
from .upsert import JudgedUpsert, NameClash, Resolution

if TYPE_CHECKING:
    from ..catalog.functions import Answer
    from ..findings import Finding
    from .advice import SqlAdvice
    from .upsert import RoutineContext, Upsert
    from .witness import Witness

__all__ = ["RoutineCase", "subject_of_routine"]


class RoutineCase:
    """The upsert, and everything that is known of it."""

    def __init__(
        self, witness: Witness, upsert: Upsert, routine: RoutineContext, *, in_sql: bool
    ) -> None:
        """The database is not asked yet.

        :param in_sql: whether hints are the SQL to run, and not what a model declares.
        """
        self._witness = witness
        self._upsert = upsert
        self._routine = routine
        self._in_sql = in_sql

    @property
    def question(self) -> Question | None:
        """What the planner is asked; None: it cannot be."""
        table, routine = self._upsert.table, self._routine
        if isinstance(table, Unread) or not routine.statement or routine.unplannable:
            return None
        # in a database names are as they are
        names = [name for name in (table.schema, table.name) if isinstance(name, str)]
        relation = ".".join('"' + name.replace('"', '""') + '"' for name in names)
        return Question(routine.statement, relation, routine.search_path)

    @property
    def advised_table(self) -> TableName | None:
        """The table that a hint in SQL is about; None: there is no such hint."""
        upsert = self._located()
        if not self._in_sql or upsert.table_name is None:
            return None
        if self._evidence().resolution is not Resolution.UNSERVED:
            return None
        return TableName(upsert.schema, upsert.table_name)

    def judged(self, advice: SqlAdvice) -> JudgedUpsert:
        """Return the answer, once the database was asked."""
        upsert, evidence = self._located(), self._evidence()
        finding = self._finding(upsert, evidence, advice)
        return JudgedUpsert(
            upsert=upsert,
            resolution=evidence.resolution,
            arbiters=evidence.arbiters,
            findings=() if finding is None else (finding,),
        )

    @property
    def _answer(self) -> Answer | None:
        return None if self.question is None else self._witness.answer(self.question)

    def _located(self) -> Upsert:
        """The upsert, with the schema in which the database finds the table."""
        table, answer = self._upsert.table, self._answer
        if isinstance(table, Unread) or table.schema is not None or answer is None:
            return self._upsert
        return replace(self._upsert, table=NamedTable(table.name, answer.schema))

    # -- what it comes to

    def _evidence(self) -> Evidence:
        answer = self._answer
        if answer is None:
            return _unresolved(self._obstacle())
        evidence = evidence_of_plan(answer)
        if not answer.asked:
            return evidence
        of_clash = self._of_clash(answer)
        if of_clash is not None:
            return of_clash
        if evidence.sqlstate == NO_TABLE and self._routine.may_make_table:
            return _unresolved(
                f"{answer.message}; it may be a temporary table that a function makes"
            )
        return evidence

    def _obstacle(self) -> str:
        """Why the planner is not asked."""
        for part in (self._upsert.table, self._upsert.target):
            if isinstance(part, Unread):
                return part.reason
        return str(self._routine.unplannable)

    def _of_clash(self, answer: Answer) -> Evidence | None:
        """What PL/pgSQL and SQL make of a name that is a variable's, and perhaps a column's; None: nothing."""
        for name, clash in self._routine.clashes:
            if clash is NameClash.VALUE or answer.sqlstate == NO_COLUMN:
                return _unresolved(
                    f"{name} in the conflict target is a value of the call: no plan is made without it"
                )
            if clash is NameClash.COLUMN or answer.sqlstate not in (None, "42P10"):
                continue
            if clash is NameClash.AMBIGUOUS:
                reason = f'column reference "{name}" is ambiguous'
                return Evidence(resolution=Resolution.UNSERVED, sqlstate="42702", reason=reason)
            return _unresolved(
                f"{name} in the conflict target is the name of a column and of a variable"
            )
        return None

    # -- what is said of it

    def _finding(self, upsert: Upsert, evidence: Evidence, advice: SqlAdvice) -> Finding | None:
        subject = subject_of_routine(upsert)
        if evidence.resolution is Resolution.UNRESOLVED:
            return unresolved_in_function(subject, evidence.reason)
        if evidence.resolution is not Resolution.UNSERVED:
            return None
        if isinstance(upsert.target, Constraint) and evidence.sqlstate == NO_CONSTRAINT:
            hint = None
            if self._in_sql:
                hint = advice.for_constraint(_table_of(upsert), upsert.target.name)
            return missing_constraint_of_function(subject, evidence.reason, hint)
        hint = self._hint(upsert, evidence, advice)
        return unserved_function(subject, evidence.sqlstate, evidence.reason, hint)

    def _hint(self, upsert: Upsert, evidence: Evidence, advice: SqlAdvice) -> str | None:
        """The SQL that makes the arbiter; None: no arbiter is what is missing, or the models are to declare it."""
        target = upsert.target
        is_short = evidence.sqlstate in ("42P10", "55000")
        if not self._in_sql or not is_short or not isinstance(target, Elements):
            return None
        if isinstance(target.predicate, Unread):
            return None
        conflict_target = ConflictTarget(target.elements, target.predicate)
        return advice.hint(_table_of(upsert), conflict_target)


def _table_of(upsert: Upsert) -> TableName:
    return TableName(upsert.schema, str(upsert.table_name))


def _unresolved(reason: str) -> Evidence:
    return Evidence(resolution=Resolution.UNRESOLVED, reason=reason)


def subject_of_routine(upsert: Upsert) -> UpsertOfFunction:
    """Return the upsert as a finding is about it."""
    elements: tuple[tuple[str, bool], ...] = ()
    if isinstance(upsert.target, Elements | Lookup):
        elements = tuple((e.label, e.column is None) for e in upsert.target.elements)
    return UpsertOfFunction(
        function=upsert.place.path or "",
        line=upsert.place.line or 0,
        schema=upsert.schema,
        table=upsert.table_name,
        elements=elements,
        where=upsert.where,
        constraint=upsert.constraint,
    )
