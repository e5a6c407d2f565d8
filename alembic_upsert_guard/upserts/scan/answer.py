"""What the models say of one upsert, before there are findings of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...findings import Circumstance, Finding, FindingCode, describe_key
from ...findings.call_sites import Offer, unresolved_upsert
from ...findings.calls import conflict_target_call
from ..target import Unread
from ..upsert import Resolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...findings.call_sites import Wording
    from ...findings.calls import Call
    from ...findings.causes import Cause
    from ...inference import Element
    from ..declared import DeclaredKey, DeclaredTable, DeclaredTables
    from ..target import Target
    from ..upsert import Upsert

__all__ = [
    "Answer",
    "ModelContext",
    "declared",
    "finding_of",
    "modelled",
    "undeclared",
    "unresolved",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is so."""

    resolution: Resolution
    wording: Wording | None = None
    """For what is not declared; None: there is nothing to say."""
    code: FindingCode = FindingCode.UNDECLARED_UPSERT
    """Of the finding, where there is one that is not of an unresolved call site."""
    circumstance: Circumstance | None = None
    """What makes that finding better or worse than its code is; None: nothing."""
    key: DeclaredKey | None = None
    """The declared key that the upsert means; None: none is known."""
    target: Target | None = None
    """What the models make of the target; None: it is as the source writes it."""


@dataclass(frozen=True, slots=True)
class ModelContext:
    """One upsert on a table of the models."""

    call: Call
    table: DeclaredTable
    models: DeclaredTables

    @property
    def place(self) -> str:
        """Where a key of the table is declared."""
        return self.models.place_of(self.table)

    def offer(self, elements: Sequence[Element], where: str | None = None) -> Offer:
        """Return the key that could be declared."""
        return Offer(tuple(elements), where, self.place)

    def key_line(self, key: DeclaredKey | None) -> str | None:
        """Return the shortest ``**conflict_target(...)`` that picks the key; None: there is none to pick."""
        if key is None or self.call.model is None:
            return None
        if len(self.table.keys) == 1:
            return conflict_target_call(self.call.model)
        elements = [(e.label, e.column is None) for e in key.elements]
        alike = [k for k in self.table.keys if frozenset(k.elements) == frozenset(key.elements)]
        # of several on the same elements the one without a predicate is picked
        where = key.where if len(alike) > 1 else None
        return conflict_target_call(self.call.model, elements, where)

    @property
    def declared_keys(self) -> list[str]:
        """The keys of the table in words."""
        return [self.describe(key) for key in self.table.keys]

    def describe(self, key: DeclaredKey) -> str:
        """Return a key in words."""
        return describe_key(self.table.full_name, key.labels, key.where)


def declared(key: DeclaredKey | None, target: Target | None = None) -> Answer:
    """Return that a key has the target.

    :param target: the key's, where the upsert writes no elements.
    """
    return Answer(Resolution.DECLARED, key=key, target=target)


def modelled(wording: Wording) -> Answer:
    """Return that the models serve the target, and no key has it."""
    return Answer(Resolution.MODELLED, wording, circumstance=Circumstance.MODELLED)


def undeclared(
    wording: Wording,
    code: FindingCode = FindingCode.UNDECLARED_UPSERT,
    circumstance: Circumstance | None = None,
) -> Answer:
    """Return that nothing in the models serves the upsert."""
    return Answer(Resolution.UNDECLARED, wording, code=code, circumstance=circumstance)


def unresolved(
    why: Unread | str, call: Call, cause: Cause | None = None, line: str | None = None
) -> Answer:
    """Return that nothing is known of the upsert.

    :param line: what to write instead, where the models say it.
    """
    unread = why if isinstance(why, Unread) else Unread(why)
    wording = unresolved_upsert(unread.reason, cause or unread.cause, call, line)
    return Answer(Resolution.UNRESOLVED, wording)


def finding_of(
    upsert: Upsert, code: FindingCode, wording: Wording, circumstance: Circumstance | None = None
) -> Finding:
    """Return the finding of an upsert that a file has, at the place where it is reported."""
    return Finding(
        code=code,
        circumstance=circumstance,
        schema=upsert.schema,
        table=upsert.table_name,
        elements=upsert.elements,
        where=upsert.where,
        fact=wording.fact,
        hint=wording.hint,
        location=upsert.location,
        helper=upsert.helper,
        offer=wording.offer,
    )
