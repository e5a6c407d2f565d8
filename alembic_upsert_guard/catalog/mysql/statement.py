"""The statement that reads every index of the tables that are asked for, a row a fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, text

from ...databases import MARIADB, database_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Dialect

    from ..contract import TableName

__all__ = ["catalog_statement"]


def catalog_statement(dialect: Dialect, tables: Sequence[TableName]) -> tuple[Any, dict[str, Any]]:
    """Return the statement and its parameters; see :func:`.offered_from`."""
    values: dict[str, Any] = {}
    conditions: list[str] = []
    for number, schema in enumerate(dict.fromkeys(table.schema for table in tables)):
        values[f"names_{number}"] = [table.name for table in tables if table.schema == schema]
        if schema is not None:
            values[f"schema_{number}"] = schema
        its_schema = "DATABASE()" if schema is None else f":schema_{number}"
        conditions.append(f"i.TABLE_SCHEMA = {its_schema} AND i.TABLE_NAME IN :names_{number}")
    asked = f"({' OR '.join(f'({condition})' for condition in conditions)})"
    # one SELECT a view and no join: MariaDB fills each view anew for every row that it is joined to
    statement = f"""
        SELECT 'table' AS part,
               i.TABLE_SCHEMA AS schema_name,
               i.TABLE_NAME AS table_name,
               i.TABLE_TYPE AS name, -- BASE TABLE, SYSTEM VERSIONED, VIEW, SEQUENCE
               0 AS position,
               NULL AS column_name,
               NULL AS expression,
               NULL AS prefix,
               NULL AS is_unique,
               NULL AS is_nullable,
               NULL AS direction,
               NULL AS is_hidden,
               DATABASE() AS current_schema,
               @@lower_case_table_names AS folds_names -- 0: names of tables differ by their case
        FROM information_schema.TABLES i WHERE {asked}
        UNION ALL
        SELECT 'element', i.TABLE_SCHEMA, i.TABLE_NAME,
               i.INDEX_NAME,
               i.SEQ_IN_INDEX,
               i.COLUMN_NAME, -- NULL: an expression
               {_expression(dialect)},
               i.SUB_PART, -- NULL: the whole column; UNIQUE over a long column of MariaDB (INDEX_TYPE HASH) too
               1 - i.NON_UNIQUE,
               i.NULLABLE = 'YES',
               i.COLLATION, -- A, D for descending, NULL for neither
               {_hidden(dialect)},
               NULL, NULL
        FROM information_schema.STATISTICS i WHERE {asked}
        UNION ALL
        SELECT 'auto_increment', i.TABLE_SCHEMA, i.TABLE_NAME, NULL, 0, i.COLUMN_NAME,
               NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM information_schema.COLUMNS i WHERE i.EXTRA LIKE '%auto_increment%' AND {asked}
        UNION ALL
        SELECT 'partition', i.TABLE_SCHEMA, i.TABLE_NAME, NULL, 0, NULL,
               i.PARTITION_EXPRESSION, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM information_schema.PARTITIONS i WHERE i.PARTITION_ORDINAL_POSITION = 1 AND {asked}
        ORDER BY schema_name, table_name, part, name, position
    """
    expanding: list[Any] = [bindparam(n, expanding=True) for n in values if n.startswith("names_")]
    return text(statement).bindparams(*expanding), values


def _expression(dialect: Dialect) -> str:
    """MySQL has functional key parts, and this column, from 8.0.13 on; MariaDB has neither."""
    version = dialect.server_version_info or ()
    return "NULL" if database_for(dialect) is MARIADB or version < (8, 0, 13) else "i.EXPRESSION"


def _hidden(dialect: Dialect) -> str:
    """Whether no query uses the index: each server has its own keyword for it, and enforces the index all the same."""
    return "i.IGNORED = 'YES'" if database_for(dialect) is MARIADB else "i.IS_VISIBLE = 'NO'"
