"""``op.sql_as_written()``: SQL for Alembic's own directives that means the same in a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sqltext import SqlAsWritten, sql_as_text

if TYPE_CHECKING:
    from alembic.operations import Operations
    from sqlalchemy.sql.elements import TextClause


class SqlAsWrittenDirective:
    """A directive that is no operation: it returns what others take."""

    @classmethod
    def sql_as_written(cls, operations: Operations, sql: str) -> TextClause:
        """Return SQL for an element or a predicate of ``op.create_index()``, in which ``%`` and ``:`` mean themselves.

        As ``sa.text()``, and right in a script too: there SQLAlchemy would write each per cent sign twice under
        psycopg2, psycopg and PyMySQL.
        """
        context = operations.get_context()
        return SqlAsWritten(sql) if context.as_sql else sql_as_text(sql)
