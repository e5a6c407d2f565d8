"""The arbiters of a target by our own rules: nobody can be asked about a conflict target on these servers.

``ON DUPLICATE KEY UPDATE`` names none, and ``EXPLAIN`` says nothing about keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...findings import shortfall_fact
from ...inference import Candidate, State, judge
from ..contract import Inferred
from .empty_copy import normalize
from .offers import read

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ...inference import ConflictTarget
    from ..contract import TableName

__all__ = ["inferred_arbiters"]


def inferred_arbiters(connection: Connection, table: TableName, target: ConflictTarget) -> Inferred:
    """Return what the catalog says by our own rules: the server has no answer of its own."""
    offered = read(connection, [table]).get(table)
    if offered is None:
        return Inferred(refusal="there is no such table", by_catalog=True)
    wanted = Candidate(name=None, elements=target.elements, predicate=target.predicate)
    spelling = normalize(connection, table, wanted, offered.candidates)
    verdict = judge(spelling.target, spelling.candidates, offered.traits)
    if verdict.state is State.SATISFIED:
        return Inferred(arbiters=tuple(str(c.name) for c in verdict.arbiters), by_catalog=True)
    assert verdict.shortfall is not None  # noqa: S101 - whatever is not satisfied has a reason
    message = shortfall_fact(spelling.target, verdict.shortfall)
    if verdict.state is State.UNKNOWN or not spelling.compared:
        return Inferred(doubt=message, by_catalog=True)
    return Inferred(refusal=message, by_catalog=True)
