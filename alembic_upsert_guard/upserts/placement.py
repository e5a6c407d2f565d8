"""The schema of an upsert's table in one database, where its source leaves that to a run.

======================================  ==============================================
schemas that have a table of that name  answer
======================================  ==============================================
one                                     it is taken for the one that is meant, and the
                                        findings say so
several, or none                        unresolved: which one is meant is not known
======================================  ==============================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..catalog.names import default_schemas_of
from ..databases import database_for
from ..findings.schemas import (
    no_schema_with_table,
    only_schema_with_table,
    several_schemas_with_table,
)
from .target import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

    from .target import NamedTable
    from .upsert import JudgedUpsert, Upsert

__all__ = ["PlacedUpsert", "place_upserts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedUpsert:
    """One upsert, with the schema that its table has in one database."""

    upsert: Upsert
    note: str | None = None
    """What its findings say of the schema; None: the source itself leads there."""
    obstacle: str | None = None
    """Why it is not known which table is meant, in words; None: it is, or the table is unread."""

    def with_note(self, judged: JudgedUpsert) -> JudgedUpsert:
        """Return an answer whose findings say how the schema is known."""
        if self.note is None:
            return judged
        findings = (replace(each, fact=f"{each.fact}; {self.note}") for each in judged.findings)
        return replace(judged, findings=tuple(findings))


def place_upserts(connection: Connection, upserts: Iterable[Upsert]) -> dict[Upsert, PlacedUpsert]:
    """Return each upsert with its schema, in their order. The catalog is read once, where a schema is not known."""
    asked = list(upserts)
    open_names = {str(each.table_name) for each in asked if each.unread_schema is not None}
    homes = default_schemas_of(connection, open_names) if open_names else {}
    is_looked_for = database_for(connection.dialect).has_planner
    return {
        each: PlacedUpsert(upsert=each)
        if isinstance(each.table, Unread) or each.unread_schema is None
        else _placed(each, each.table, homes[each.table.name], is_looked_for=is_looked_for)
        for each in asked
    }


def _placed(
    upsert: Upsert, table: NamedTable, homes: Sequence[str], *, is_looked_for: bool
) -> PlacedUpsert:
    fitting = [schema for schema in homes if table.may_be_in(schema)]
    if len(fitting) == 1:
        (schema,) = fitting
        note = only_schema_with_table(schema)
        return PlacedUpsert(upsert=replace(upsert, table=replace(table, schema=schema)), note=note)
    if fitting:
        return PlacedUpsert(upsert=upsert, obstacle=several_schemas_with_table(table.name, fitting))
    return PlacedUpsert(
        upsert=upsert, obstacle=no_schema_with_table(table.name, is_looked_for=is_looked_for)
    )
