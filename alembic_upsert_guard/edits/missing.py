"""The keys that the models lack, by the findings of a scan that a declaration settles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..findings import FindingCode
from ..findings.call_sites import Miss
from ..inference import Kind, State
from ..upserts.lookup import judge_lookup
from ..upserts.scan.constraints import constraints_by_name
from ..upserts.scan.matching import judge_target, normalized
from ..upserts.scan.nearest import nearest_arbiter
from ..upserts.target import (
    AnyArbiter,
    ConflictTargetCall,
    Constraint,
    ConstraintObject,
    Elements,
    Lookup,
    PrimaryKey,
    Unread,
)
from ..upserts.upsert import Resolution
from .spelling import KeyToWrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..findings import Finding
    from ..inference import Candidate
    from ..upserts.declared import DeclaredTable, DeclaredTables
    from ..upserts.target import Target
    from ..upserts.upsert import JudgedUpsert

__all__ = ["Missing", "missing_keys"]


@dataclass(frozen=True, slots=True)
class Missing:
    """One key that a table lacks."""

    table: DeclaredTable
    key: KeyToWrite
    findings: tuple[Finding, ...]
    """Those that are settled once it is declared."""


def missing_keys(
    findings: Iterable[Finding],
    upserts: Iterable[JudgedUpsert],
    models: DeclaredTables,
    *,
    primary_keys: bool = False,
) -> list[Missing]:
    """Return the keys to declare, in the order of the upserts that need them; each once.

    :param findings: those that nobody suppressed; upserts without one are left as they are.
    :param primary_keys: whether upserts on the whole primary key get a key too: it is what the table is about, and
     no revision takes it away by accident.
    """
    wanted = {each for each in findings if each.code is FindingCode.UNDECLARED_UPSERT}
    found: dict[object, Missing] = {}
    for judged in upserts:
        finding = next((each for each in judged.findings if each in wanted), None)
        table = judged.upsert.table
        model = None if isinstance(table, Unread) else table.only(models)
        if finding is None or model is None:
            continue
        wanted_key = _key_of(judged, model)
        if wanted_key is None or (wanted_key[1] and not primary_keys):
            continue
        key, _ = wanted_key
        identity = (model.schema, model.name, frozenset(key.elements), key.where)
        known = found.get(identity)
        settled = (finding,) if known is None else (*known.findings, finding)
        found[identity] = Missing(model, key if known is None else known.key, settled)
    return _without_narrower(list(found.values()))


def _key_of(judged: JudgedUpsert, table: DeclaredTable) -> tuple[KeyToWrite, bool] | None:
    """The key that the upsert needs, and whether it is the primary key.

    None: the upsert is likelier wrong than the models, or says too little.

    ===============================================  ============================================
    the models have                                  the key
    ===============================================  ============================================
    what serves it                                   that, in their spelling: so the key points at it
    nothing near, or some of its columns             the target of the call
    the same elements with a predicate, or more
    columns, or other expressions, or the primary
    key among its columns                            none: the call is likelier wrong
    a deferrable constraint on it                    none: it has to be made immediate first
    ===============================================  ============================================

    A statement that looks its rows up by itself is served by what is unique on fewer columns, too.
    """
    target = judged.upsert.target
    if judged.resolution is Resolution.MODELLED:
        return _as_it_is(_serving(target, table))
    if judged.resolution is not Resolution.UNDECLARED or not isinstance(
        target, Elements | ConflictTargetCall | Lookup
    ):
        return None
    if not target.elements or isinstance(target.predicate, Unread):
        return None
    offer = judge_target(table.arbiters, target.elements, target.predicate)
    if offer.state is State.SATISFIED:
        return _as_it_is(offer.candidate)
    columns = {e.column for e in target.elements if e.column is not None}
    if offer.candidate is not None or not columns <= set(table.column_names):
        return None
    near = nearest_arbiter(table.arbiters, target.elements)
    if near is None or (near[0] is Miss.FEWER and near[1].kind is not Kind.PRIMARY_KEY):
        return KeyToWrite(target.elements, target.predicate), False
    return None


def _as_it_is(candidate: Candidate | None) -> tuple[KeyToWrite, bool] | None:
    if candidate is None:
        return None
    key = KeyToWrite(candidate.elements, candidate.predicate)
    return key, candidate.kind is Kind.PRIMARY_KEY


def _serving(target: Target | Unread, table: DeclaredTable) -> Candidate | None:
    """What of the models serves a target; None: there are several, and it is not known which is meant."""
    match target:
        case Elements(elements, predicate) | ConflictTargetCall(elements, predicate):
            return judge_target(table.arbiters, elements, predicate).candidate
        case Constraint(name) | ConstraintObject(_, str() as name):
            return constraints_by_name(table).get(name)
        case ConstraintObject(elements, None):
            return judge_target(table.arbiters, elements, None).candidate
        case Lookup():
            return _keeping_apart(target, table)
        case PrimaryKey():
            return next((a for a in table.arbiters if a.kind is Kind.PRIMARY_KEY), None)
        case AnyArbiter():
            others = [a for a in table.arbiters if a.kind is not Kind.PRIMARY_KEY]
            return others[0] if len(others) == 1 else None
    return None


def _keeping_apart(lookup: Lookup, table: DeclaredTable) -> Candidate | None:
    spelled = {normalized(arbiter): arbiter for arbiter in table.arbiters if arbiter.immediate}
    judged = judge_lookup(lookup, spelled)
    if judged.state is not State.SATISFIED or judged.candidate is None:
        return None
    return spelled[judged.candidate]


def _without_narrower(found: Sequence[Missing]) -> list[Missing]:
    """A key without a predicate serves every predicate on the same elements: the partial ones are not needed."""
    full = {_elements(each): each for each in found if each.key.where is None}
    kept: list[Missing] = []
    for each in found:
        wider = full.get(_elements(each), each)
        if wider is each:
            settled = [m.findings for m in found if _elements(m) == _elements(each)]
            is_full = each.key.where is None
            findings = tuple(f for group in settled for f in group) if is_full else each.findings
            kept.append(Missing(each.table, each.key, findings))
    return kept


def _elements(missing: Missing) -> object:
    table = missing.table
    return table.schema, table.name, frozenset(missing.key.elements)
