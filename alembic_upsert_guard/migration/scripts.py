"""Alembic's own creations in a script (``--sql``), on tables that a directive of ours is about.

SQLAlchemy doubles every per cent sign for the drivers of paramstyle "pyformat", which halve it again. A script meets no
driver: an index ``WHERE c = 'a%b'`` would be made on ``'a%%b'`` without an error, and serve no upsert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Index

from ..sqltext import SqlAsWritten, doubles_per_cent, script_dialect, sql_as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.sql.elements import TextClause

__all__ = ["SqlAsWrittenDirective", "write_as_written"]

_GUARDED = "_upsert_guard_tables"


class SqlAsWrittenDirective:
    """``op.sql_as_written()``, which makes no operation."""

    @classmethod
    def sql_as_written(cls, operations: Operations, sql: str) -> TextClause:
        """Return SQL for an element or a predicate of ``op.create_index()``, in which ``%`` and ``:`` mean themselves.

        As ``sa.text()``, and right in a script too: there SQLAlchemy would write each per cent sign twice under
        psycopg2, psycopg and PyMySQL.
        """
        context = operations.get_context()
        return SqlAsWritten(sql) if context.as_sql else sql_as_text(sql)


def write_as_written(context: MigrationContext, table: str, schema: str | None) -> None:
    """Write unique indexes and constraints of the table into the script as they are, from here to its end.

    Of this context only: its ``impl`` lives as long as the script does.
    """
    impl: Any = context.impl
    if not context.as_sql or not doubles_per_cent(impl.dialect):
        return
    guarded: set[tuple[str | None, str]] | None = getattr(impl, _GUARDED, None)
    if guarded is None:
        guarded = set()
        setattr(impl, _GUARDED, guarded)
        impl.create_index = _as_written(impl, impl.create_index, guarded)
        impl.add_constraint = _as_written(impl, impl.add_constraint, guarded)
    guarded.add((schema, table))


def _as_written(
    impl: Any, write: Callable[..., None], guarded: set[tuple[str | None, str]]
) -> Callable[..., None]:
    def write_as_it_is(made: Any, **options: Any) -> None:
        table = made.table
        is_ours = (table.schema, table.name) in guarded and (
            not isinstance(made, Index) or bool(made.unique)
        )
        if not is_ours:
            write(made, **options)
            return
        of_driver = impl.dialect
        impl.dialect = script_dialect(of_driver)
        try:
            write(made, **options)
        finally:
            impl.dialect = of_driver

    return write_as_it_is
