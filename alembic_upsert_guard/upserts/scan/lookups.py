"""A statement that looks its rows up by itself, held against one table of the models: the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...findings import Circumstance, describe_candidate
from ...findings.lookups import lookup_doubt, modelled_lookup, undeclared_lookup
from ...inference import State
from ..lookup import judge_lookup
from ..target import Cause, Unread
from .answer import declared, modelled, undeclared, unresolved
from .matching import normalized
from .unknown_columns import answer_of_unknown_columns

if TYPE_CHECKING:
    from ..target import Lookup
    from .answer import Answer, ModelContext

__all__ = ["answer_of_lookup"]


def answer_of_lookup(context: ModelContext, lookup: Lookup) -> Answer:
    """Return what the models say of a statement that infers no arbiter.

    What is unique on fewer columns keeps its rows apart, too.
    """
    table, predicate = context.table, lookup.predicate
    unknown = answer_of_unknown_columns(context, lookup.elements)
    if unknown is not None:
        return unknown
    declared_arbiters = [normalized(key.arbiter) for key in table.keys]
    by_keys = judge_lookup(lookup, declared_arbiters)
    if by_keys.state is State.SATISFIED:
        return declared(next(k for k in table.keys if normalized(k.arbiter) == by_keys.candidate))
    # no key can point at a deferrable one
    arbiters = sorted(table.arbiters, key=lambda arbiter: not arbiter.immediate)
    spelled = {normalized(arbiter): arbiter for arbiter in arbiters}
    judged = judge_lookup(lookup, spelled)
    if judged.state is State.UNKNOWN and judged.candidate is not None:
        named = f"the {describe_candidate(judged.candidate)}"
        return unresolved(lookup_doubt(named), context.call, Cause.OTHER_SQL)
    offer = context.offer(lookup.elements, None if isinstance(predicate, Unread) else predicate)
    if judged.candidate is not None:
        arbiter = spelled[judged.candidate]
        pointing = context.offer(arbiter.elements, arbiter.predicate)
        return modelled(
            modelled_lookup(lookup.statement, table.full_name, offer, pointing, judged.candidate)
        )
    if isinstance(predicate, Unread):
        return unresolved(predicate, context.call)
    wording = undeclared_lookup(lookup.statement, table.full_name, offer)
    return undeclared(wording, circumstance=Circumstance.LOOKED_UP)
