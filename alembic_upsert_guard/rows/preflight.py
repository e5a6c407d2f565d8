"""The preflight: the rows that would break a key, before any DDL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect

from ..catalog.reading import execute
from ..databases import MARIADB, MYSQL, POSTGRESQL, SQLITE, Database, database_for
from ..findings import DuplicateGroup, RowsReport, is_tenant_schema
from ..sqltext import named
from . import mysql, postgresql, sqlite
from .order import newest_by
from .statements import RowsOfKey, listing_sql, sample_sql, totals_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection

    from ..catalog import TableName

__all__ = ["read_rows"]

FEW = 10_000
"""Surplus rows up to which the exact groups are looked for among the rows that share a hash.

Measured on 10 million rows, against the serial build: finding the hashes 0.6 and reading their rows 0.1, one exact
pass over all rows 1.0. Each hash is a number in the statement that reads its rows.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowFacts:
    groups: int = 0
    surplus: int = 0
    null_rows: int = 0
    sample: tuple[DuplicateGroup, ...] = ()
    identity: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    obstacle: str | None = None
    doubt: str | None = None
    listed: tuple[str, ...] = ()
    """The elements as the listing spells them; empty: as declared."""
    composite: bool = False
    """Whether one of them is of a composite type."""


def read_rows(connection: Connection, key: RowsOfKey, *, sample: int, reveal: bool) -> RowsReport:
    """Return which rows of the database break `key`; nothing is changed, whatever the transaction.

    Where no two rows share a key the rows are read once. Memory is bounded on both sides, whatever the rows are.

    :param sample: groups shown at most.
    :param reveal: False: no value leaves the database.
    :raises HiddenRowsError: row level security hides rows from this role.
    :raises sqlalchemy.exc.DBAPIError: the table or a column is not there, or an expression fails on a row.
    """
    dialect = connection.dialect
    shown = sample if reveal else 0
    key, found = _READERS.get(database_for(dialect), _read_any)(connection, key, shown)
    return RowsReport(
        table=named(dialect, *key.table),
        elements=key.target.labels,
        where=key.target.predicate,
        nulls=key.nulls,
        groups=found.groups,
        surplus=found.surplus,
        null_rows=found.null_rows,
        listing=listing_sql(
            dialect,
            replace(key, spelled=found.listed, composite=found.composite),
            has_nulls=bool(found.null_rows),
        ),
        sample=found.sample,
        identity=found.identity,
        reveal=reveal,
        order_by=found.order_by,
        obstacle=found.obstacle,
        doubt=found.doubt,
    )


def _read(connection: Connection, key: RowsOfKey, shown: int) -> _RowFacts:
    """Exact groups over all the rows that `key` names."""
    totals = execute(connection, totals_sql(connection.dialect, key)).one()
    found = _RowFacts(
        groups=int(totals.duplicate_groups or 0),
        surplus=int(totals.surplus_rows or 0),
        null_rows=int(totals.null_rows or 0),
    )
    return _sampled(connection, key, found, shown) if found.groups else found


def _read_any(connection: Connection, key: RowsOfKey, shown: int) -> tuple[RowsOfKey, _RowFacts]:
    return key, _read(connection, key, shown)


def _read_mysql(connection: Connection, key: RowsOfKey, shown: int) -> tuple[RowsOfKey, _RowFacts]:
    obstacle = mysql.index_obstacle(connection, key)
    return key, _read(connection, key, shown) if obstacle is None else _RowFacts(obstacle=obstacle)


def _read_sqlite(connection: Connection, key: RowsOfKey, shown: int) -> tuple[RowsOfKey, _RowFacts]:
    obstacle = sqlite.index_obstacle(connection, key)
    return key, _read(connection, key, shown) if obstacle is None else _RowFacts(obstacle=obstacle)


def _read_postgresql(
    connection: Connection, key: RowsOfKey, shown: int
) -> tuple[RowsOfKey, _RowFacts]:
    relation = postgresql.find_relation(connection, key.table)
    key = replace(key, only=relation is not None and relation.has_children)
    if relation and key.table.schema is None and is_tenant_schema(relation.name.schema):
        key = replace(key, table=relation.name)
    return key, _read_relation(connection, relation, key, shown)


_READERS: dict[Database, Callable[[Connection, RowsOfKey, int], tuple[RowsOfKey, _RowFacts]]] = {
    POSTGRESQL: _read_postgresql,
    SQLITE: _read_sqlite,
    MYSQL: _read_mysql,
    MARIADB: _read_mysql,
}
"""Each returns the key as the report names it, and what was found."""


def _read_relation(
    connection: Connection, relation: postgresql.Relation | None, key: RowsOfKey, shown: int
) -> _RowFacts:
    if relation is None:
        return _read(connection, key, shown)
    indexed = postgresql.index_on_empty_copy(connection, relation, key)
    if isinstance(indexed, postgresql.Obstacle):
        return _RowFacts(obstacle=indexed.message)
    if indexed is None:
        return _read_all(connection, key, shown)
    key = replace(key, spelled=indexed.elements, composite=indexed.composite)
    proof = postgresql.prove_absence(connection, key, indexed)
    wide_rows = proof.wide_rows if proof else postgresql.count_wide(connection, key, indexed)
    if wide_rows:
        obstacle = postgresql.width_obstacle(connection, relation, key, indexed)
        if obstacle is not None:
            return _RowFacts(obstacle=obstacle)
    found = _read_indexed(connection, key, indexed, proof, shown)
    return replace(found, listed=indexed.listed, composite=indexed.composite)


def _read_indexed(
    connection: Connection,
    key: RowsOfKey,
    indexed: postgresql.IndexedKey,
    proof: postgresql.Proof | None,
    shown: int,
) -> _RowFacts:
    if proof is not None and proof.surplus == 0:
        return _RowFacts(null_rows=proof.null_rows)
    if not indexed.default_equality:
        return _RowFacts(
            null_rows=postgresql.count_null(connection, key, indexed),
            doubt="its operator class compares otherwise than GROUP BY does",
        )
    if proof is None:
        return _read_all(connection, key, shown)
    if proof.surplus > FEW:
        return _read_many(connection, key, indexed, proof, shown)
    narrowed = postgresql.narrow_to_shared_hashes(connection, key, indexed)
    found = _RowFacts(null_rows=proof.null_rows)
    with postgresql.reading_the_heap(connection):
        if shown > 0:
            return _sampled(connection, narrowed, found, shown)
        return replace(_read(connection, narrowed, 0), null_rows=proof.null_rows)


def _read_all(connection: Connection, key: RowsOfKey, shown: int) -> _RowFacts:
    with postgresql.reading_the_heap(connection):
        return _read(connection, key, shown)


def _read_many(
    connection: Connection,
    key: RowsOfKey,
    indexed: postgresql.IndexedKey,
    proof: postgresql.Proof,
    shown: int,
) -> _RowFacts:
    """Exact groups in one sorted pass, and the rows of the largest in a scan."""
    largest_sql = postgresql.largest_sql(key, indexed, connection.dialect, max(shown, 1))
    with postgresql.reading_the_heap(connection):
        largest = execute(connection, largest_sql).all()
        if not largest:  # hashes that are equal by chance, and not keys
            return _RowFacts(null_rows=proof.null_rows)
        narrowed = postgresql.narrow_to_hashes(key, indexed, [row.hashed for row in largest])
        found = _sampled(connection, narrowed, _RowFacts(null_rows=proof.null_rows), shown)
    return replace(
        found, groups=int(largest[0].duplicate_groups), surplus=int(largest[0].surplus_rows)
    )


def _sampled(connection: Connection, key: RowsOfKey, found: _RowFacts, shown: int) -> _RowFacts:
    """`found` with the groups that the rows of `key` form, and what could fix them."""
    primary_key, columns = _columns(connection, key.table)
    found = replace(found, order_by=newest_by(columns, primary_key, key.target))
    if shown <= 0:
        return found
    identity = primary_key or database_for(connection.dialect).row_identifier
    try:
        rows = execute(connection, sample_sql(connection.dialect, key, identity, shown)).all()
    except (
        ValueError,
        OverflowError,
    ):  # the driver has no form for a value: infinity, a year before Christ
        return replace(
            _read(connection, key, 0), null_rows=found.null_rows, order_by=found.order_by
        )
    if not rows:
        return found
    return replace(
        found,
        groups=int(rows[0].duplicate_groups),
        surplus=int(rows[0].surplus_rows),
        sample=tuple(_groups(rows, len(key.target.elements), len(identity))),
        identity=identity,
    )


def _columns(
    connection: Connection, table: TableName
) -> tuple[tuple[str, ...], list[tuple[str, Any, bool]]]:
    if database_for(connection.dialect) is POSTGRESQL:
        return postgresql.columns_of(connection, table)
    inspector = inspect(connection)
    primary_key = inspector.get_pk_constraint(table.name, table.schema)["constrained_columns"]
    columns = inspector.get_columns(table.name, table.schema)
    return tuple(primary_key), [(c["name"], c["type"], c["nullable"]) for c in columns]


def _groups(rows: Sequence[Any], width: int, identity_width: int) -> list[DuplicateGroup]:
    groups: list[DuplicateGroup] = []
    for row in rows:
        values, count = tuple(row[:width]), int(row.row_count)
        after_totals = width + 3
        named_by = tuple(row[after_totals : after_totals + identity_width])
        if row.place == 1:
            groups.append(DuplicateGroup(values, count, (named_by,)))
        else:
            last = groups.pop()
            groups.append(DuplicateGroup(values, count, (*last.identities, named_by)))
    return groups
