"""The upserts in the text of a statement that was sent: its rows are cut away before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import postgast
from postgast import pg_query_pb2

from ...errors import UpsertGuardError
from ..scan.sql.normal import element_of, sql_of
from ..scan.sql.placeholders import with_parameters
from ..scan.sql.postgresql import messages, parse
from ..scan.sql.shortened import shortened
from ..scan.sql.tokens import conflict_clauses, statements, tokens_of
from ..target import AnyArbiter, Constraint, Elements, Unread
from .observed_upsert import SentUpsert, element_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..scan.sql.tokens import ConflictClause, SqlToken

__all__ = ["UnreadableError", "upserts_of_text"]

_BEGINS = frozenset({"INSERT", "REPLACE", "WITH", "SELECT", "UPDATE", "DELETE_P", "MERGE"})
"""The first tokens of statements that run their upserts: EXPLAIN, PREPARE and CREATE FUNCTION only hold them."""


class UnreadableError(UpsertGuardError):
    """The statement upserts as far as its words show, and no parser reads it. Its text is no part of the message."""


def upserts_of_text(sql: str) -> tuple[SentUpsert, ...]:
    """Return the upserts that a text runs, with a driver's placeholders in it or none.

    :raises UnreadableError: it holds one that cannot be read.
    """
    try:
        tokens = tokens_of(sql)
    except postgast.PgQueryError:
        return _of_other_dialects(sql)  # MySQL's strings, with a backslash before a quote
    found: list[SentUpsert] = []
    for cut in statements(tokens):
        if cut and cut[0].kind in _BEGINS:
            found += _of_statement(sql[cut[0].start : cut[-1].end])
    return tuple(found)


def _of_statement(sql: str) -> Iterator[SentUpsert]:
    tokens = tokens_of(sql)
    for clause in conflict_clauses(tokens, len(sql)):
        infer = None if clause.is_duplicate_key else _parsed(sql, tokens, clause)
        if infer is None:
            yield from _of_other_dialects(sql)
            return
        yield _upsert(infer)


def _parsed(
    sql: str, tokens: Sequence[SqlToken], clause: ConflictClause
) -> pg_query_pb2.InsertStmt | None:
    """The INSERT of a clause without its rows, as PostgreSQL's grammar reads it; None: it does not."""
    short = shortened(sql, tokens, clause, sql[clause.start : clause.end])
    if short is None:
        return None
    text = f"{short} DO NOTHING"
    cut = tokens_of(text)
    # a driver's %% is one %, and PostgreSQL has an operator of two
    tree = parse(with_parameters(text, cut, "$1") if "%" in text else text, cut)
    if isinstance(tree, Unread):
        return None
    inserts = list(messages(tree, pg_query_pb2.InsertStmt))
    return inserts[0] if len(inserts) == 1 else None


def _upsert(insert: pg_query_pb2.InsertStmt) -> SentUpsert:
    infer = insert.on_conflict_clause.infer
    binds = _number_parameters(infer)
    has_where = infer.HasField("where_clause")
    return SentUpsert(
        schema=insert.relation.schemaname or None,
        table=insert.relation.relname,
        elements=tuple(element_label(element_of(e.index_elem)) for e in infer.index_elems),
        where=sql_of(infer.where_clause) if has_where else None,
        constraint=infer.conname or None,
        binds=binds > 0,
    )


def _number_parameters(infer: Any) -> int:
    """Return how many parameters a target has, which are ``$1``, ``$2`` ... then: drivers number and cast them."""
    for node in list(messages(infer, pg_query_pb2.Node)):
        if node.WhichOneof("node") == "type_cast" and node.type_cast.arg.HasField("param_ref"):
            inside = pg_query_pb2.Node()
            inside.CopyFrom(node.type_cast.arg)
            node.CopyFrom(inside)
    parameters = list(messages(infer, pg_query_pb2.ParamRef))
    for number, parameter in enumerate(parameters, 1):
        parameter.number = number
    return len(parameters)


def _of_other_dialects(sql: str) -> tuple[SentUpsert, ...]:
    """What MySQL's and SQLite's own grammars read.

    :raises UnreadableError: neither does.
    """
    from ..scan.sql import read_sql  # noqa: PLC0415 - it brings another parser, which few programs need

    return tuple(_sent(each.table, each.target, binds=each.binds) for each in read_sql(sql))


def _sent(table: Any, target: Any, *, binds: bool) -> SentUpsert:
    if isinstance(table, Unread):
        raise UnreadableError(table.reason)
    match target:
        case AnyArbiter():
            return SentUpsert(schema=table.schema, table=table.name)
        case Constraint(name):
            return SentUpsert(schema=table.schema, table=table.name, constraint=name)
        case Elements(elements, where):
            return SentUpsert(
                schema=table.schema,
                table=table.name,
                elements=tuple(map(element_label, elements)),
                where="$1" if isinstance(where, Unread) else where,
                binds=binds,
            )
    raise UnreadableError
