"""What is to be made: one unique constraint or index, as a value, and the SQL of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..catalog.postgresql import element_sql
from ..names import truncated_identifier
from ..sqltext import quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ..catalog import TableName
    from ..inference import ConflictTarget

__all__ = ["OnlineArbiter", "name_within", "name_without"]


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
    """Whether what bears the name and is something else makes way, once this is valid beside it."""

    def clauses(self, dialect: Dialect) -> str:
        """Return the SQL of an index behind the name of its table."""
        elements = ", ".join(element_sql(dialect, element) for element in self.target.elements)
        where = "" if self.target.predicate is None else f" WHERE {self.target.predicate}"
        return f"({elements}){self._carried(dialect)}{self._nulls()}{where}"

    def as_constraint(self, dialect: Dialect) -> str:
        """Return the SQL of a constraint behind its name."""
        columns = ", ".join(element_sql(dialect, element) for element in self.target.elements)
        return f"UNIQUE{self._nulls()} ({columns}){self._carried(dialect)}{self.timing()}"

    def timing(self) -> str:
        """Return when a constraint is checked, as it stands behind ``USING INDEX``."""
        if not self.deferrable:
            return ""
        return " DEFERRABLE INITIALLY DEFERRED" if self.initially_deferred else " DEFERRABLE"

    def _carried(self, dialect: Dialect) -> str:
        if not self.include:
            return ""
        return f" INCLUDE ({', '.join(quoted(dialect, column) for column in self.include)})"

    def _nulls(self) -> str:
        return " NULLS NOT DISTINCT" if self.nulls_not_distinct else ""


def name_within(name: str, partition: str) -> str:
    """Return what the part of index `name` on a partition is called."""
    return truncated_identifier(f"{partition}_{name}")


def name_without(name: str, purpose: str) -> str:
    """Return what stands beside `name` while it is replaced: nobody else calls an index so."""
    return truncated_identifier(f"{name}_upsert_guard_{purpose}")
