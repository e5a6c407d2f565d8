"""One statement that looks its rows up by itself, on one database.

=======================================  =============================================================
what is unique in the database           answer
=======================================  =============================================================
columns of the lookup, or fewer          served
an expression or a predicate             unresolved, unless its text is that of the lookup
anything else                            unserved, a warning: it runs all the same
=======================================  =============================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases import database_for
from ..findings import Circumstance, describe_candidate
from ..findings.lookups import lookup_doubt, unserved_lookup
from ..inference import Code, ConflictTarget, Shortfall, State
from .lookup import judge_lookup
from .target import Lookup, Unread
from .target_case import TargetCase
from .upsert import JudgedUpsert, Resolution

if TYPE_CHECKING:
    from .advice import SqlAdvice
    from .witness import TargetQuestion

__all__ = ["LookupCase"]


class LookupCase(TargetCase):
    """The statement, and everything that is known of it; the catalog knows enough."""

    @property
    def _asked(self) -> TargetQuestion | None:
        return None

    def _of_table(self, advice: SqlAdvice) -> JudgedUpsert:
        lookup = self._target
        assert isinstance(lookup, Lookup)  # noqa: S101 - for mypy
        database, offered = database_for(self._witness.dialect), self._witness.offered[self._table]
        if offered.traits.relation not in ("table", "partitioned table"):
            return self._unresolved(f"the rows of a {offered.traits.relation} are looked up")
        judged = judge_lookup(lookup, offered.candidates, folds_case=not database.has_planner)
        unique = judged.candidate
        if judged.state is State.SATISFIED and unique is not None:
            arbiters = () if unique.name is None else (unique.name,)
            return JudgedUpsert(
                upsert=self._upsert, resolution=Resolution.SERVED, arbiters=arbiters
            )
        if unique is not None:
            return self._unresolved(lookup_doubt(f"the {describe_candidate(unique)}"))
        if isinstance(lookup.predicate, Unread):
            return self._unresolved(lookup.predicate.reason)
        target = ConflictTarget(lookup.elements, lookup.predicate)
        return self._unserved(
            unserved_lookup(self._subject.subject, lookup.statement),
            self._hint(target, Shortfall(Code.MISSING_ARBITER), advice),
            circumstance=Circumstance.LOOKED_UP,
        )
