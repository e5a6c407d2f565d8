"""A key on an empty copy of its table: the statements that make it and ask about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...sqltext import element_sql, where_sql
from ..batch import Statement
from ..postgresql import empty_copy_of, empty_copy_sql, explain_upsert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Dialect

    from ...inference import Element
    from ..contract import KeyQuestion

__all__ = ["CopiedKey"]


@dataclass(frozen=True, slots=True, eq=False)
class CopiedKey:
    """A key, and the copy of its table, in the table's name."""

    number: int
    question: KeyQuestion
    dialect: Dialect

    @property
    def copy(self) -> str:
        """The empty copy of its table, quoted and with its schema."""
        return empty_copy_of(self.dialect, self.question.table)

    @property
    def index(self) -> str:
        """The name of the index that the key makes on the copy."""
        return f"upsert_guard_{self.number}"

    @property
    def asked_on_table(self) -> Statement:
        """Asks for the arbiters of the target on the table itself."""
        question = self.question
        explain = explain_upsert(self.dialect, question.table, question.target)
        return Statement(explain, is_read=True)

    @property
    def asked_on_copy(self) -> Statement:
        """Asks for the arbiters of the target on the copy."""
        target = self.question.target
        return self.asked(self.sql_of(target.elements), target.predicate)

    @property
    def copy_made(self) -> Statement:
        """Makes the copy: generated columns are plain ones in it, and an INSERT names them all."""
        table = self.question.table
        return Statement(empty_copy_sql(self.dialect, table, keeps_generated=False))

    @property
    def index_made(self) -> Statement:
        """Makes the index that the model has for the key, on the copy."""
        arbiter = self.question.arbiter
        return self.made(self.index, self.sql_of(arbiter.elements), arbiter.predicate)

    def asked(self, elements: Iterable[str], predicate: str | None = None) -> Statement:
        """Return the statement that asks for the arbiters of any target on the copy."""
        # not DEFAULT VALUES: the type of a column may refuse NULL while it is planned
        return Statement(
            f"EXPLAIN (FORMAT JSON) INSERT INTO {self.copy} SELECT * FROM {self.copy} "
            f"ON CONFLICT ({', '.join(elements)}){where_sql(predicate)} DO NOTHING",
            is_read=True,
        )

    def made(self, name: str, elements: Iterable[str], predicate: str | None = None) -> Statement:
        """Return the statement that makes a unique index on the copy."""
        body = f"({', '.join(elements)}){where_sql(predicate)}"
        return Statement(f"CREATE UNIQUE INDEX {name} ON {self.copy} {body}")

    def sql_of(self, elements: Iterable[Element]) -> list[str]:
        """Return the SQL of each element."""
        return [element_sql(self.dialect, element) for element in elements]
