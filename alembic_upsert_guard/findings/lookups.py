"""What is reported of statements that look a row up by themselves, and insert what they do not find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .call_sites import Wording
from .keys import describe_target
from .shortfalls import describe_candidate

if TYPE_CHECKING:
    from ..inference import Candidate
    from .call_sites import Offer

__all__ = [
    "lookup_doubt",
    "modelled_lookup",
    "undeclared_lookup",
    "unserved_lookup",
]

_TWICE = "it runs, and two sessions at once can insert the same row"


def _looks_up(statement: str, table: str, offer: Offer) -> str:
    named = describe_target(table, [element.label for element in offer.elements], offer.where)
    return f"{statement} looks up {named}"


def undeclared_lookup(statement: str, table: str, offer: Offer) -> Wording:
    """Return that nothing in the models keeps unique what a statement looks up."""
    return Wording(
        f"{_looks_up(statement, table, offer)}, and nothing in the models keeps that unique: {_TWICE}",
        f"{offer.line}: the second session then fails with 23505, and INSERT ... ON CONFLICT does not fail at all",
        offer.line,
    )


def modelled_lookup(
    statement: str, table: str, looked_up: Offer, offer: Offer, arbiter: Candidate
) -> Wording:
    """Return that no key declares what a statement looks up, and what of the models keeps it unique all the same.

    :param offer: the key that points at `arbiter`, which may have fewer columns.
    """
    fact = (
        f"{_looks_up(statement, table, looked_up)}, which no model declares; in the models the "
        f"{describe_candidate(arbiter)} keeps that unique"
    )
    if not arbiter.immediate:
        return Wording(
            fact, f"{offer.line} once it is not deferrable: no upsert key can point at it as it is"
        )
    return Wording(
        fact, f"{offer.line}, and every revision that takes it away is reported", offer.line
    )


def lookup_doubt(named: str) -> str:
    """Return that something unique may or may not keep apart what a statement looks up.

    :param named: the key, or the constraint or index, with an article.
    """
    return f"whether {named} keeps unique what is looked up is not known: its SQL reads differently"


def unserved_lookup(subject: str, statement: str) -> str:
    """Return that nothing in the database keeps unique what a statement looks up.

    :param subject: the upsert, as a finding is about it.
    """
    return f"{subject} looks the row up with {statement}, and nothing in the database keeps that unique: {_TWICE}"
