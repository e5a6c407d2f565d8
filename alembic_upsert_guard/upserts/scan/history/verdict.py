"""One upsert of a migration, held against the table that it met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....findings import FindingCode, describe_candidate
from ....findings.history import history_doubt, unresolved_in_history, unserved_in_history
from ....inference import Kind, State
from ...lookup import judge_lookup
from ...target import AnyArbiter, Constraint, Elements, Lookup, Unread
from ...upsert import JudgedUpsert, Resolution
from ..answer import finding_of
from ..matching import judge_target, normalized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....inference import Candidate
    from ...upsert import Upsert
    from .table import HistoricTable

__all__ = ["judged_by_history", "judged_without_history"]

_BY_CONVENTION = "no statement names the constraint: it may have another name"
_NOT_IN_SQL = "the target is one of the models', and they are today's"


def judged_without_history(upsert: Upsert, reason: str) -> JudgedUpsert:
    """Return that it is not known what an upsert met.

    :param reason: in words; empty: the upsert itself is not read.
    """
    for part in (upsert.table, upsert.target):
        if isinstance(part, Unread):
            reason = part.reason
    return _unresolved(upsert, reason)


def judged_by_history(upsert: Upsert, table: HistoricTable) -> JudgedUpsert:
    """Return what a table says of an upsert; nothing is proven by text that is not equal."""
    unique = [each for each in table.candidates if each.unique]
    if isinstance(upsert.target, Unread) or table.doubt is not None:
        return judged_without_history(upsert, table.doubt or "")
    match upsert.target:
        case Elements() as target:
            return _of_elements(upsert, unique, target)
        case Constraint(name):
            if name in table.guessed:
                return _unresolved(upsert, _BY_CONVENTION)
            return _of_constraint(upsert, table.candidates, name)
        case AnyArbiter():
            late = next((each for each in unique if not each.immediate), None)
            return _served(upsert) if late is None else _unserved(upsert, table.candidates)
        case Lookup() as lookup:
            state = judge_lookup(lookup, map(normalized, unique)).state
            return _served(upsert, state is State.SATISFIED)
    return _unresolved(upsert, _NOT_IN_SQL)


def _of_elements(upsert: Upsert, unique: Sequence[Candidate], target: Elements) -> JudgedUpsert:
    predicate = target.predicate
    judged = judge_target(unique, target.elements, predicate)
    if judged.state is State.SATISFIED:
        return _served(upsert)
    if judged.state is State.UNKNOWN:
        if isinstance(predicate, Unread):
            return _unresolved(upsert, predicate.reason)
        named = None if judged.candidate is None else describe_candidate(judged.candidate)
        return _unresolved(upsert, history_doubt(named))
    return _unserved(upsert, unique)


def _of_constraint(upsert: Upsert, candidates: Sequence[Candidate], name: str) -> JudgedUpsert:
    named = next((each for each in candidates if each.name == name), None)
    if named is None:
        return _unresolved(upsert, f"no migration before it states the constraint {name}")
    if named.kind is Kind.INDEX or not named.immediate:
        return _unserved(upsert, candidates)
    return _served(upsert)


def _served(upsert: Upsert, is_served: bool = True) -> JudgedUpsert:
    resolution = Resolution.SERVED if is_served else Resolution.READ
    return JudgedUpsert(upsert=upsert, resolution=resolution)


def _unserved(upsert: Upsert, candidates: Sequence[Candidate]) -> JudgedUpsert:
    named = [describe_candidate(each) for each in candidates if each.unique]
    wording = unserved_in_history(
        str(upsert.table_name), upsert.elements, upsert.where, upsert.constraint, named
    )
    finding = finding_of(upsert, FindingCode.UNDECLARED_UPSERT, wording)
    return JudgedUpsert(upsert=upsert, resolution=Resolution.UNSERVED, findings=(finding,))


def _unresolved(upsert: Upsert, reason: str) -> JudgedUpsert:
    finding = finding_of(upsert, FindingCode.UNRESOLVED_UPSERT, unresolved_in_history(reason))
    return JudgedUpsert(upsert=upsert, resolution=Resolution.UNRESOLVED, findings=(finding,))
