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
    from ..catalog import Offered
    from .advice import SqlAdvice
    from .upsert import Upsert
    from .witness import TargetQuestion

__all__ = ["LookupCase", "settled_lookup"]


class LookupCase(TargetCase):
    """The statement, and everything that is known of it; the catalog knows enough."""

    @property
    def _asked(self) -> TargetQuestion | None:
        return None

    def _of_table(self, advice: SqlAdvice) -> JudgedUpsert:
        lookup = self._target
        assert isinstance(lookup, Lookup)  # noqa: S101 - for mypy
        folds_case = not database_for(self._witness.dialect).has_planner
        offered = self._witness.offered[self._table]
        settled = settled_lookup(self._upsert, lookup, offered, folds_case=folds_case)
        if settled is not None:
            return self._unresolved(settled) if isinstance(settled, str) else settled
        assert not isinstance(lookup.predicate, Unread)  # noqa: S101 - as above
        target = ConflictTarget(lookup.elements, lookup.predicate)
        return self._unserved(
            unserved_lookup(self._subject.subject, lookup.statement),
            self._hint(target, Shortfall(Code.MISSING_ARBITER), advice),
            circumstance=Circumstance.LOOKED_UP,
        )


def settled_lookup(
    upsert: Upsert, lookup: Lookup, offered: Offered, *, folds_case: bool = False
) -> JudgedUpsert | str | None:
    """Return what a table of a database says of an upsert that looks its rows up.

    That it is served; a `str` is why it is not known, in words; None: nothing keeps its rows apart, and its predicate
    is read.
    """
    relation = offered.traits.relation
    if relation not in ("table", "partitioned table"):
        return f"the rows of a {relation} are looked up"
    judged = judge_lookup(lookup, offered.candidates, folds_case=folds_case)
    unique = judged.candidate
    if judged.state is State.SATISFIED and unique is not None:
        arbiters = () if unique.name is None else (unique.name,)
        return JudgedUpsert(upsert=upsert, resolution=Resolution.SERVED, arbiters=arbiters)
    if unique is not None:
        return lookup_doubt(f"the {describe_candidate(unique)}")
    return lookup.predicate.reason if isinstance(lookup.predicate, Unread) else None
