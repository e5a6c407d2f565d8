"""What is said of upserts that name a constraint (``ON CONFLICT ON CONSTRAINT``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inference import Kind
from .call_sites import NOT_DEFERRABLE, Wording
from .calls import constraint_line, target_line
from .shortfalls import deferrable_fact, describe_candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..inference import Candidate
    from .call_sites import Offer
    from .calls import Call
    from .unserved import UpsertInCode

__all__ = [
    "absent_constraint",
    "constraint_hint",
    "constraint_of_another_kind",
    "deferrable_constraint",
    "index_as_constraint",
    "missing_constraint_fact",
    "modelled_constraint",
]


# -- in the models


def modelled_constraint(call: Call, name: str, offer: Offer) -> Wording:
    """Return that no key points at the constraint that an upsert names, and that the models have it."""
    return Wording(
        f"no upsert key of {call.table} points at the constraint {name}, which the models have",
        f"{offer.line}, and every revision that takes it away is reported",
        offer.line,
    )


def deferrable_constraint(call: Call, arbiter: Candidate) -> Wording:
    """Return that the upsert fails on the constraint that it names."""
    return Wording(
        deferrable_fact(f"the {describe_candidate(arbiter)} of {call.table}"),
        NOT_DEFERRABLE,
    )


def index_as_constraint(call: Call, index: Candidate, key: str | None, offer: Offer) -> Wording:
    """Return that the upsert names an index: ON CONSTRAINT finds constraints only (parse_clause.c, 42704).

    :param key: the ``**conflict_target(...)`` that names the index's elements; None: no key declares them.
    """
    fact = (
        f"the {describe_candidate(index)} of {call.table} is no constraint, and the upsert names it as one: it fails "
        "with 42704"
    )
    if not index.unique:
        return Wording(fact, f"{offer.line}: the index is not unique", offer.line)
    line = key if key is not None and call.form.is_python else None
    return Wording(fact, f"write {line or target_line(call, index.elements, index.predicate)}")


def constraint_of_another_kind(call: Call, name: str, kind: str) -> Wording:
    """Return that the upsert names a constraint without an index (42809)."""
    return Wording(
        f"{name} is a {kind} constraint of {call.table}, and ON CONSTRAINT takes one with an index: it fails with "
        "42809",
        "name the columns that rows are matched by, or the unique constraint that has them",
    )


def absent_constraint(
    call: Call, name: str, named: Sequence[Candidate], meant: Candidate | None
) -> Wording:
    """Return that the table has no constraint of that name.

    :param named: the constraints that the models name, in their order.
    :param meant: the one among them that is likeliest meant; None: none is.
    """
    fact = f"the models have no constraint {name} on {call.table}: the upsert fails with 42704"
    if meant is None or meant.name is None:
        return Wording(
            fact,
            f"name the columns in the upsert, or write UniqueConstraint(..., name={name!r}) in the model of "
            f"{call.table}",
        )
    others = [describe_candidate(each) for each in named if each is not meant]
    beside = f"; the models also have {', '.join(others)}" if others else ""
    columns = target_line(call, meant.elements, None)
    return Wording(
        fact,
        f"write {constraint_line(call, meant.name)}, as the models call it, or {columns}{beside}",
    )


# -- in a database


def missing_constraint_fact(upsert: UpsertInCode, index: Candidate | None) -> str:
    """Return that the table has no constraint of the name.

    :param index: the index that has it; None: nothing has.
    """
    what = "the table has no constraint of that name"
    if index is not None:
        what = f"{describe_candidate(index)} is no constraint, and ON CONSTRAINT takes nothing else"
    return f"{upsert.subject} fails with 42704: {what}"


def constraint_hint(
    candidates: Sequence[Candidate], index: Candidate | None, statement: str | None
) -> str:
    """Return the way out for a name that no constraint has.

    :param index: the index that has the name.
    :param statement: what makes a constraint of it; None: nothing does.
    """
    if statement is not None:
        return f"run:\n{statement}"
    if index is not None:
        where = "" if index.predicate is None else f" WHERE {index.predicate}"
        return f"name its elements instead: ON CONFLICT ({', '.join(index.labels)}){where}"
    named = [
        describe_candidate(c)
        for c in candidates
        if c.unique and c.kind is not Kind.INDEX and c.name
    ]
    if not named:
        return "name the columns that rows are matched by instead, and make them unique"
    return f"name a constraint that the table has ({', '.join(named)}), or the columns that rows are matched by"
