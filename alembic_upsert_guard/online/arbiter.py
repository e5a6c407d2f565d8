"""One unique constraint or index that is wanted, as a value, and its SQL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ..names import truncated_identifier
from ..sqltext import element_sql, quoted, where_sql

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ..catalog import TableName
    from ..inference import ConflictTarget

__all__ = ["OnlineArbiter", "Timing", "partition_index_name", "scratch_index_name"]


class Timing(Enum):
    """When a constraint is checked; the value is what follows ``USING INDEX``, or the columns."""

    IMMEDIATE = ""
    DEFERRABLE = " DEFERRABLE"
    INITIALLY_DEFERRED = " DEFERRABLE INITIALLY DEFERRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineArbiter:
    """A unique constraint or index that is to be made without stopping writers."""

    table: TableName
    name: str
    target: ConflictTarget
    """Its elements, and the predicate of a partial index."""

    constraint: bool
    """Whether it is a constraint in the end. False: a unique index."""

    include: tuple[str, ...] = ()
    """Columns that it carries and that are not part of the key."""

    nulls_not_distinct: bool = False
    deferrable: bool = False
    initially_deferred: bool = False

    replace: bool = False
    """Whether an index of the same name that is something else is replaced, once this one is valid beside it."""

    def clauses(self, dialect: Dialect) -> str:
        """Return the SQL of an index behind the name of its table."""
        elements = ", ".join(element_sql(dialect, element) for element in self.target.elements)
        return f"({elements}){self._include_clause(dialect)}{self._nulls_clause()}{where_sql(self.target.predicate)}"

    def as_constraint(self, dialect: Dialect) -> str:
        """Return the SQL of a constraint behind its name."""
        columns = ", ".join(element_sql(dialect, element) for element in self.target.elements)
        return f"UNIQUE{self._nulls_clause()} ({columns}){self._include_clause(dialect)}{self.timing.value}"

    @property
    def timing(self) -> Timing:
        """When a constraint is checked."""
        if not self.deferrable:
            return Timing.IMMEDIATE
        return Timing.INITIALLY_DEFERRED if self.initially_deferred else Timing.DEFERRABLE

    def _include_clause(self, dialect: Dialect) -> str:
        if not self.include:
            return ""
        return f" INCLUDE ({', '.join(quoted(dialect, column) for column in self.include)})"

    def _nulls_clause(self) -> str:
        return " NULLS NOT DISTINCT" if self.nulls_not_distinct else ""


def partition_index_name(name: str, partition: str) -> str:
    """Return the name of the part of index `name` on a partition."""
    return truncated_identifier(f"{partition}_{name}")


def scratch_index_name(name: str, purpose: str) -> str:
    """Return the name of an index beside `name` while that is replaced: nobody else gives an index such a name."""
    return truncated_identifier(f"{name}_upsert_guard_{purpose}")
