"""What PostgreSQL makes of the constraints of a statement: alike ones once, and with names of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ....inference import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....inference import Candidate

__all__ = ["default_name", "without_alike"]

_BYTES = 63
"""Of an identifier (NAMEDATALEN - 1)."""


def default_name(table: str, candidate: Candidate, is_taken: Callable[[str], bool]) -> str:
    """Return what PostgreSQL calls it (indexcmds.c: ChooseIndexName, ChooseRelationName).

    :param is_taken: whether a relation of the table's schema has a name.
    """
    columns = [each.column or "expr" for each in candidate.elements] + [*candidate.include]
    label = {Kind.PRIMARY_KEY: "pkey", Kind.CONSTRAINT: "key", Kind.INDEX: "idx"}[candidate.kind]
    middle = "" if candidate.kind is Kind.PRIMARY_KEY else "_".join(columns)
    number = 0
    while True:
        name = _fitted(table, middle, f"{label}{number or ''}")
        if not is_taken(name):
            return name
        number += 1


def _fitted(table: str, middle: str, label: str) -> str:
    """The parts joined, of which the longer one is cut until they fit."""
    parts = [table.encode(), middle.encode()[:_BYTES]]
    room = _BYTES - len(label.encode()) - (2 if middle else 1)
    while sum(map(len, parts)) > room:
        longer = 0 if len(parts[0]) > len(parts[1]) else 1
        parts[longer] = parts[longer][:-1]
    whole = [part.decode(errors="ignore") for part in parts if part]
    return "_".join([*whole, label])


def without_alike(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return each once (parse_utilcmd.c: transformIndexConstraints).

    The primary key comes first, then those that are stated first, with the first name that one of them states.
    """
    kept: list[Candidate] = []
    for each in sorted(candidates, key=lambda each: each.kind is not Kind.PRIMARY_KEY):
        prior = next((n for n, other in enumerate(kept) if _are_alike(each, other)), None)
        if prior is None:
            kept.append(each)
        elif kept[prior].name is None:
            kept[prior] = replace(kept[prior], name=each.name)
    return kept


def _are_alike(one: Candidate, other: Candidate) -> bool:
    return replace(one, name=None, kind=other.kind) == replace(other, name=None)
