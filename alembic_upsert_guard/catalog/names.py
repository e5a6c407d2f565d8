"""Names of tables and columns as a database has them, where an upsert spells them otherwise or names no schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from ..databases import POSTGRESQL, SQLITE, database_for
from ..sqltext import EQ, NE, quoted
from .contract import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection

__all__ = ["columns_of", "database_name", "default_schemas_of", "names_as_spelled"]

_SCHEMAS = text(f"""
    SELECT n.nspname AS schema_name, c.relname AS table_name
    FROM pg_catalog.jsonb_array_elements_text(CAST(:names AS pg_catalog.jsonb)) AS wanted(name)
    JOIN pg_catalog.pg_class c ON CAST(c.relname AS pg_catalog.text) {EQ} wanted.name
    JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace
    WHERE CAST(c.relkind AS pg_catalog.text) {EQ} ANY (ARRAY['r', 'p', 'f', 'v', 'm'])
      AND n.nspname {NE} ALL (CAST('{{pg_catalog,information_schema,pg_toast}}' AS pg_catalog.name[]))
      AND n.nspname OPERATOR(pg_catalog.!~~) 'pg\\_temp%'
    ORDER BY n.nspname, c.relname
""")


def database_name(connection: Connection) -> str | None:
    """Return the name of the database, as its server has it; None: it has none, or is a file."""
    database = database_for(connection.dialect)
    if database is POSTGRESQL:
        return str(connection.scalar(text("SELECT pg_catalog.current_database()")))
    return None if database is SQLITE else connection.engine.url.database


def default_schemas_of(connection: Connection, names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return the schemas that have a table or view of each name, but the system's; elsewhere than PostgreSQL none."""
    wanted = sorted(set(names))
    found: dict[str, list[str]] = {name: [] for name in wanted}
    if wanted and database_for(connection.dialect) is POSTGRESQL:
        for row in connection.execute(_SCHEMAS, {"names": json.dumps(wanted)}):
            found[row.table_name].append(row.schema_name)
    return found


def names_as_spelled(
    connection: Connection, tables: Iterable[TableName]
) -> Mapping[TableName, TableName]:
    """Return the name under which the database has each table; SQLite takes every case of ASCII for the same.

    A table that is not there keeps its name.
    """
    asked = {table: table for table in tables}
    if not database_for(connection.dialect).folds_table_names:
        return asked
    for schema in {table.schema for table in asked}:
        attached = "" if schema is None else f"{quoted(connection.dialect, schema)}."
        statement = text(
            f"SELECT name FROM {attached}sqlite_master WHERE type IN ('table', 'view')"
        )
        there = {_folded(name): name for name in connection.scalars(statement)}
        for table in [each for each in asked if each.schema == schema]:
            asked[table] = TableName(schema, there.get(_folded(table.name), table.name))
    return asked


def columns_of(connection: Connection, table: TableName) -> frozenset[str]:
    """Return the names of the table's columns, folded as SQLite and MySQL compare them."""
    columns = inspect(connection).get_columns(table.name, table.schema)
    return frozenset(_folded(column["name"]) for column in columns)


def _folded(name: str) -> str:
    return name.encode().lower().decode()
