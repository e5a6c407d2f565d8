"""The SQL of each step. Pure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..sqltext import quoted
from .steps import Attach, AttachPartition, MakeParent, Swap

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ..catalog import TableName
    from .arbiter import OnlineArbiter

__all__ = ["attachment_sql", "creation_sql", "statements_of"]


def statements_of(
    dialect: Dialect, step: Attach | MakeParent | AttachPartition | Swap, wanted: OnlineArbiter
) -> list[str]:
    """Return the SQL of a step that takes a moment, to be executed in one transaction."""
    quote = partial(quoted, dialect)
    match step:
        case MakeParent(table, index) if wanted.constraint:
            constraint = wanted.as_constraint(dialect)
            return [f"ALTER TABLE ONLY {quote(*table)} ADD CONSTRAINT {quote(index)} {constraint}"]
        case MakeParent(table, index):
            clauses = wanted.clauses(dialect)
            return [f"CREATE UNIQUE INDEX {quote(index)} ON ONLY {quote(*table)} {clauses}"]
        case Attach(table, index):
            return [attachment_sql(dialect, table, index, index, wanted)]
        case AttachPartition():
            above = quote(step.parent.schema, step.parent_index)
            return [f"ALTER INDEX {above} ATTACH PARTITION {quote(step.table.schema, step.index)}"]
        case Swap():
            return [_retirement_sql(dialect, step), _succession_sql(dialect, step, wanted)]


def creation_sql(
    dialect: Dialect,
    table: TableName,
    index: str,
    wanted: OnlineArbiter,
    *,
    concurrently: bool = False,
) -> str:
    """Return the statement that builds the index."""
    name = f"{'CONCURRENTLY ' if concurrently else ''}{quoted(dialect, index)}"
    return f"CREATE UNIQUE INDEX {name} ON {quoted(dialect, *table)} {wanted.clauses(dialect)}"


def attachment_sql(
    dialect: Dialect, table: TableName, name: str, index: str, wanted: OnlineArbiter
) -> str:
    """Return the statement that makes an index the constraint `name`, which renames the index as well."""
    constraint = f"{quoted(dialect, name)} UNIQUE USING INDEX {quoted(dialect, index)}"
    return f"ALTER TABLE {quoted(dialect, *table)} ADD CONSTRAINT {constraint}{wanted.timing.value}"


def _retirement_sql(dialect: Dialect, step: Swap) -> str:
    """The old index loses its name."""
    if step.is_constraint:
        table = quoted(dialect, *step.table)
        return f"ALTER TABLE {table} DROP CONSTRAINT {quoted(dialect, step.index)}"
    index = quoted(dialect, step.table.schema, step.index)
    return f"ALTER INDEX {index} RENAME TO {quoted(dialect, step.old_name)}"


def _succession_sql(dialect: Dialect, step: Swap, wanted: OnlineArbiter) -> str:
    """The new index gets it."""
    if wanted.constraint:
        return attachment_sql(dialect, step.table, step.index, step.new_name, wanted)
    index = quoted(dialect, step.table.schema, step.new_name)
    return f"ALTER INDEX {index} RENAME TO {quoted(dialect, step.index)}"
