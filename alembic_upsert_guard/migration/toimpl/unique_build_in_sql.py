"""What SQL text makes unique, read by PostgreSQL's own grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import postgast
from postgast import pg_query_pb2

from ...sqltext import named, sql_as_text
from ...upserts.scan.sql.grammar import parse_statement
from ...upserts.scan.sql.normal import element_of, sql_of
from .unique_build import UniqueBuild

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import TextClause

    from ...inference import Element

__all__ = ["build_in_sql"]

_UNIQUE, _PRIMARY = pg_query_pb2.ConstrType.CONSTR_UNIQUE, pg_query_pb2.ConstrType.CONSTR_PRIMARY


def build_in_sql(sql: str, dialect: Dialect) -> UniqueBuild | None:
    """Return what the text makes unique; None: nothing, or more than one statement or command does something.

    ``CREATE UNIQUE INDEX`` and ``ALTER TABLE ... ADD [CONSTRAINT ...] UNIQUE | PRIMARY KEY``; a column that is added
    with it has its rows from the same statement, and nothing can be said of them.
    """
    try:
        tree = parse_statement(sql)
    except postgast.PgQueryError:
        return None
    if len(tree.stmts) != 1:
        return None
    statement = tree.stmts[0].stmt
    if statement.HasField("index_stmt"):
        return _of_index(statement.index_stmt, dialect)
    if statement.HasField("alter_table_stmt"):
        return _of_alter(statement.alter_table_stmt, dialect)
    return None


def _of_index(index: Any, dialect: Dialect) -> UniqueBuild | None:
    if not index.unique:
        return None
    return UniqueBuild(
        table_name=index.relation.relname,
        schema=index.relation.schemaname or None,
        elements=tuple(_element(element_of(each.index_elem)) for each in index.index_params),
        label=f"unique index {named(dialect, index.idxname)}" if index.idxname else "unique index",
        where=sql_of(index.where_clause) if index.HasField("where_clause") else None,
        nulls_not_distinct=index.nulls_not_distinct,
        concurrently=index.idxname or None if index.concurrent else None,
    )


def _of_alter(alter: Any, dialect: Dialect) -> UniqueBuild | None:
    if len(alter.cmds) != 1:
        return None
    constraint = getattr(alter.cmds[0].alter_table_cmd, "def").constraint
    # USING INDEX names no columns: the index is there
    if constraint.contype not in (_UNIQUE, _PRIMARY) or not constraint.keys:
        return None
    kind = "unique constraint" if constraint.contype == _UNIQUE else "primary key"
    name = constraint.conname
    return UniqueBuild(
        table_name=alter.relation.relname,
        schema=alter.relation.schemaname or None,
        elements=tuple(each.string.sval for each in constraint.keys),
        label=f"{kind} {named(dialect, name)}" if name else kind,
        nulls_not_distinct=constraint.nulls_not_distinct,
    )


def _element(element: Element) -> str | TextClause:
    if element.column is not None:
        return element.column
    return sql_as_text(str(element.expression))
