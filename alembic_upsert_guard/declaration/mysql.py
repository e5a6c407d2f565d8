"""What MySQL and MariaDB cannot make unique, as far as a model shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import CompileError
from sqlalchemy.sql.elements import TextClause

from ..databases import MARIADB, database_for
from .elements import table_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import ClauseElement

    from ..inference import ConflictTarget

__all__ = ["unsupported_by_mysql"]

_TEXT = ("TEXT", "TINYTEXT", "MEDIUMTEXT", "LONGTEXT")
_BYTES = ("BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB")


def unsupported_by_mysql(
    dialect: Dialect, table: Table, target: ConflictTarget, clauses: Sequence[ClauseElement]
) -> str | None:
    """Return why MySQL or MariaDB cannot keep the key; None: it can, or it is another database.

    MariaDB makes a column of any length unique (by a hash, from 10.4 on) and has no expressions in indexes; MySQL has
    them from 8.0.13 on, and an index there holds a length that is known (errors 1170 and 3152).
    """
    database = database_for(dialect)
    if not database.has_index_rules_of_mysql:
        return None
    is_mariadb = database is MARIADB
    for element, clause in zip(target.elements, clauses, strict=True):
        if element.column is None:
            reason = _without_expressions(dialect, element.label, is_mariadb=is_mariadb)
            reason = reason or _without_parentheses(clause)
        else:
            reason = None if is_mariadb else _without_length(dialect, table, element.column)
        if reason is not None:
            return reason
    return None


def _without_expressions(dialect: Dialect, expression: str, *, is_mariadb: bool) -> str | None:
    version = getattr(dialect, "server_version_info", None)
    if is_mariadb:
        lacks = "which MariaDB has no indexes on"
    elif version is not None and version < (8, 0, 13):
        lacks = f"which MySQL has indexes on from 8.0.13 on and this server is {'.'.join(map(str, version))}"
    else:
        return None
    return (
        f"has the expression {expression}, {lacks}: make it a generated column, "
        f"Computed({expression!r}), and key that"
    )


def _without_parentheses(clause: ClauseElement) -> str | None:
    # SQLAlchemy puts them around functions and operators, and writes text() as it stands
    if not isinstance(clause, TextClause) or clause.text.lstrip().startswith("("):
        return None
    return (
        f"has the expression {clause.text}, and MySQL takes an expression in an index in parentheses alone: write "
        f"text({f'({clause.text})'!r})"
    )


def _without_length(dialect: Dialect, table: Table, name: str) -> str | None:
    column = table_column(table, name)
    try:
        made = column.type.compile(dialect).partition("(")[0].partition(" ")[0]
    except CompileError:
        return None  # whatever makes the table says so
    if made in _TEXT:
        way = f"declare {name} as String(length)"
    elif made in _BYTES:
        way = f"declare {name} as VARBINARY(length)"
    elif made == "JSON":
        way = f"key a generated column that holds what counts of {name}"
    else:
        return None
    return (
        f"has the column {name} of type {made}, and MySQL makes no column unique whose length it does not know: "
        f"{way}, or key a generated column with its hash, such as Computed('sha2({name}, 256)')"
    )
