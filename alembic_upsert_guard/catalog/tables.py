"""Which tables a database has where names without a schema lead: what autogenerate compares with the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from ..databases import POSTGRESQL, database_for
from ..sqltext import EQ, GT, quoted, string_literal
from .reading import execute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

__all__ = ["column_names", "estimated_rows", "existing_tables", "table_names"]

_TABLES = f"""\
SELECT c.relname
FROM pg_catalog.pg_class AS c
WHERE c.relkind {EQ} ANY (CAST('{{r,p}}' AS pg_catalog."char"[]))
AND c.relnamespace {EQ} (
    SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname {EQ} pg_catalog.current_schema()
)
"""
"""Ordinary and partitioned tables, partitions among them (relkind: manual, pg_class)."""


def table_names(connection: Connection) -> frozenset[str]:
    """Return the names of the tables in the connection's default schema."""
    if database_for(connection.dialect) is POSTGRESQL:
        return frozenset(str(name) for (name,) in execute(connection, _TABLES))
    return frozenset(inspect(connection).get_table_names())


def existing_tables(
    connection: Connection, named: Iterable[tuple[str | None, str]]
) -> set[tuple[str | None, str]]:
    """Return those of some tables that there are; each is a schema and a name, None where names without one lead."""
    if database_for(connection.dialect) is not POSTGRESQL:
        inspector = inspect(connection)
        return {(schema, name) for schema, name in named if inspector.has_table(name, schema)}
    # SQLAlchemy's own query compares with operators that another role may have made
    exists = text("SELECT pg_catalog.to_regclass(:relation) IS NOT NULL")
    return {
        (schema, name)
        for schema, name in named
        if connection.scalar(exists, {"relation": quoted(connection.dialect, schema, name)})
    }


def column_names(connection: Connection, table: str, schema: str | None) -> frozenset[str]:
    """Return the names of the columns of a table that is there."""
    if database_for(connection.dialect) is not POSTGRESQL:
        return frozenset(c["name"] for c in inspect(connection).get_columns(table, schema))
    name = string_literal(connection.dialect, quoted(connection.dialect, schema, table))
    columns = f"""
        SELECT a.attname FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid {EQ} CAST({name} AS pg_catalog.regclass) AND a.attnum {GT} 0 AND NOT a.attisdropped
    """
    return frozenset(str(each) for (each,) in execute(connection, columns))


def estimated_rows(connection: Connection, table: str, schema: str | None) -> int | None:
    """Return how many rows the last ANALYZE or VACUUM saw; None: there was none, or the database keeps no such number.

    https://www.postgresql.org/docs/current/catalog-pg-class.html: reltuples is -1, and before version 14 it is 0.
    """
    if database_for(connection.dialect) is not POSTGRESQL:
        return None
    name = string_literal(connection.dialect, quoted(connection.dialect, schema, table))
    sql = f"SELECT c.reltuples FROM pg_catalog.pg_class AS c WHERE c.oid {EQ} CAST({name} AS pg_catalog.regclass)"
    return next((int(each) for (each,) in execute(connection, sql) if each > 0), None)
