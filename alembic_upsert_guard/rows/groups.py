"""Groups of rows that share a key, counted and sampled by SQL that every dialect takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect

from ..catalog.reading import execute
from ..databases import POSTGRESQL, database_for
from ..findings import BY_PLACE, DuplicateGroup, RowOrder
from .order import newest_by
from .postgresql.relation import columns_of
from .statements import sample_sql, totals_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from ..catalog import TableName
    from .statements import RowsOfKey

__all__ = ["RowFacts", "read_groups", "sample_groups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFacts:
    """What is known of the rows of a key."""

    groups: int = 0
    surplus: int = 0
    null_rows: int = 0
    sample: tuple[DuplicateGroup, ...] = ()
    identity: tuple[str, ...] = ()
    order_by: RowOrder = BY_PLACE
    obstacle: str | None = None
    past_obstacle: str | None = None
    """What can be done about it, where that is known; begins with a verb."""
    doubt: str | None = None
    listed: tuple[str, ...] = ()
    """The elements as the listing spells them; empty: as declared."""
    composite: bool = False
    """Whether one of them is of a composite type."""


def read_groups(connection: Connection, key: RowsOfKey, shown: int) -> RowFacts:
    """Return the exact groups over all the rows that `key` names.

    :param shown: groups in the sample at most.
    """
    totals = execute(connection, totals_sql(connection.dialect, key)).one()
    found = RowFacts(
        groups=int(totals.duplicate_groups or 0),
        surplus=int(totals.surplus_rows or 0),
        null_rows=int(totals.null_rows or 0),
    )
    return sample_groups(connection, key, found, shown) if found.groups else found


def sample_groups(connection: Connection, key: RowsOfKey, found: RowFacts, shown: int) -> RowFacts:
    """Return `found` with the groups that the rows of `key` form, and the order by which the newest is known.

    :param shown: groups at most.
    """
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
            read_groups(connection, key, 0), null_rows=found.null_rows, order_by=found.order_by
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
        return columns_of(connection, table)
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
