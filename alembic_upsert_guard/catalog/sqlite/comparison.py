"""SQL that SQLite takes for the same, by its own comparison of structure on a database in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...inference import Candidate, ConflictTarget
from ...sqltext import quoted
from ..contract import NormalizedSql, TableName, not_normalized
from .planner import NO_ARBITER, explain_upsert, insertable_columns
from .scratch import in_memory, refusal_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Dialect

__all__ = ["normalize"]


def normalize(
    connection: Connection, table: TableName, arbiter: Candidate, offered: Sequence[Candidate]
) -> NormalizedSql:
    """Return `offered` with the arbiter's own text in those that SQLite takes for the same.

    It compares structure, not text (sqlite3ExprCompare), so it is asked: each index in doubt is made on a
    bare empty copy of the table, in a database of its own in memory, and an upsert on the arbiter is explained there.
    """
    if arbiter.is_plain:
        return not_normalized(arbiter, offered)
    columns = insertable_columns(connection, table)
    answers = {
        candidate: _is_the_same(connection.dialect, table.name, columns, arbiter, candidate)
        for candidate in offered
        if candidate.unique and (arbiter.partial or not candidate.partial)
    }
    spelled = [_spelled_as(arbiter, c) if answers.get(c) else c for c in offered]
    return not_normalized(arbiter, spelled, compared=None not in answers.values())


def _spelled_as(arbiter: Candidate, candidate: Candidate) -> Candidate:
    predicate = arbiter.predicate if candidate.partial else None
    return replace(candidate, elements=arbiter.elements, predicate=predicate)


def _is_the_same(
    dialect: Dialect, table: str, columns: Sequence[str], arbiter: Candidate, candidate: Candidate
) -> bool | None:
    target = ConflictTarget(arbiter.elements, arbiter.predicate)
    statements = [
        *_empty_copy(dialect, table, columns, candidate),
        explain_upsert(dialect, TableName(None, table), columns, target),
    ]
    with in_memory() as scratch:
        for statement in statements:
            message = refusal_of(scratch, statement)
            if message is not None:
                return False if message.endswith(NO_ARBITER) else None
    return True


def _empty_copy(
    dialect: Dialect, table: str, columns: Sequence[str], candidate: Candidate
) -> list[str]:
    """The statements that make a bare empty copy of the table, and the candidate on it."""
    collations = {e.column: e.actual_collation for e in candidate.elements}
    listed = ", ".join(
        f"{quoted(dialect, column)} COLLATE {quoted(dialect, collations.get(column) or 'BINARY')}"
        for column in columns
    )
    definition = candidate.definition
    if definition is None:  # a constraint: PRAGMAs print no statement for one
        elements = ", ".join(quoted(dialect, label) for label in candidate.labels)
        definition = f"CREATE UNIQUE INDEX its_own ON {quoted(dialect, table)} ({elements})"
    return [f"CREATE TABLE {quoted(dialect, table)} ({listed})", definition]
