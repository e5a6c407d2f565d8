"""Statements for the servers' shell that fail where something does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...databases import MARIADB, database_for
from ...sqltext import named, string_literal

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ...inference import ConflictTarget
    from ..contract import TableName

__all__ = ["failing_statements", "text_literal", "verification_script"]


def verification_script(
    dialect: Dialect, table: TableName, target: ConflictTarget
) -> list[str] | None:
    """Return the statements that fail where nothing is unique on exactly `target`; None: it has an expression.

    Only the server knows how it would print that.
    """
    columns = [str(element.column) for element in target.elements if element.column is not None]
    if len(columns) < len(target.elements):
        return None
    schema = "DATABASE()" if table.schema is None else text_literal(dialect, table.schema)
    listed = ", ".join(text_literal(dialect, column) for column in columns)
    arbiters = (
        "SELECT INDEX_NAME FROM information_schema.STATISTICS "
        f"WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {text_literal(dialect, table.name)} AND NON_UNIQUE = 0 "
        f"GROUP BY INDEX_NAME HAVING count(*) = {len(columns)} "
        f"AND sum(COLUMN_NAME IN ({listed}) AND SUB_PART IS NULL) = {len(columns)}"
    )
    message = f"nothing is unique on exactly {named(dialect, *table)} ({', '.join(columns)})"
    query = f"SELECT count(*) = 0 AS fails FROM ({arbiters}) AS arbiters"
    return failing_statements(dialect, query, text_literal(dialect, message))


def failing_statements(dialect: Dialect, query: str, message: str) -> list[str]:
    """Return statements, without terminator, that fail with `message` where `query` says so; they change nothing.

    MariaDB prepares SIGNAL. MySQL does not, and has it in stored programs only: there the message is the name of a
    column that nobody has. That works on MariaDB too, where a ``mysql://`` URL may lead without a connection to ask.

    :param query: a SELECT of one row with the column ``fails``, and whatever `message` names.
    :param message: SQL over the columns of `query`; the servers show 128 characters of it at least.
    """
    if database_for(dialect) is MARIADB:
        failing = f"concat('SIGNAL SQLSTATE ''45000'' SET MESSAGE_TEXT = ', quote({message}))"
        run = ["EXECUTE IMMEDIATE @upsert_guard"]
    else:
        failing = f"concat('SELECT `', replace({message}, '`', ''''), '`')"
        run = [
            "PREPARE upsert_guard FROM @upsert_guard",
            "EXECUTE upsert_guard",
            "DEALLOCATE PREPARE upsert_guard",
        ]
    chosen = f"SELECT if(fails, {failing}, 'DO 0') FROM ({query}) AS checked"
    return [f"SET @upsert_guard = ({chosen})", *run]


def text_literal(dialect: Dialect, value: str) -> str:
    """Return a string constant for the shell, in which a backslash escapes unless the session says otherwise."""
    return string_literal(dialect, value).replace("\\", "\\\\")
