"""SQLite's own parser and planner as a witness.

Manual: https://www.sqlite.org/lang_upsert.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ...sqltext import quoted, target_sql
from ..contract import Inferred
from ..reading import execute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Dialect

    from ...inference import ConflictTarget
    from ..contract import TableName

__all__ = ["NO_ARBITER", "explain_upsert", "inferred_arbiters", "insertable_columns"]

NO_ARBITER = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint"
"""The message of an upsert without an arbiter; SQLite has no number for it but that of every error."""


def inferred_arbiters(connection: Connection, table: TableName, target: ConflictTarget) -> Inferred:
    """Return whether SQLite finds an arbiter: ``EXPLAIN`` of an upsert. It does not name it."""
    columns = insertable_columns(connection, table)
    try:
        execute(connection, explain_upsert(connection.dialect, table, columns, target)).close()
    except DBAPIError as error:
        message = str(error.orig)
        if message.endswith(NO_ARBITER):
            return Inferred(refusal=message)
        return Inferred(doubt=message)
    return Inferred()


def explain_upsert(
    dialect: Dialect, table: TableName, columns: Sequence[str] | None, target: ConflictTarget
) -> str:
    """Return the ``EXPLAIN`` that asks SQLite about `target`; DEFAULT VALUES takes no ON CONFLICT there.

    :param columns: columns that an INSERT may name; None: not known, so none of the table's own rows is inserted.
    """
    relation = quoted(dialect, *table)
    if columns is None:
        source = f"SELECT * FROM {relation} WHERE false"
    else:
        listed = ", ".join(quoted(dialect, column) for column in columns)
        source = f"({listed}) VALUES ({', '.join('NULL' for _ in columns)})"
    conflict = f"ON CONFLICT {target_sql(dialect, target)} DO NOTHING"
    return f"EXPLAIN INSERT INTO {relation} {source} {conflict}"


def insertable_columns(connection: Connection, table: TableName) -> list[str]:
    """Return the table's columns that an INSERT may name: generated ones are left out."""
    attached = "" if table.schema is None else ", :attached"
    statement = text(f"SELECT name FROM pragma_table_xinfo(:name{attached}) WHERE hidden = 0")
    values = {"name": table.name} | ({} if table.schema is None else {"attached": table.schema})
    return list(connection.scalars(statement, values))
