"""The rows of a key: whether an index can be made, proof that no two of them share a key, and else their groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...catalog.reading import execute
from ...findings import is_tenant_schema
from ..groups import RowFacts, read_groups, sample_groups
from .indexed_key import Obstacle, index_on_empty_copy
from .proof import (
    count_null,
    count_wide,
    largest_sql,
    narrow_to_hashes,
    narrow_to_shared_hashes,
    prove_absence,
    reading_the_heap,
    width_obstacle,
)
from .relation import find_relation

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..statements import RowsOfKey
    from .indexed_key import IndexedKey
    from .proof import Proof
    from .relation import Relation

__all__ = ["read_on_postgresql"]

FEW = 10_000
"""Surplus rows up to which the exact groups are looked for among the rows that share a hash.

Measured on 10 million rows, against the serial build: finding the hashes 0.6 and reading their rows 0.1, one exact
pass over all rows 1.0. Each hash is a number in the statement that reads its rows.
"""


def read_on_postgresql(
    connection: Connection, key: RowsOfKey, shown: int
) -> tuple[RowsOfKey, RowFacts]:
    """Return the key as the report names it, and its rows.

    :param shown: groups in the sample at most.
    :raises HiddenRowsError: row level security hides rows from this role.
    """
    relation = find_relation(connection, key.table)
    key = replace(key, only=relation is not None and relation.has_children)
    if relation and key.table.schema is None and is_tenant_schema(relation.name.schema):
        key = replace(key, table=relation.name)
    return key, _read_relation(connection, relation, key, shown)


def _read_relation(
    connection: Connection, relation: Relation | None, key: RowsOfKey, shown: int
) -> RowFacts:
    if relation is None:
        return read_groups(connection, key, shown)
    indexed = index_on_empty_copy(connection, relation, key)
    if isinstance(indexed, Obstacle):
        return RowFacts(obstacle=indexed.message, past_obstacle=indexed.way_past)
    if indexed is None:
        return _read_all(connection, key, shown)
    key = replace(key, spelled=indexed.elements, composite=indexed.composite)
    proof = prove_absence(connection, relation, key, indexed, few=FEW)
    wide_rows = proof.wide_rows if proof else count_wide(connection, key, indexed)
    if wide_rows:
        obstacle = width_obstacle(connection, relation, key, indexed)
        if obstacle is not None:
            return RowFacts(obstacle=obstacle)
    found = _read_indexed(connection, key, indexed, proof, shown)
    return replace(found, listed=indexed.listed, composite=indexed.composite)


def _read_indexed(
    connection: Connection,
    key: RowsOfKey,
    indexed: IndexedKey,
    proof: Proof | None,
    shown: int,
) -> RowFacts:
    if proof is not None and proof.surplus == 0:
        return RowFacts(null_rows=proof.null_rows)
    if not indexed.default_equality:
        return RowFacts(
            null_rows=count_null(connection, key, indexed),
            doubt="its operator class compares otherwise than GROUP BY does",
        )
    if proof is None:
        return _read_all(connection, key, shown)
    if proof.surplus is None or proof.surplus > FEW:
        found = _read_many(connection, key, indexed, proof, shown)
        if proof.surplus is not None or not 0 < found.surplus <= FEW:
            return found
    narrowed = narrow_to_shared_hashes(connection, key, indexed)
    found = RowFacts(null_rows=proof.null_rows)
    with reading_the_heap(connection):
        if shown > 0:
            return sample_groups(connection, narrowed, found, shown)
        return replace(read_groups(connection, narrowed, 0), null_rows=proof.null_rows)


def _read_all(connection: Connection, key: RowsOfKey, shown: int) -> RowFacts:
    with reading_the_heap(connection):
        return read_groups(connection, key, shown)


def _read_many(
    connection: Connection,
    key: RowsOfKey,
    indexed: IndexedKey,
    proof: Proof,
    shown: int,
) -> RowFacts:
    """Exact groups in one sorted pass, and the rows of the largest in a scan."""
    statement = largest_sql(key, indexed, connection.dialect, max(shown, 1))
    with reading_the_heap(connection):
        largest = execute(connection, statement).all()
        if not largest:  # hashes that are equal by chance, and not keys
            return RowFacts(null_rows=proof.null_rows)
        narrowed = narrow_to_hashes(key, indexed, [row.hashed for row in largest])
        found = sample_groups(connection, narrowed, RowFacts(null_rows=proof.null_rows), shown)
    return replace(
        found, groups=int(largest[0].duplicate_groups), surplus=int(largest[0].surplus_rows)
    )
