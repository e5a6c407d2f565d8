"""The server beside its indexes: versions, schemas, columns, constraints, and empty copies of tables."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ...sqltext import EQ, GT, NE, quoted
from ..contract import RelationKind
from ..reading import rolled_back

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Dialect

    from ..contract import TableName

__all__ = [
    "RELATIONS",
    "constraint_in_the_way",
    "default_schema",
    "empty_copy_of",
    "empty_copy_sql",
    "insertable_columns",
    "server_version",
    "sqlstate",
]

RELATIONS = MappingProxyType(
    {
        "r": RelationKind.TABLE,
        "p": RelationKind.PARTITIONED_TABLE,
        "v": RelationKind.VIEW,
        "m": RelationKind.MATERIALIZED_VIEW,
        "f": RelationKind.FOREIGN_TABLE,
    }
)
"""By pg_class.relkind."""


def server_version(dialect: Dialect) -> tuple[int, ...]:
    """Return the server's version; the oldest that is supported, where no server was connected to."""
    return getattr(dialect, "server_version_info", None) or (13,)


def default_schema(connection: Connection) -> str | None:
    """Return the first schema of the search path that is there; None: none is."""
    schema: str | None = connection.scalar(text("SELECT pg_catalog.current_schema()"))
    return schema


def insertable_columns(connection: Connection, table: TableName) -> list[str]:
    """Return the columns that an INSERT may name, none where the catalog cannot be read either."""
    statement = text(f"""
        SELECT attname FROM pg_catalog.pg_attribute
        WHERE attrelid {EQ} pg_catalog.to_regclass(:relation) AND attnum {GT} 0
              AND NOT attisdropped AND attgenerated {EQ} ''
        ORDER BY attnum
    """)
    try:
        with rolled_back(connection):
            relation = {"relation": quoted(connection.dialect, *table)}
            return list(connection.scalars(statement, relation))
    except DBAPIError:
        return []


def empty_copy_of(dialect: Dialect, table: TableName) -> str:
    """Return the name of the table's empty copy, quoted and with its schema."""
    return quoted(dialect, "pg_temp", table.name)


def empty_copy_sql(
    dialect: Dialect,
    table: TableName,
    *,
    keeps_generated: bool = True,
    partitioned_by: str | None = None,
) -> str:
    """Return the statement that makes an empty temporary copy of the table, of its name.

    SQL that names the table finds the copy. Storage and compression decide how wide a key may be, and are the table's.

    :param keeps_generated: False: generated columns become plain ones, which an INSERT may name.
    :param partitioned_by: as ``PARTITION BY`` takes it; None: the copy is not partitioned.
    """
    generated = " INCLUDING GENERATED" if keeps_generated else ""
    # a column's own from 14 on
    compression = " INCLUDING COMPRESSION" if server_version(dialect) >= (14,) else ""
    partition = "" if partitioned_by is None else f" PARTITION BY {partitioned_by}"
    like = f"LIKE {quoted(dialect, *table)}{generated} INCLUDING STORAGE{compression}"
    return f"CREATE TEMP TABLE {empty_copy_of(dialect, table)} ({like}){partition}"


def constraint_in_the_way(connection: Connection, table: TableName, name: str) -> str | None:
    """Return the definition of the table's constraint of that name which has no index; None: there is none.

    A name is given once among the constraints of a table, CHECK, NOT NULL and foreign keys included.
    """
    definition: str | None = connection.scalar(
        _CONSTRAINT, {"relation": quoted(connection.dialect, *table), "name": name}
    )
    return definition


_CONSTRAINT = text(f"""
    SELECT pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c
    WHERE c.conrelid {EQ} CAST(pg_catalog.to_regclass(:relation) AS pg_catalog.oid)
      AND c.conname {EQ} CAST(:name AS pg_catalog.name)
      AND c.contype {NE} ALL (CAST('{{p,u,x}}' AS pg_catalog."char"[]))
""")
"""Those of the kinds p, u and x are their indexes: https://www.postgresql.org/docs/current/catalog-pg-constraint.html"""


def sqlstate(error: DBAPIError) -> str | None:
    """Return the five characters of the kind of `error`."""
    # psycopg2 says pgcode, psycopg 3 and asyncpg sqlstate
    return getattr(error.orig, "pgcode", None) or getattr(error.orig, "sqlstate", None)
