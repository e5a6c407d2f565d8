"""One statement of a routine's that looks its rows up by itself, on one database.

=======================================  =============================================================
the statement                            answer
=======================================  =============================================================
the table is not there                   as :mod:`.routine_case` has it
the planner finds the table              as :mod:`.lookup_case` has it
may not be asked (privileges)            the same: the catalog knows enough
refused otherwise                        unresolved, in the server's own sentence
=======================================  =============================================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..catalog import TableName
from ..findings.function_findings import unresolved_in_function, unserved_lookup_of_function
from ..inference import Code, ConflictTarget, Shortfall
from .evidence import NO_TABLE
from .lookup_case import settled_lookup
from .routine_case import RoutineCase, subject_of_routine
from .target import Lookup, Unread
from .upsert import JudgedUpsert, Resolution

if TYPE_CHECKING:
    from ..catalog.functions import Answer
    from .advice import SqlAdvice
    from .upsert import Upsert

__all__ = ["RoutineLookupCase"]

_NOT_THERE = (NO_TABLE, "3F000")
_KNOWN_BY_CATALOG = (None, "42501")
"""SQLSTATEs of an answer that says which table is meant; None: there is a plan."""


class RoutineLookupCase(RoutineCase):
    """The statement, and everything that is known of it; the planner says only which table is meant."""

    @property
    def advised_table(self) -> TableName | None:
        """The table that rows are looked up in; None: it is not known."""
        answer = self._answer
        if answer is None or answer.sqlstate not in _KNOWN_BY_CATALOG:
            return None
        upsert = self._located()
        return TableName(upsert.schema, str(upsert.table_name))

    @property
    def _answer(self) -> Answer | None:
        # without a target every unique index of the table counts as an arbiter, and none is meant
        answer = super()._answer
        return None if answer is None else replace(answer, deferrable=())

    def judged(self, advice: SqlAdvice) -> JudgedUpsert:
        """Return the answer, once the database was asked."""
        table, answer = self.advised_table, self._answer
        if answer is None or answer.sqlstate in _NOT_THERE:
            return super().judged(advice)
        upsert = self._located()
        if table is None or table not in self._witness.offered:
            return _unresolved(upsert, f"which table is meant is not known: {answer.message}")
        return self._of_table(upsert, table, advice)

    def _of_table(self, upsert: Upsert, table: TableName, advice: SqlAdvice) -> JudgedUpsert:
        lookup, offered = upsert.target, self._witness.offered[table]
        assert isinstance(lookup, Lookup)  # noqa: S101 - for mypy
        settled = settled_lookup(upsert, lookup, offered)
        if settled is not None:
            return _unresolved(upsert, settled) if isinstance(settled, str) else settled
        assert not isinstance(lookup.predicate, Unread)  # noqa: S101 - as above
        target = ConflictTarget(lookup.elements, lookup.predicate)
        sql = None
        if self._in_sql:
            sql = advice.hint(table, target, Shortfall(Code.MISSING_ARBITER))
        finding = unserved_lookup_of_function(subject_of_routine(upsert), lookup.statement, sql)
        return JudgedUpsert(upsert=upsert, resolution=Resolution.UNSERVED, findings=(finding,))


def _unresolved(upsert: Upsert, reason: str) -> JudgedUpsert:
    finding = unresolved_in_function(subject_of_routine(upsert), reason)
    return JudgedUpsert(upsert=upsert, resolution=Resolution.UNRESOLVED, findings=(finding,))
