"""Several databases, schemas and MetaData: whose table is whose, and one answer of many."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import MetaData

from ..catalog import TableName
from .checked import Checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

__all__ = ["merge_checked", "translated", "without_namesakes"]


def merge_checked(answers: Sequence[Checked]) -> Checked:
    """Return the answers of all databases and tenants as one.

    A table whose model names no schema is named with its own where the search path led to several, as in a loop over
    tenants that sets it.
    """
    homes: dict[str, set[str | None]] = {}
    for answer in answers:
        for table, home in answer.homes.items():
            homes.setdefault(table, set()).add(home)
    named = []
    for answer in answers:
        schemas: dict[str | None, str] = {
            t: home for t, home in answer.homes.items() if home and len(homes[t]) > 1
        }
        named.append(_with_homes(answer, schemas))
    return Checked(
        keys=tuple(key for answer in named for key in answer.keys),
        # once, though several databases say it
        findings=tuple(dict.fromkeys(finding for answer in named for finding in answer.findings)),
        models={there: table for answer in named for there, table in answer.models.items()},
    )


def _with_homes(answer: Checked, homes: Mapping[str | None, str]) -> Checked:
    return Checked(
        keys=tuple(replace(key, schema=key.schema or homes.get(key.table)) for key in answer.keys),
        findings=tuple(
            replace(each, schema=each.schema or homes.get(each.table)) for each in answer.findings
        ),
        models={
            **answer.models,
            **{f"{home}.{table}": str(table) for table, home in homes.items()},
        },
    )


def without_namesakes(tables: Iterable[Table]) -> Iterator[list[Table]]:
    """Return `tables` in groups, no two of one name in one: several MetaData may hold the same table."""
    left = list(tables)
    while left:
        group = {TableName(table.schema, table.name): table for table in reversed(left)}
        yield list(group.values())
        left = [table for table in left if table not in group.values()]


def translated(connection: Connection, table: Table) -> Table:
    """Return the table under the schema that the connection translates its own to."""
    translated = connection.get_execution_options().get("schema_translate_map") or {}
    if table.schema not in translated:
        return table
    return table.to_metadata(MetaData(), schema=translated[table.schema])
