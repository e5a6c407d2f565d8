"""The upserts that a statement runs, as a driver sent it or a server keeps it: values of its target, and no rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import postgast
from postgast import pg_query_pb2

from ...target import Cause, Unread
from .placeholders import with_parameters
from .postgresql import messages, parse, upsert_of
from .shortened import shortened
from .tokens import conflict_clauses, statements, tokens_of
from .upsert import SqlUpsert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tokens import ConflictClause, SqlToken

__all__ = ["ExecutedStatement", "executed_upserts", "sent_statements"]

_BEGINS = frozenset(
    {"DELETE_P", "INSERT", "MERGE", "REPLACE", "SELECT", "UPDATE", "WITH", "WITH_LA"}
)
"""The first tokens of statements that run their upserts: EXPLAIN, DO and CREATE FUNCTION only hold them."""

_BEGINS_ON_SERVER = _BEGINS | {"PREPARE"}
"""PREPARE is what the statistics count each EXECUTE of it under."""

_UNREAD = Unread("it does not read as PostgreSQL's SQL", Cause.NOT_SQL)


@dataclass(frozen=True, slots=True)
class ExecutedStatement:
    """One statement that runs upserts."""

    sql: str
    upserts: tuple[SqlUpsert, ...]
    """In their order; of one that PostgreSQL's grammar does not read, table and target are unread."""

    @property
    def is_read(self) -> bool:
        """Whether PostgreSQL's grammar reads all of them."""
        return all(upsert.table is not _UNREAD for upsert in self.upserts)


def executed_upserts(sql: str) -> list[SqlUpsert]:
    """Return the upserts that one text of a server's record runs, in their order.

    Unlike in :func:`.read_sql`, elements and predicate keep what is bound in them, as ``$n``: which of it was a literal
    the server may have forgotten. No reason of what is unread holds a part of the text.
    """
    try:
        tokens = tokens_of(sql)
    except postgast.PgQueryError:
        return [SqlUpsert(0, _UNREAD, _UNREAD)] if "on conflict" in sql.lower() else []
    executed = _executed(sql, tokens, _BEGINS_ON_SERVER, is_sent=False)
    return [upsert for statement in executed for upsert in statement.upserts]


def sent_statements(sql: str) -> list[ExecutedStatement]:
    """Return the statements of one text that a driver sends, those with upserts, in their order.

    What is bound in a target is numbered from ``$1`` on without a cast: drivers number and cast each in their own way.

    :raises postgast.PgQueryError: a string has no end to PostgreSQL, as MySQL's with a backslash before a quote.
    """
    return list(_executed(sql, tokens_of(sql), _BEGINS, is_sent=True))


def _executed(
    sql: str, tokens: Sequence[SqlToken], begins: frozenset[str], *, is_sent: bool
) -> Iterator[ExecutedStatement]:
    for cut in statements(tokens):
        if not cut or cut[0].kind not in begins:
            continue
        statement = sql[cut[0].start : cut[-1].end]
        inside = tokens_of(statement)
        upserts = tuple(
            _upsert(statement, inside, clause, is_sent=is_sent)
            for clause in conflict_clauses(inside, len(statement))
        )
        if upserts:
            yield ExecutedStatement(statement, upserts)


def _upsert(
    sql: str, tokens: Sequence[SqlToken], clause: ConflictClause, *, is_sent: bool
) -> SqlUpsert:
    insert = None
    if not clause.is_duplicate_key:
        insert = _without_rows(sql, tokens, clause, has_placeholders=is_sent)
    if insert is None:
        return SqlUpsert(clause.start, _UNREAD, _UNREAD)
    if is_sent:
        _number_parameters(insert.on_conflict_clause.infer)
    return replace(upsert_of(insert, is_code=False), start=clause.start)


def _without_rows(
    sql: str, tokens: Sequence[SqlToken], clause: ConflictClause, *, has_placeholders: bool
) -> pg_query_pb2.InsertStmt | None:
    """The INSERT of a clause without its rows, as PostgreSQL's grammar reads it; None: it does not.

    :param has_placeholders: whether a driver's are in the text, whose ``%%`` is one ``%``; PostgreSQL has an operator
     of two.
    """
    short = shortened(sql, tokens, clause, sql[clause.start : clause.end])
    if short is None:
        return None
    text = f"{short} DO NOTHING"
    cut = tokens_of(text)
    if has_placeholders and "%" in text:
        text = with_parameters(text, cut, "$1")
    tree = parse(text, cut)
    if isinstance(tree, Unread):
        return None
    inserts = list(messages(tree, pg_query_pb2.InsertStmt))
    return inserts[0] if len(inserts) == 1 else None


def _number_parameters(infer: pg_query_pb2.InferClause) -> None:
    for node in list(messages(infer, pg_query_pb2.Node)):
        if node.WhichOneof("node") == "type_cast" and node.type_cast.arg.HasField("param_ref"):
            inside = pg_query_pb2.Node()
            inside.CopyFrom(node.type_cast.arg)
            node.CopyFrom(inside)
    for number, parameter in enumerate(messages(infer, pg_query_pb2.ParamRef), 1):
        parameter.number = number
