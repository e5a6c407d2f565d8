"""The SQL of surplus rows, of the rows that stay, and of the rows that refer to either. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...sqltext import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Dialect

    from ..statements import RowsOfKey
    from .references import Reference

__all__ = ["SURPLUS", "SurplusSql"]

SURPLUS = "temp.upsert_guard_surplus"
"""A line a surplus row: the identity of the row that goes and of the one that stays, ``gone_1 ..., kept_1 ...``."""


@dataclass(frozen=True, slots=True)
class SurplusSql:
    """The SQL of one key's surplus rows."""

    dialect: Dialect
    key: RowsOfKey
    identity: Sequence[str]
    """The columns that identify a row."""

    @property
    def relation(self) -> str:
        """The table."""
        return named(self.dialect, *self.key.table)

    def name(self, column: str) -> str:
        """A column."""
        return named(self.dialect, column)

    def elements(self) -> str:
        """The key's elements, listed."""
        return ", ".join(self.key.elements(self.dialect))

    def rows_of_key(self) -> str:
        """The table, with the rows that the key is about."""
        key = self.key
        conditions = [] if key.target.predicate is None else [f"({key.target.predicate})"]
        if key.nulls != "not_distinct":
            conditions += [f"{sql} IS NOT NULL" for sql in key.elements(self.dialect)]
        return f"{self.relation}{' WHERE ' if conditions else ''}{' AND '.join(conditions)}"

    def child(self, reference: Reference) -> str:
        """The table that refers."""
        return named(self.dialect, *reference.child)

    def label(self, reference: Reference) -> str:
        """The foreign key, as messages name it."""
        return f"{self.child(reference)} ({', '.join(map(self.name, reference.own))})"

    def is_row(self, row: str, part: str | None = None) -> str:
        """The condition that a line of surplus is about `row`, as its `part`: gone or kept; None: `row` is the part."""
        return " AND ".join(
            f"{row}.{self.name(column)} IS surplus.{part or row}_{n}"
            for n, column in enumerate(self.identity, 1)
        )

    def is_gone(self, row: str) -> str:
        """The condition that a row is surplus."""
        return f"EXISTS (SELECT 1 FROM {SURPLUS} AS surplus WHERE {self.is_row(row, 'gone')})"

    def pairs(self) -> str:
        """Each surplus row, ``gone``, with the row that stays, ``kept``."""
        return (
            f"{SURPLUS} AS surplus JOIN {self.relation} AS gone ON {self.is_row('gone')} "
            f"JOIN {self.relation} AS kept ON {self.is_row('kept')}"
        )

    def meets(self, reference: Reference) -> str:
        """The condition that ``child`` refers to ``gone``."""
        return " AND ".join(
            f"gone.{self.name(referred)} = child.{self.name(own)}"
            for own, referred in zip(reference.own, reference.referred, strict=True)
        )

    def stays(self, reference: Reference) -> str:
        """Of the table's own rows, those that are no surplus themselves."""
        return f" AND NOT {self.is_gone('child')}" if reference.child == self.key.table else ""

    def refers_to_surplus(self, reference: Reference) -> str:
        """The condition that ``child`` refers to a surplus row."""
        return (
            f"EXISTS (SELECT 1 FROM {SURPLUS} AS surplus JOIN {self.relation} AS gone ON {self.is_row('gone')} "
            f"WHERE {self.meets(reference)}){self.stays(reference)}"
        )
