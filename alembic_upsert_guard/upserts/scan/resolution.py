"""A conflict target held against one table of the models: the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...findings import describe_candidate
from ...findings.call_sites import (
    Miss,
    Near,
    any_is_deferrable,
    key_not_found,
    modelled_target,
    modelled_without_target,
    undeclared_target,
    undeclared_without_target,
    unknown_table,
)
from ...findings.calls import target_line
from ...findings.schemas import no_table_of_name, several_tables_of_name, similar_tables
from ...inference import Element, Kind, State
from ..target import (
    AnyArbiter,
    Cause,
    ConflictTargetCall,
    Constraint,
    ConstraintObject,
    Elements,
    Lookup,
    PrimaryKey,
    Unread,
)
from ..upsert import Resolution
from .answer import Answer, declared, modelled, undeclared, unresolved
from .constraints import answer_by_name
from .lookups import answer_of_lookup
from .matching import Match, judge_target, match_key
from .nearest import nearest_arbiter
from .unknown_columns import answer_of_unknown_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...findings.calls import Call
    from ...inference import Candidate
    from ..declared import DeclaredKey, DeclaredTables
    from ..target import NamedTable, Target
    from .answer import ModelContext

__all__ = ["answer_of", "read_only", "without_model"]


def read_only(target: Target | Unread, call: Call) -> Answer:
    """Return whether a target can be read, where there are no models to hold it against."""
    if isinstance(target, Unread):
        return unresolved(target, call)
    if isinstance(target, Elements | ConflictTargetCall | Lookup) and isinstance(
        target.predicate, Unread
    ):
        return unresolved(target.predicate, call)
    if isinstance(target, ConflictTargetCall) and not target.elements:
        return unresolved(
            "the key that conflict_target() picks is in the models", call, Cause.NO_MODEL
        )
    return Answer(Resolution.READ)


def without_model(
    call: Call, named: NamedTable, models: DeclaredTables, *, fails: bool = True
) -> Answer:
    """Return what is so of a table that the models do not have under that name, or have in several schemas.

    :param fails: whether the statement fails without something unique; one that does not may be another database's.
    """
    is_schema_known = not isinstance(named.schema, Unread)
    several = [table.full_name for table in named.among(models)]
    if several:
        return unresolved(several_tables_of_name(several), call, Cause.SEVERAL_SCHEMAS)
    schema = named.schema if isinstance(named.schema, str) else None
    similar = [table.full_name for table in models.tables_of_similar_name(schema, named.name)]
    if similar:
        reason = similar_tables(call.table if is_schema_known else named.name, similar)
        line = similar[0] if len(similar) == 1 and is_schema_known else None
        return unresolved(reason, call, Cause.OTHER_SCHEMA, line)
    if not is_schema_known:
        return unresolved(no_table_of_name(named.name), call, Cause.NO_MODEL)
    if not fails:
        return unresolved(f"no model has the table {call.table}", call, Cause.NO_MODEL)
    return undeclared(unknown_table(call))


def answer_of(target: Target | Unread, context: ModelContext) -> Answer:
    """Return what the models say of a target on one of their tables."""
    match target:
        case Unread():
            return unresolved(target, context.call)
        case Elements(elements, predicate):
            return _of_elements(context, elements, predicate)
        case PrimaryKey():
            return _of_primary_key(context)
        case Constraint(name):
            return answer_by_name(context, name)
        case ConstraintObject(elements, name):
            return _of_constraint_object(context, elements, name)
        case AnyArbiter():
            return _of_any(context)
        case ConflictTargetCall(elements, predicate):
            return _of_key(context, elements, predicate)
        case Lookup():
            return answer_of_lookup(context, target)


def _of_elements(
    context: ModelContext, elements: tuple[Element, ...], predicate: str | Unread | None
) -> Answer:
    table = context.table
    matches = [match_key(key, elements, predicate) for key in table.keys]
    if Match.SAME in matches:
        return declared(table.keys[matches.index(Match.SAME)])
    judged = judge_target(table.arbiters, elements, predicate)
    where = None if isinstance(predicate, Unread) else predicate
    offer = context.offer(elements, where)
    if judged.deferrable and judged.candidate is not None:
        spoiler = Near(miss=Miss.DEFERRABLE, arbiter=judged.candidate)
        return undeclared(undeclared_target(context.call, offer, spoiler))
    if judged.state is State.SATISFIED and judged.candidate is not None:
        return modelled(modelled_target(context.call, offer, judged.candidate))
    if judged.state is State.UNKNOWN or Match.DOUBT in matches:
        if isinstance(predicate, Unread):
            return unresolved(predicate, context.call)
        return _doubtful(context, judged.candidate, simplified=judged.simplified)
    unknown = answer_of_unknown_columns(context, elements)
    if unknown is not None:
        return unknown
    near_by = nearest_arbiter(table.arbiters, elements)
    near = None if near_by is None else _near(context, *near_by)
    return undeclared(undeclared_target(context.call, offer, near, context.declared_keys))


def _near(context: ModelContext, miss: Miss, arbiter: Candidate) -> Near:
    key = next((k for k in context.table.keys if k.arbiter == arbiter), None)
    return Near(
        miss=miss,
        arbiter=arbiter,
        key=context.key_line(key),
        primary=arbiter.kind is Kind.PRIMARY_KEY,
    )


def _doubtful(context: ModelContext, candidate: Candidate | None, *, simplified: bool) -> Answer:
    if candidate is None:
        return unresolved("whether the models serve it is not known", context.call, Cause.OTHER_SQL)
    key = next((k for k in context.table.keys if k.arbiter == candidate), None)
    named = f"the {describe_candidate(candidate)}" if key is None else context.describe(key)
    if simplified:
        reason = f"whether {named} serves it is not known: the planner may make a column of an expression in it"
        return unresolved(reason, context.call, Cause.SIMPLIFIED)
    reason = f"whether {named} serves it is not known: its SQL reads differently"
    line = context.key_line(key) if context.call.form.is_python else None
    line = line or target_line(context.call, candidate.elements, candidate.predicate)
    return unresolved(reason, context.call, Cause.OTHER_SQL, line)


def _of_primary_key(context: ModelContext) -> Answer:
    table = context.table
    if not table.primary_key:
        reason = f"the primary key is meant, and the model of {table.full_name} has none"
        return unresolved(reason, context.call, Cause.NO_PRIMARY_KEY)
    elements = tuple(Element(column=name) for name in table.primary_key)
    return replace(_of_elements(context, elements, None), target=PrimaryKey(table.primary_key))


def _of_constraint_object(
    context: ModelContext, elements: tuple[Element, ...], name: str | None
) -> Answer:
    """A constraint is taken by its name; the metadata's naming convention may give it one."""
    if name is None:
        wanted = frozenset(elements)
        constraints = [c for c in context.table.arbiters if c.kind is not Kind.INDEX]
        named = (c.name for c in constraints if frozenset(c.elements) == wanted)
        name = next(named, None)
    if name is None:
        return _of_elements(context, elements, None)
    answer = answer_by_name(context, name)
    return replace(answer, target=ConstraintObject(elements, name))


def _of_any(context: ModelContext) -> Answer:
    table = context.table
    deferrable = next((c for c in table.arbiters if not c.immediate), None)
    if deferrable is not None:
        # without a target every unique index of the table is one (execIndexing.c)
        return undeclared(any_is_deferrable(table.full_name, deferrable))
    if table.keys:
        return declared(None)
    if table.arbiters:
        return modelled(modelled_without_target(table.full_name, table.arbiters[0], context.place))
    if any(kind == "EXCLUDE" for _, kind in table.others):
        reason = f"the upsert names no target, and {table.full_name} has exclusion constraints only"
        return unresolved(reason, context.call, Cause.EXCLUSION)
    return undeclared(undeclared_without_target(table.full_name, context.place))


def _of_key(
    context: ModelContext, elements: tuple[Element, ...], predicate: str | Unread | None
) -> Answer:
    """``conflict_target()``, which picks a declared key by the same rules and raises where there is none."""
    table = context.table
    if isinstance(predicate, Unread):
        return unresolved(predicate, context.call)
    if not elements and predicate is None:
        return _of_only_key(context)
    fitting = _fitting_keys(table.keys, elements, predicate)
    if len(fitting) == 1:
        return _declared_by(fitting[0])
    offer = context.offer(elements, predicate) if elements else None
    return undeclared(key_not_found(context.call, offer, context.declared_keys))


def _of_only_key(context: ModelContext) -> Answer:
    """``conflict_target(table)``."""
    table = context.table
    if len(table.keys) == 1:
        return _declared_by(table.keys[0])
    if table.keys:
        reason = f"{table.full_name} declares several upsert keys, and none is named"
        lines = " or ".join(filter(None, map(context.key_line, table.keys)))
        return unresolved(reason, context.call, Cause.SEVERAL_KEYS, lines or None)
    return undeclared(undeclared_without_target(table.full_name, context.place))


def _fitting_keys(
    keys: Iterable[DeclaredKey], elements: tuple[Element, ...], predicate: str | None
) -> list[DeclaredKey]:
    """The keys that elements and predicate pick; of several, without a predicate named, the one that has none."""
    fitting = [
        key
        for key in keys
        if not elements or match_key(replace(key, where=None), elements, None) is Match.SAME
    ]
    if predicate is not None:
        return [key for key in fitting if match_key(key, key.elements, predicate) is Match.SAME]
    return [key for key in fitting if key.where is None] if len(fitting) > 1 else fitting


def _declared_by(key: DeclaredKey) -> Answer:
    return declared(key, Elements(key.elements, key.where))
