"""SQLAlchemy clauses as SQL text: literals in place, no table prefix, nothing doubled for a driver."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import String, text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause, TextClause

from .databases import database_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.elements import ClauseElement

    from .inference import ConflictTarget, Element

__all__ = [
    "EQ",
    "GE",
    "GT",
    "LE",
    "LT",
    "MINUS",
    "NE",
    "PLUS",
    "SqlAsWritten",
    "called",
    "doubles_per_cent",
    "element_sql",
    "ended",
    "escape_colons",
    "literal_sql",
    "named",
    "operator",
    "quoted",
    "reference_dialect",
    "script_dialect",
    "sql_as_text",
    "string_literal",
    "target_sql",
    "where_sql",
    "with_ended_comments",
]

EQ, NE, LT, LE, GT, GE, PLUS, MINUS = (
    f"OPERATOR(pg_catalog.{sign})" for sign in ("=", "<>", "<", "<=", ">", ">=", "+", "-")
)
"""PostgreSQL's own operators, whatever the search path.

Another role may have put an overload into a schema of the path, and one that fits the argument types better wins
(CVE-2018-1058). So nothing of the system is named in our statements without its schema: neither function, operator and
type nor catalog. ``IN``, ``BETWEEN``, ``NULLIF``, ``CASE x WHEN``, ``USING`` and ``IS DISTINCT FROM`` of two values
look an operator up by its bare name, and do not occur. https://www.postgresql.org/docs/current/typeconv-oper.html
"""


@cache
def reference_dialect() -> Dialect:
    """Return the dialect that spells declared keys where no database is at hand: PostgreSQL, plain.

    "named" parameters leave ``%`` as it is, and standard_conforming_strings (on since PostgreSQL 9.1)
    leaves the backslash as it is.
    """
    dialect = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
    dialect._backslash_escapes = False  # noqa: SLF001 - SQLAlchemy sets it on connecting, and we never do
    return dialect


class SqlAsWritten(TextClause):
    """SQL that is rendered character by character, for a script: no driver comes to halve a per cent sign."""

    inherit_cache = True

    def __init__(self, sql: str) -> None:
        super().__init__(escape_colons(sql))
        self.sql = sql


@compiles(SqlAsWritten)
def _as_written(element: SqlAsWritten, _: object, **__: object) -> str:
    return element.sql


def script_dialect(dialect: Dialect) -> Dialect:
    """Return a copy of `dialect` that renders what the database's shell takes: nothing is doubled for a driver."""
    written = copy(dialect)
    written.paramstyle = "named"
    written.positional = False
    written.identifier_preparer = type(dialect.identifier_preparer)(written)
    return written


def doubles_per_cent(dialect: Dialect) -> bool:
    """Return whether `dialect` renders ``%`` twice, for a driver of paramstyle "format" or "pyformat"."""
    return bool(dialect.identifier_preparer._double_percents)  # noqa: SLF001 - no public name says it


def literal_sql(clause: ClauseElement, dialect: Dialect | None = None) -> str:
    """Return the SQL of `clause` in `dialect`, as a person would type it into the database's shell.

    :param dialect: None: :func:`reference_dialect`.
    :raises sqlalchemy.exc.CompileError: a bound value is missing, or its type has no literal form.
    """
    if isinstance(clause, SqlAsWritten):
        return clause.sql
    dialect = dialect or reference_dialect()
    sql = str(
        clause.compile(
            dialect=dialect, compile_kwargs={"literal_binds": True, "include_table": False}
        )
    )
    sql = _undoubled(sql, dialect)
    return ended(sql) if any(ended(part) != part for part in _sql_within(clause)) else sql


def ended(sql: str) -> str:
    """Return `sql` so that what is written behind it is no part of a comment: behind ``--`` a newline ends it.

    Whether ``--`` begins a comment or is part of a string is not asked; the newline is harmless behind either.
    """
    return f"{sql}\n" if "--" in sql.rpartition("\n")[2] else sql


def with_ended_comments(clause: ClauseElement) -> ClauseElement:
    """Return the clause with every part that a person wrote as SQL :func:`ended`."""

    def ended_part(element: Any, **_: Any) -> Any:
        (sql,) = _sql_within(element, itself=True) or ("",)
        if ended(sql) == sql:
            return None
        part = copy(element)
        setattr(part, "text" if isinstance(element, TextClause) else "name", ended(sql))
        return part

    return cast("ClauseElement", visitors.replacement_traverse(clause, {}, ended_part))


def _sql_within(clause: ClauseElement, *, itself: bool = False) -> list[str]:
    """What a person wrote as SQL: ``text()`` and ``literal_column()``."""
    parts: list[Any] = [clause] if itself else list(visitors.iterate(clause))
    return [
        part.text if isinstance(part, TextClause) else str(part.name)
        for part in parts
        if isinstance(part, TextClause) or (isinstance(part, ColumnClause) and part.is_literal)
    ]


def quoted(dialect: Dialect, *names: str | None) -> str:
    """Return the dotted name in quotes, as the database's shell takes it; None among `names` is left out."""
    quote = dialect.identifier_preparer.quote_identifier
    return _undoubled(".".join(quote(name) for name in names if name is not None), dialect)


def named(dialect: Dialect, *names: str | None) -> str:
    """Return the dotted name as a person writes it: quoted where it must be; None among `names` is left out."""
    quote = dialect.identifier_preparer.quote
    return _undoubled(".".join(quote(name) for name in names if name is not None), dialect)


def _undoubled(sql: str, dialect: Dialect) -> str:
    """Return what `dialect` rendered as the database gets to see it."""
    # drivers of paramstyle "format" and "pyformat" want every % twice, and SQLAlchemy obeys
    return sql.replace("%%", "%") if doubles_per_cent(dialect) else sql


def element_sql(dialect: Dialect, element: Element) -> str:
    """Return the element as an index and a conflict target have it."""
    sql = str(element.expression) if element.column is None else quoted(dialect, element.column)
    collation = "" if element.collation is None else f" COLLATE {element.collation}"
    opclass = "" if element.opclass is None else f" {element.opclass}"
    return f"{sql}{collation}{opclass}"


def target_sql(dialect: Dialect, target: ConflictTarget) -> str:
    """Return elements in parentheses and predicate, as ``ON CONFLICT`` has them, and an index behind its table."""
    elements = ", ".join(element_sql(dialect, element) for element in target.elements)
    return f"({elements}){where_sql(target.predicate)}"


def where_sql(predicate: str | None) -> str:
    """Return the clause with a blank before it; empty where there is no predicate."""
    return "" if predicate is None else f" WHERE {predicate}"


def called(dialect: Dialect, function: str) -> str:
    """Return the name by which a function of the system is called: on PostgreSQL with its schema, see :data:`EQ`."""
    return f"pg_catalog.{function}" if database_for(dialect).qualifies_system_names else function


def operator(dialect: Dialect, sign: str) -> str:
    """Return an operator of the system: on PostgreSQL with its schema, see :data:`EQ`."""
    return f"OPERATOR(pg_catalog.{sign})" if database_for(dialect).qualifies_system_names else sign


def sql_as_text(sql: str) -> TextClause:
    """Return SQL as a ``text()`` that compiles to exactly `sql`: a colon in it starts no parameter."""
    return text(escape_colons(sql))


def escape_colons(sql: str) -> str:
    r"""Return `sql` as it has to be written inside ``text()``: backslash before colon, as in ``\:name``."""
    return sql.replace(":", "\\:")


def string_literal(dialect: Dialect, value: str) -> str:
    """Return `value` as a string constant of the dialect, as its shell takes it."""
    # the type's own processor: the compiler would double backslashes too on a dialect that never connected
    processor: Callable[[str], str] = String().literal_processor(dialect)  # type: ignore[no-untyped-call]
    return _undoubled(processor(value), dialect)
