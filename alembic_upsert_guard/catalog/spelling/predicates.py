"""Predicates that imply each other, as the planner proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..batch import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from ...inference import Candidate
    from ..batch import Answered, Statement
    from .copied_key import CopiedKey

__all__ = ["same_predicates"]


def same_predicates(
    connection: Connection, probes: Mapping[CopiedKey, Candidate]
) -> dict[CopiedKey, frozenset[str]]:
    """Return for each key the other spellings of its predicate among those of indexes on its elements.

    The planner takes an index for an arbiter where the target's predicate implies the index's (plancat.c:
    infer_arbiter_indexes). Where each is taken for the other's predicate, both hold the same rows.

    :param probes: the index of each key on its copy, as the server prints it.
    """
    comparisons = [
        _Comparison(key, probe, predicate, f"{key.index}_{place}")
        for key, probe in probes.items()
        for place, predicate in enumerate(_other_predicates(key, probe))
    ]
    # all indexes first: a question that two keys share then has one answer
    statements = [each.made for each in comparisons]
    statements += [
        asked for each in comparisons for asked in (each.asked_by_own, each.asked_by_other)
    ]
    answers = run(connection, statements)
    return {
        key: frozenset(
            each.predicate for each in comparisons if each.key is key and each.is_same(answers)
        )
        for key in probes
    }


class _Comparison:
    """Another predicate than the key's, on an index of its own."""

    def __init__(self, key: CopiedKey, probe: Candidate, predicate: str, index: str) -> None:
        elements = key.sql_of(probe.elements)
        self.key = key
        self.predicate = predicate
        self.index = index
        self.made = key.made(index, elements, predicate)
        self.asked_by_own = key.asked(elements, probe.predicate)
        self.asked_by_other = key.asked(elements, predicate)

    def is_same(self, answers: Mapping[Statement, Answered]) -> bool:
        by_own = answers[self.asked_by_own].arbiters or ()
        by_other = answers[self.asked_by_other].arbiters or ()
        return self.index in by_own and self.key.index in by_other


def _other_predicates(key: CopiedKey, probe: Candidate) -> list[str]:
    if probe.predicate is None:
        return []
    return sorted(
        {
            str(c.predicate)
            for c in key.question.offered.candidates
            if c.predicate not in (None, probe.predicate)
            and frozenset(c.elements) == frozenset(probe.elements)
        }
    )
