"""The upserts that a statement runs, as a server keeps its text: with the values of the target, not with its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postgast
from postgast import pg_query_pb2

from ...target import AnyArbiter, Cause, Constraint, Elements, NamedTable, Unread
from .grammar import parse_statement
from .normal import element_of, sql_of
from .postgresql import messages
from .shortened import shortened
from .tokens import conflict_clauses, statements, tokens_of
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...target import Target
    from .tokens import ConflictClause, SqlToken

__all__ = ["executed_upserts"]

_BEGINS = frozenset(
    {"DELETE_P", "INSERT", "MERGE", "PREPARE", "SELECT", "UPDATE", "WITH", "WITH_LA"}
)
"""The first tokens of statements that run their upserts: EXPLAIN, DO and CREATE FUNCTION only hold them.

PREPARE is what the statistics count each EXECUTE of it under.
"""

_UNREAD = Unread("it does not read as PostgreSQL's SQL", Cause.NOT_SQL)


def executed_upserts(sql: str) -> list[SqlUpsert]:
    """Return the upserts that one text runs, in their order.

    Unlike in :func:`.read_sql`, elements and predicate keep what is bound in them, as ``$n``: which of it was a literal
    the server may have forgotten. No reason of what is unread holds a part of the text.
    """
    try:
        tokens = tokens_of(sql)
    except postgast.PgQueryError:
        return [SqlUpsert(0, _UNREAD, _UNREAD)] if "on conflict" in sql.lower() else []
    return [
        upsert
        for cut in statements(tokens)
        if cut and cut[0].kind in _BEGINS
        for upsert in _of_statement(sql[cut[0].start : cut[-1].end])
    ]


def _of_statement(sql: str) -> Iterator[SqlUpsert]:
    tokens = tokens_of(sql)
    for clause in conflict_clauses(tokens, len(sql)):
        insert = None if clause.is_duplicate_key else _without_rows(sql, tokens, clause)
        if insert is None:
            yield SqlUpsert(clause.start, _UNREAD, _UNREAD)
        else:
            relation = insert.relation
            table = NamedTable(relation.relname, relation.schemaname or None)
            yield SqlUpsert(clause.start, table, _target(insert.on_conflict_clause))


def _without_rows(
    sql: str, tokens: Sequence[SqlToken], clause: ConflictClause
) -> pg_query_pb2.InsertStmt | None:
    short = shortened(sql, tokens, clause, sql[clause.start : clause.end])
    if short is None:
        return None
    try:
        tree = parse_statement(f"{short} DO NOTHING")
    except postgast.PgQueryError:
        return None
    inserts = list(messages(tree, pg_query_pb2.InsertStmt))
    return inserts[0] if len(inserts) == 1 else None


def _target(clause: pg_query_pb2.OnConflictClause) -> Target:
    if not clause.HasField("infer"):
        return AnyArbiter()
    if clause.infer.conname:
        return Constraint(clause.infer.conname)
    where = clause.infer.where_clause if clause.infer.HasField("where_clause") else None
    return Elements(
        tuple(element_of(each.index_elem) for each in clause.infer.index_elems),
        None if where is None else sql_of(where),
    )
