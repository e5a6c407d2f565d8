"""The database's answer for a conflict target; on MySQL and MariaDB, which have none, our rules on its catalog.

``ON DUPLICATE KEY UPDATE`` names no target, and ``EXPLAIN`` says nothing about keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..catalog import Inferred, catalog_for
from ..databases import database_for
from ..findings import shortfall_fact
from ..inference import Candidate, State, judge

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..catalog import Catalog, TableName
    from ..inference import ConflictTarget

__all__ = ["inferred_arbiters"]


def inferred_arbiters(connection: Connection, table: TableName, target: ConflictTarget) -> Inferred:
    """Return what the database says of `target`, as declared, on the table. Nothing is written.

    :raises KeyError: for a dialect without a catalog; ask :func:`.catalog.catalog_for` first.
    """
    catalog = catalog_for(connection.dialect)
    if catalog is None:
        raise KeyError(database_for(connection.dialect).name)
    if catalog.infer is not None:
        return catalog.infer(connection, table, target)
    return _by_rules(connection, catalog, table, target)


def _by_rules(
    connection: Connection, catalog: Catalog, table: TableName, target: ConflictTarget
) -> Inferred:
    offered = catalog.read(connection, [table]).get(table)
    if offered is None:
        return Inferred(refusal="there is no such table", by_catalog=True)
    wanted = Candidate(name=None, elements=target.elements, predicate=target.predicate)
    spelling = catalog.normalize(connection, table, wanted, offered.candidates)
    verdict = judge(spelling.target, spelling.candidates, offered.traits)
    if verdict.state is State.SATISFIED:
        return Inferred(arbiters=tuple(str(c.name) for c in verdict.arbiters), by_catalog=True)
    assert verdict.shortfall is not None  # noqa: S101 - whatever is not satisfied has a reason
    message = shortfall_fact(spelling.target, verdict.shortfall)
    if verdict.state is State.UNKNOWN or not spelling.compared:
        return Inferred(doubt=message, by_catalog=True)
    return Inferred(refusal=message, by_catalog=True)
