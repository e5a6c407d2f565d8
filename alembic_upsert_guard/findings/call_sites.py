"""What is reported of upserts in code: which no key declares, which nothing serves, and which bind values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .calls import (
    Call,
    Form,
    limit_of,
    sql_argument,
    target_line,
    upsert_key_line,
)
from .causes import Cause, way_out
from .codes import FindingCode
from .keys import describe_key
from .shortfalls import NOT_DEFERRABLE_HINT, deferrable_fact, describe_candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..inference import Candidate, Element

__all__ = [
    "NOT_DEFERRABLE",
    "Miss",
    "Near",
    "Offer",
    "Wording",
    "any_is_deferrable",
    "bound_predicate",
    "key_not_found",
    "modelled_target",
    "modelled_without_target",
    "undeclared_target",
    "undeclared_without_target",
    "unknown_columns",
    "unknown_table",
    "unresolved_upsert",
    "upsert_key_line",
]


@dataclass(frozen=True, slots=True)
class Wording:
    """The two sentences of a finding."""

    fact: str
    hint: str
    offer: str | None = None
    """The part of the hint that declares a key, which many call sites may share; None: it declares none."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The key that a call site could have, and where it goes."""

    elements: tuple[Element, ...]
    where: str | None
    place: str
    """Where the line goes, such as ``__table_args__ of class User (app.models)``."""

    @property
    def line(self) -> str:
        """What to do, starting with a verb."""
        return f"add {upsert_key_line(_pairs(self.elements), self.where)} to {self.place}"


class Miss(Enum):
    """How the nearest thing that is unique in the models differs from a target."""

    PREDICATE = "it is partial, and the target names no predicate"
    MORE = "it has all columns of the target, and more"
    FEWER = "it has some columns of the target, and no other"
    EXPRESSION = "it has the same columns, in other expressions"
    DEFERRABLE = "it is deferrable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The nearest thing that is unique in the models."""

    miss: Miss
    arbiter: Candidate
    key: str | None = None
    """The ``**conflict_target(...)`` that names it; None: no key declares it."""
    primary: bool = False
    """Whether it is the primary key."""


# -- targets


def modelled_target(call: Call, offer: Offer, arbiter: Candidate) -> Wording:
    """Return that no key declares the target, and what of the models serves it all the same."""
    return Wording(
        f"{_key(call, offer)} is declared by no model; in the models the {describe_candidate(arbiter)} serves it",
        f"{offer.line}, and every revision that takes it away is reported",
        offer.line,
    )


def undeclared_target(
    call: Call, offer: Offer, near: Near | None, declared: Sequence[str] = ()
) -> Wording:
    """Return that nothing in the models serves the target; the likelier fault comes first.

    :param declared: the keys that the table does declare, as messages name them.
    """
    fact = f"{_key(call, offer)} is declared by no model"
    if near is None:
        listed = f"; declared: {', '.join(declared)}" if declared else ""
        return Wording(
            f"{fact}, and nothing in the models serves it{listed}", offer.line, offer.line
        )
    fact = f"{fact}, and nothing in the models serves it: {_NEAR[near.miss].format(describe_candidate(near.arbiter))}"
    if near.miss is Miss.DEFERRABLE:
        return Wording(fact, NOT_DEFERRABLE)
    line = near.key if near.key is not None and call.form.is_python else _line(call, near)
    if line is None:
        return Wording(fact, f"{offer.line}: {limit_of(call.form)}", offer.line)
    if near.miss is Miss.FEWER and not near.primary:
        # an upsert narrower than the model was likely written without a look at the model
        return Wording(
            fact, f"{offer.line}; or, where the model is right, write {line}", offer.line
        )
    return Wording(fact, f"write {line}; or, where the upsert is right, {offer.line}", offer.line)


_NEAR = {
    Miss.PREDICATE: "the {} is partial, and the upsert names no predicate",
    Miss.MORE: "the nearest is the {}",
    Miss.FEWER: "the nearest is the {}",
    Miss.EXPRESSION: "the nearest is the {}",
    Miss.DEFERRABLE: deferrable_fact("the {}"),
}

NOT_DEFERRABLE = f"{NOT_DEFERRABLE_HINT}, or match rows by other columns"


def key_not_found(call: Call, offer: Offer | None, declared: Sequence[str]) -> Wording:
    """Return that ``conflict_target()`` finds no declared key, and raises whatever the models are unique on.

    :param offer: None: the call names no elements.
    """
    listed = f"; declared: {', '.join(declared)}" if declared else ""
    if offer is None:
        fact = f"conflict_target() raises: no upsert key of {call.table} has that predicate{listed}"
        return Wording(fact, "name the key that is meant, with the predicate that it declares")
    fact = f"conflict_target() raises: {_key(call, offer)} is declared by no model{listed}"
    return Wording(fact, offer.line, offer.line)


def modelled_without_target(table: str, arbiter: Candidate, place: str) -> Wording:
    """Return that an upsert names no target, and what of the models it may meet."""
    return Wording(
        f"the upsert into {table} names no conflict target, and the table declares no upsert key; "
        f"in the models the {describe_candidate(arbiter)} serves it",
        f"add UpsertKey(...), with the columns that rows are matched by, to {place}",
    )


def undeclared_without_target(table: str, place: str) -> Wording:
    """Return that an upsert names no target, and nothing of its table is unique."""
    return Wording(
        f"the upsert into {table} names no conflict target, and nothing in its model is unique",
        f"add UpsertKey(...), with the columns that rows are matched by, to {place}",
    )


def any_is_deferrable(table: str, arbiter: Candidate) -> Wording:
    """Return that an upsert without a target meets a deferrable constraint (execIndexing.c: 55000)."""
    return Wording(
        f"the upsert into {table} names no conflict target, and the {describe_candidate(arbiter)} is DEFERRABLE: it "
        "fails with 55000",
        f"name the conflict target that is meant, or {NOT_DEFERRABLE_HINT}",
    )


def unknown_table(call: Call) -> Wording:
    """Return what is reported of a table that the models lack."""
    table = call.table
    fact = f"no model has the table {table}, so no upsert key of it is declared"
    if call.form is Form.DJANGO:
        return Wording(
            fact,
            "ask a database, upsert-guard check --database URL --code PATH: its model is Django's, which declares none",
        )
    return Wording(
        fact,
        f"correct the table's name, or add a model of {table} with its UpsertKey(...)",
    )


def unknown_columns(table: str, unknown: Sequence[str], columns: Sequence[str]) -> Wording:
    """Return what is reported of a target with columns that the table's model lacks."""
    plural = "s" if len(unknown) > 1 else ""
    return Wording(
        f"{table} has no column{plural} {', '.join(unknown)}",
        f"correct the upsert, or add the column{plural}; the model of {table} has {', '.join(columns)}",
    )


# -- what is not known


def unresolved_upsert(reason: str, cause: Cause, call: Call, line: str | None = None) -> Wording:
    """Return that nothing is known of an upsert, the reason, and the way out that fits the cause.

    :param line: what to write instead, where the models say it; None: they do not.
    """
    return Wording(
        reason,
        f"{way_out(cause, call, line)}; where it has to stay as it is, suppress it with "
        f"upsert-guard: ignore[{FindingCode.UNRESOLVED_UPSERT}]",
    )


# -- what binds


def bound_predicate(call: Call, key: str | None, where: str | None) -> Wording:
    """Return that a conflict target binds values, in an element or in its predicate.

    :param key: the ``**conflict_target(...)`` of the declared key that is meant; None: no key declares it.
    :param where: the predicate with its values in place; None: it cannot be read, or an element may bind as well.
    """
    fact = (
        "the conflict target binds values: an index with a predicate or an expression is inferred from literals only, "
        "and the upsert fails, on SQLite at once, on PostgreSQL with 42P10 once the plan of the prepared statement "
        "turns generic"
    )
    ways = []
    if key is not None and call.form.is_python:
        ways.append(f"{key}, which binds none")
    if where is not None and call.form is Form.SQLALCHEMY:
        ways.append(f"index_where={sql_argument(where)}")
    if ways:
        return Wording(fact, f"write {', or '.join(ways)}")
    if call.form is Form.SQLALCHEMY:
        return Wording(fact, 'write its SQL with the values in it, as sa.text("...")')
    return Wording(fact, "write the values of the conflict target as literals in the statement")


def _key(call: Call, offer: Offer) -> str:
    return describe_key(call.table, [element.label for element in offer.elements], offer.where)


def _line(call: Call, near: Near) -> str | None:
    return target_line(call, near.arbiter.elements, near.arbiter.predicate)


def _pairs(elements: Sequence[Element]) -> list[tuple[str, bool]]:
    return [(element.label, element.column is None) for element in elements]
