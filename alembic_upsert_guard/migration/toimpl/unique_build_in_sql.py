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
    from collections.abc import Iterator

    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import TextClause

    from ...inference import Element

__all__ = ["builds_in_sql"]

_CHANGES_TYPE = pg_query_pb2.AlterTableType.AT_AlterColumnType
_UNIQUE, _PRIMARY = pg_query_pb2.ConstrType.CONSTR_UNIQUE, pg_query_pb2.ConstrType.CONSTR_PRIMARY


def builds_in_sql(sql: str, dialect: Dialect) -> Iterator[UniqueBuild]:
    """Yield what the text makes unique; nothing: it does not, or it is more than one statement.

    ``CREATE UNIQUE INDEX`` and ``ALTER TABLE ... ADD [CONSTRAINT ...] UNIQUE | PRIMARY KEY``; a column that the same
    statement adds or changes has its values from it, and nothing can be said of them.
    """
    try:
        tree = parse_statement(sql)
    except postgast.PgQueryError:
        return
    if len(tree.stmts) != 1:
        return
    statement = tree.stmts[0].stmt
    if statement.HasField("index_stmt"):
        yield from _of_index(statement.index_stmt, dialect)
    if statement.HasField("alter_table_stmt"):
        yield from _of_alter(statement.alter_table_stmt, dialect)


def _of_index(index: Any, dialect: Dialect) -> Iterator[UniqueBuild]:
    if not index.unique:
        return
    yield UniqueBuild(
        table_name=index.relation.relname,
        schema=index.relation.schemaname or None,
        elements=tuple(_element(element_of(each.index_elem)) for each in index.index_params),
        label=f"unique index {named(dialect, index.idxname)}" if index.idxname else "unique index",
        where=sql_of(index.where_clause) if index.HasField("where_clause") else None,
        nulls_not_distinct=index.nulls_not_distinct,
        concurrently=index.idxname or None if index.concurrent else None,
    )


def _of_alter(alter: Any, dialect: Dialect) -> Iterator[UniqueBuild]:
    commands = [each.alter_table_cmd for each in alter.cmds]
    # of a column that is added the definition has the name, of one that changes the command
    changed = {getattr(each, "def").column_def.colname for each in commands}
    changed |= {each.name for each in commands if each.subtype == _CHANGES_TYPE}
    for command in commands:
        constraint = getattr(command, "def").constraint
        columns = tuple(each.string.sval for each in constraint.keys)
        # USING INDEX names no columns: the index is there
        if constraint.contype not in (_UNIQUE, _PRIMARY) or not columns:
            continue
        if not changed.isdisjoint(columns):
            continue
        kind = "unique constraint" if constraint.contype == _UNIQUE else "primary key"
        name = constraint.conname
        yield UniqueBuild(
            table_name=alter.relation.relname,
            schema=alter.relation.schemaname or None,
            elements=columns,
            label=f"{kind} {named(dialect, name)}" if name else kind,
            nulls_not_distinct=constraint.nulls_not_distinct,
        )


def _element(element: Element) -> str | TextClause:
    if element.column is not None:
        return element.column
    return sql_as_text(str(element.expression))
