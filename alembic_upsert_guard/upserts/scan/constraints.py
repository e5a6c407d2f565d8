"""Upserts that name a constraint: ON CONSTRAINT finds constraints of the table, and no index of that name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ...findings import FindingCode, describe_candidate
from ...findings.calls import target_line
from ...findings.constraints import (
    absent_constraint,
    constraint_of_another_kind,
    deferrable_constraint,
    index_as_constraint,
    modelled_constraint,
)
from ...inference import Kind
from ..target import Cause, ConstraintObject
from .answer import Answer, declared, modelled, undeclared, unresolved
from .nearest import likeliest_constraint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...inference import Candidate
    from ..declared import DeclaredKey, DeclaredTable
    from .answer import ModelContext

__all__ = ["answer_by_name", "constraints_by_name"]

_LONGEST = 63
"""Bytes of a name on PostgreSQL (NAMEDATALEN - 1); longer ones are cut."""


def answer_by_name(context: ModelContext, name: str) -> Answer:
    """Return what the models say of ``ON CONFLICT ON CONSTRAINT name``.

    ======================================================  ===================================
    in the models the name is                               answer
    ======================================================  ===================================
    a unique constraint's or the primary key's ...
    ... that has a twin on the same columns                 unresolved: one of the two is made
    ... that is DEFERRABLE                                  undeclared: 55000
    ... that a key points at, which holds the name          declared
    ... that a key attached itself and names nowhere        unresolved: another name serves it too
    ... that no key points at                               modelled
    an index's, unique or not                               missing-constraint: 42704
    an exclusion constraint's                               unresolved: DO NOTHING takes it
    a CHECK's or a foreign key's                            missing-constraint: 42809
    nobody's, and unique constraints have no name           unresolved
    nobody's                                                missing-constraint: 42704
    ======================================================  ===================================
    """
    table, call = context.table, context.call
    named = constraints_by_name(table)
    if name in named:
        return _answer_of_constraint(context, name, named[name])
    index = next((c for c in table.candidates if c.name == name and c.kind is Kind.INDEX), None)
    if index is not None:
        key_line = context.key_line(_key_at(table, index))
        offer = context.offer(index.elements, index.predicate)
        return undeclared(
            index_as_constraint(call, index, key_line, offer), FindingCode.MISSING_CONSTRAINT
        )
    kind = dict(table.others).get(name)
    if kind == "EXCLUDE":
        reason = f"{name} excludes, and is not unique: DO NOTHING takes it, and DO UPDATE does not"
        return unresolved(reason, call, Cause.EXCLUSION)
    if kind is not None:
        return undeclared(
            constraint_of_another_kind(call, name, kind), FindingCode.MISSING_CONSTRAINT
        )
    return _of_absent_name(context, name)


def _of_absent_name(context: ModelContext, name: str) -> Answer:
    table, call = context.table, context.call
    unnamed = [c for c in table.arbiters if c.name is None and c.kind is Kind.CONSTRAINT]
    if unnamed:
        line = target_line(call, unnamed[0].elements, None) if len(unnamed) == 1 else None
        reason = (
            f"{table.full_name} has a unique constraint without a name in the models, and whether that is {name} is "
            "not known"
        )
        return unresolved(reason, call, Cause.UNNAMED, line)
    listed = [c for c in table.arbiters if c.name is not None and c.kind is not Kind.INDEX]
    meant = likeliest_constraint(listed, name)
    return undeclared(absent_constraint(call, name, listed, meant), FindingCode.MISSING_CONSTRAINT)


def _answer_of_constraint(context: ModelContext, name: str, constraint: Candidate) -> Answer:
    key = _key_at(context.table, constraint)
    twin = _twin(context.table, constraint)
    if twin is not None:
        reason = (
            f"{context.table.full_name} has two constraints on the same columns, {describe_candidate(constraint)} and "
            f"{describe_candidate(twin)}, and PostgreSQL makes one of them"
        )
        line = target_line(context.call, constraint.elements, None)
        return unresolved(reason, context.call, Cause.TWINS, line)
    if not constraint.immediate:
        return undeclared(deferrable_constraint(context.call, constraint))
    if key is None:
        offer = context.offer(constraint.elements)
        answer = modelled(modelled_constraint(context.call, name, offer))
        return replace(answer, target=ConstraintObject(constraint.elements, name))
    if not key.any_name:
        return declared(key, ConstraintObject(key.elements, name))
    line = context.key_line(key) if context.call.form.is_python else None
    reason = (
        f"{context.describe(key)} states no name, so the database may serve it by another constraint, or by an index, "
        f"than {name}"
    )
    return unresolved(
        reason,
        context.call,
        Cause.UNSTATED,
        line or target_line(context.call, key.elements, key.where),
    )


def _twin(table: DeclaredTable, constraint: Candidate) -> Candidate | None:
    """Another constraint for which CREATE TABLE may leave this one out; None: it is made under its name.

    The primary key comes first and stays, and where it has no name it takes the other's.
    """
    if constraint.kind is Kind.PRIMARY_KEY and constraint.name is not None:
        return None
    others = (c for c in table.arbiters if c.kind is not Kind.INDEX and c != constraint)
    return next((c for c in others if c.elements == constraint.elements), None)


def _key_at(table: DeclaredTable, arbiter: Candidate) -> DeclaredKey | None:
    return next((key for key in table.keys if key.arbiter == arbiter), None)


def constraints_by_name(table: DeclaredTable) -> Mapping[str, Candidate]:
    """Return what a constraint's name leads to: unique constraints and the primary key.

    One without a name in the models has the one that PostgreSQL gives it.
    """
    constraints = [c for c in table.arbiters if c.kind is not Kind.INDEX]
    found = {c.name: c for c in constraints if c.name is not None}
    unnamed = [(_given_name(table.name, c), c) for c in constraints if c.name is None]
    taken = Counter(name for name, _ in unnamed)
    taken.update(c.name for c in table.candidates if c.name is not None)
    # of two that would bear one name PostgreSQL numbers the second
    return found | {n: c for n, c in unnamed if n is not None and taken[n] == 1}


def _given_name(table: str, constraint: Candidate) -> str | None:
    """The name that PostgreSQL gives (indexcmds.c: ChooseIndexName); None: it would be cut."""
    of_key = (*constraint.labels, *constraint.include)
    columns = () if constraint.kind is Kind.PRIMARY_KEY else of_key
    ending = "pkey" if constraint.kind is Kind.PRIMARY_KEY else "key"
    name = "_".join([table, *columns, ending])
    return name if len(name.encode()) <= _LONGEST else None
