"""The lines that are offered for the rows of a key, and the order in which the tables of several keys come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.schema import sort_tables_and_constraints

from ..findings import suggest_directives
from ..sqltext import escape_colons
from .deduplicate import can_deduplicate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import MetaData, Table
    from sqlalchemy.engine import Dialect

    from ..findings import RowsReport, SuggestedDirectives
    from .statements import RowsOfKey

__all__ = ["is_referred_to", "offer_for", "parents_first"]


def offer_for(
    dialect: Dialect, key: RowsOfKey, report: RowsReport, *, repoint: bool
) -> SuggestedDirectives | None:
    """Return the directives that leave one row of each key; None: there is nothing to leave, or none runs there."""
    if not report.groups or not can_deduplicate(dialect):
        return None
    target = key.target
    return suggest_directives(
        key.table.name,
        [
            repr(each.column) if each.column is not None else _text(str(each.expression))
            for each in target.elements
        ],
        schema=key.table.schema,
        where=None if target.predicate is None else repr(target.predicate),
        nulls=key.nulls,
        order_by=report.order_by,
        repoint=repoint,
    )


def is_referred_to(metadata: Iterable[MetaData], schema: str | None, name: str) -> bool:
    """Return whether a foreign key of the models refers to the table."""
    targets = {
        foreign_key.target_fullname.rpartition(".")[0]
        for each in metadata
        for table in each.tables.values()
        for foreign_key in table.foreign_keys
    }
    return (name if schema is None else f"{schema}.{name}") in targets


def parents_first(tables: Iterable[Table]) -> Mapping[Table, int]:
    """Return the place of each table: one that others refer to by foreign keys comes before these.

    So they are deduplicated: moving the references to a row that goes makes rows of the other table equal, which its
    own deduplication then has to see, and which its own constraint must not forbid yet. Tables that refer to each other
    in a circle have no such order, and come by name.
    """
    by_name = sorted(tables, key=lambda table: table.fullname)
    ordered: list[tuple[Table | None, object]] = sort_tables_and_constraints(by_name)  # type: ignore[no-untyped-call]
    return {table: place for place, (table, _) in enumerate(ordered) if table is not None}


def _text(sql: str) -> str:
    return f"sa.text({escape_colons(sql)!r})"
