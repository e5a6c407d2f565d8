"""What SQL text makes unique, where the database is asked and the text is not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...catalog import TableName
from ...catalog.mysql import made_unique_by as made_unique_on_mysql
from ...catalog.sqlite import made_unique_by as made_unique_on_sqlite
from ...databases import MARIADB, MYSQL, SQLITE, database_for
from ...inference import Kind
from ...sqltext import named, sql_as_text
from ..context import connection_of
from .unique_build import UniqueBuild

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import TextClause

    from ...inference import Candidate, Element

__all__ = ["asked_builds"]


def asked_builds(
    context: MigrationContext, sql: str, *, has_failed: bool
) -> tuple[UniqueBuild, ...]:
    """Return what the one statement makes unique; empty: nothing, or it cannot be known.

    :param has_failed: whether the database has refused it. MySQL and MariaDB are asked only then: asking ends the
     transaction, and what LOCK TABLES the revision holds.
    """
    return tuple(
        build
        for table, candidate in _made_unique(context, sql, has_failed=has_failed)
        if (build := _build_of(context.dialect, table, candidate)) is not None
    )


def _made_unique(
    context: MigrationContext, sql: str, *, has_failed: bool
) -> Sequence[tuple[TableName, Candidate]]:
    database = database_for(context.dialect)
    if database is SQLITE:
        return made_unique_on_sqlite(connection_of(context), sql)
    if database in (MARIADB, MYSQL) and has_failed:
        own = TableName(context.version_table_schema, context.version_table)
        return made_unique_on_mysql(connection_of(context), sql, locked=own)
    return ()


def _build_of(dialect: Dialect, table: TableName, candidate: Candidate) -> UniqueBuild | None:
    if not candidate.is_whole:  # a prefix of a value: other rows are equal by it
        return None
    is_key = candidate.kind is Kind.PRIMARY_KEY
    label = "primary key" if is_key else f"unique index {named(dialect, str(candidate.name))}"
    return UniqueBuild(
        table_name=table.name,
        schema=table.schema,
        elements=tuple(_element(dialect, element) for element in candidate.elements),
        label=label,
        where=candidate.predicate,
    )


def _element(dialect: Dialect, element: Element) -> str | TextClause:
    column = str(element.column)
    if element.collation is None:
        return column
    return sql_as_text(f"{named(dialect, column)} COLLATE {element.collation}")
