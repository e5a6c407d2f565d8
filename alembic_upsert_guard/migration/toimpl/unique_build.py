"""What a statement of a migration makes unique, as far as the statement itself says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sqlalchemy import DDL, Column, Index, Insert, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable
from sqlalchemy.sql.elements import TextClause, UnaryExpression

from ...databases import POSTGRESQL, database_for
from ...sqltext import literal_sql, named, script_dialect, sql_as_text
from ..operations import ValidateUpsertKeyOp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Dialect

__all__ = ["UniqueBuild", "builds_of", "check_of", "is_copy", "sql_of", "unread_sql"]

_COPY = "_alembic_tmp_"
"""What batch mode puts before the name of a table that it copies, cut to `_LONGEST` (alembic, ApplyBatchImpl)."""

_LONGEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueBuild:
    """One constraint or index that a statement makes."""

    table_name: str
    schema: str | None
    """As the statement names it: neither translated nor looked up."""
    elements: tuple[str | TextClause, ...]
    """In the form that directives take: a ``str`` is a column."""
    label: str
    """Such as ``unique constraint uq_accounts_email``."""
    where: str | None = None
    nulls_not_distinct: bool = False
    concurrently: str | None = None
    """The index that a build outside a transaction leaves behind when it fails; None: it is built in one."""
    copies: bool = False
    """Whether the rows are copied into a table that has it, as batch mode does on SQLite."""
    copy: str | None = None
    """That table; None: there is none yet, or it goes with the transaction."""

    @property
    def columns(self) -> frozenset[str] | None:
        """The columns that become unique; None: SQL is among the elements."""
        names = [element for element in self.elements if isinstance(element, str)]
        return frozenset(names) if len(names) == len(self.elements) else None


def check_of(build: UniqueBuild) -> ValidateUpsertKeyOp:
    """Return the check that refuses the rows which the build is refused for."""
    return ValidateUpsertKeyOp(
        build.table_name,
        list(build.elements),
        schema=build.schema,
        where=build.where,
        nulls="not_distinct" if build.nulls_not_distinct else "distinct",
    )


def builds_of(statement: Any, dialect: Dialect) -> tuple[UniqueBuild, ...]:
    """Return what the statement makes unique; empty: nothing, or it cannot be known.

    SQL text is read by PostgreSQL's grammar where that is installed (extra ``scan``), one statement a text.
    """
    sql = sql_of(statement, dialect)
    if sql is not None:
        return _of_text(sql, dialect)
    if isinstance(statement, Insert | CreateTable):
        return tuple(_of_copy(statement, dialect))
    if not isinstance(statement, CreateIndex | AddConstraint):
        return ()
    item: Any = statement.element
    build = _of_item(item, item.table.name, item.table.schema, dialect)
    return () if build is None else (build,)


def sql_of(statement: Any, dialect: Dialect) -> str | None:
    """Return the text of a statement that is written as SQL; None: it is a construct of SQLAlchemy's."""
    if isinstance(statement, TextClause):
        return statement.text.replace("\\:", ":")
    if isinstance(statement, DDL):
        return str(statement.compile(dialect=script_dialect(dialect)))
    return None


def unread_sql(statement: Any, dialect: Dialect) -> str | None:
    """Return SQL text that may make something unique, of which the database says what; None: it does not."""
    sql = None if database_for(dialect) is POSTGRESQL else sql_of(statement, dialect)
    return sql if sql is not None and _may_make_unique(sql) else None


def _may_make_unique(sql: str) -> bool:
    words = sql.casefold()
    return "unique" in words or "primary" in words


def _of_item(
    item: Any, table: str, schema: str | None, dialect: Dialect, *, copies: bool = False
) -> UniqueBuild | None:
    is_index = isinstance(item, Index)
    if not isinstance(item, UniqueConstraint | PrimaryKeyConstraint) and not (
        is_index and item.unique
    ):
        return None
    kind = "primary key" if isinstance(item, PrimaryKeyConstraint) else "unique constraint"
    options = _options(item, dialect)
    where = options.get("where")
    try:
        elements = tuple(
            _element(each, dialect) for each in (item.expressions if is_index else item.columns)
        )
        predicate = (
            where if where is None or isinstance(where, str) else literal_sql(where, dialect)
        )
    except CompileError:  # a bound value of a type that has no literal form
        return None
    if not elements:
        return None
    return UniqueBuild(
        table_name=table,
        schema=schema,
        elements=elements,
        label=_label("unique index" if is_index else kind, item.name, dialect),
        where=predicate,
        nulls_not_distinct=bool(options.get("nulls_not_distinct")),
        concurrently=str(item.name) if is_index and options.get("concurrently") else None,
        copies=copies,
    )


def _label(kind: str, name: Any, dialect: Dialect) -> str:
    return kind if name is None else f"{kind} {named(dialect, str(name))}"


def _options(item: Any, dialect: Dialect) -> Any:
    return item.dialect_options.get(database_for(dialect).name, {})


def _element(element: Any, dialect: Dialect) -> str | TextClause:
    while isinstance(
        element, UnaryExpression
    ):  # DESC, NULLS FIRST: order, which uniqueness has none of
        element = element.element
    if isinstance(element, Column):
        return element.name
    return sql_as_text(literal_sql(element, dialect))


def is_copy(name: object) -> bool:
    """Return whether a table of that name is a copy that batch mode makes."""
    return isinstance(name, str) and name.startswith(_COPY)


def _of_copy(statement: Any, dialect: Dialect) -> Iterator[UniqueBuild]:
    copy: Any = statement.table if isinstance(statement, Insert) else statement.element
    name = getattr(copy, "name", None)
    if not isinstance(name, str) or not is_copy(name):
        return
    table = name.removeprefix(_COPY)
    if isinstance(statement, Insert):
        if statement.select is None:
            return
        table = _copied(statement.select) or table
    elif len(name) == _LONGEST:  # it may have been cut
        return
    for item in copy.constraints:
        build = _of_item(item, table, copy.schema, dialect, copies=True)
        if build is not None:
            yield replace(build, copy=name) if isinstance(statement, Insert) else build


def _copied(select: Any) -> str | None:
    names = {getattr(each, "name", None) for each in select.get_final_froms()}
    return names.pop() if len(names) == 1 else None


def _of_text(sql: str, dialect: Dialect) -> tuple[UniqueBuild, ...]:
    if database_for(dialect) is not POSTGRESQL or find_spec("postgast") is None:
        return ()
    if not _may_make_unique(sql):  # most of what revisions execute is spared
        return ()
    from .unique_build_in_sql import builds_in_sql  # noqa: PLC0415 - parsers

    return tuple(builds_in_sql(sql, dialect))
