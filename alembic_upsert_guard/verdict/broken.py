"""The declared keys that a database does not serve and that its rows break: what the next upgrades would refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from ..catalog import TableName, catalog_for
from ..catalog.reading import rolled_back
from ..declaration import declarations_of
from ..errors import HiddenRowsError
from ..inference import State
from ..rows import RowsOfKey, is_referred_to, offer_for, parents_first, read_rows
from .answer import answer_for
from .inspected import inspect_keys
from .tenants import translated, without_namesakes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import MetaData, Table
    from sqlalchemy.engine import Connection

    from ..findings import RowsReport
    from .inspected import InspectedKey

__all__ = ["broken_keys"]


def broken_keys(
    connection: Connection, metadata: Sequence[MetaData], *, sample: int, reveal: bool
) -> list[RowsReport]:
    """Return the report of each such key, tables that others refer to first. Nothing is changed.

    Keys whose rows cannot be read, such as those of a column that is not there yet, are left out.

    :param sample: groups shown at most; `reveal` as for :func:`.read_rows`.
    """
    tables = [
        translated(connection, table)
        for each in metadata
        for table in each.tables.values()
        if declarations_of(table)
    ]
    if not tables or catalog_for(connection.dialect) is None:
        return []
    places = parents_first(table for each in metadata for table in each.tables.values())
    by_name = {(table.schema, table.name): place for table, place in places.items()}
    with rolled_back(connection):
        return sorted(
            (
                replace(report, place=by_name.get((key.table.schema, key.table.name), 0))
                for key in _unserved(connection, tables)
                for report in _broken(connection, key, sample=sample, reveal=reveal)
            ),
            key=lambda report: (report.place, report.table, report.elements),
        )


def _unserved(connection: Connection, tables: Sequence[Table]) -> Iterator[InspectedKey]:
    for group in without_namesakes(tables):
        for keys in inspect_keys(connection, group).values():
            yield from (
                key for key in keys if answer_for(connection, key).state is not State.SATISFIED
            )


def _broken(
    connection: Connection, key: InspectedKey, *, sample: int, reveal: bool
) -> Iterator[RowsReport]:
    table = TableName(key.table.schema, key.table.name)
    rows = RowsOfKey(table=table, target=key.declared, nulls=key.declaration.nulls)
    try:
        with rolled_back(connection):
            report = read_rows(connection, rows, sample=sample, reveal=reveal)
    except (DBAPIError, HiddenRowsError):
        return
    if report.groups:
        repoint = is_referred_to([key.table.metadata], key.table.schema, key.table.name)
        yield replace(
            report, suggested=offer_for(connection.dialect, rows, report, repoint=repoint)
        )
