"""What a construct of SQLAlchemy upserts, and what can be said of a statement by its words alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Column, literal_column
from sqlalchemy.exc import CompileError
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter

from ...databases import database_for
from .observed_upsert import SentUpsert, column_label, element_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Compiled, Dialect
    from sqlalchemy.sql.elements import ClauseElement

__all__ = ["beginning_of", "may_upsert", "upsert_of_construct"]

_LONGEST_BEGINNING = 60
_REPLACING = ("insert ignore", "insert or ignore", "insert or replace", "replace into")
_ENDS_BEGINNING = frozenset("'\"`$%:?@(,;=")


def may_upsert(sql: str) -> bool:
    """Return whether a text can be an upsert at all, as far as its words show."""
    lower = sql.lower()
    return "conflict" in lower or "duplicate" in lower or any(w in lower for w in _REPLACING)


def upsert_of_construct(compiled: Compiled) -> SentUpsert | None:
    """Return what an ``insert()`` of SQLAlchemy upserts; None: it is none, or its text has to be read.

    The schema is the construct's own: a ``schema_translate_map`` is no part of what was compiled.
    """
    statement: Any = compiled.statement
    clause = getattr(statement, "_post_values_clause", None)
    if clause is None or not isinstance(compiled, SQLCompiler) or getattr(compiled, "ctes", None):
        return None
    table = statement.table
    if not hasattr(clause, "inferred_target_elements"):
        # of MySQL's: it names no target. Of a project's own: its text says
        is_mysql = clause.__visit_name__ == "on_duplicate_key_update"
        return SentUpsert(schema=table.schema, table=table.name) if is_mysql else None
    constraint = getattr(clause, "constraint_target", None)
    if constraint is not None:
        if type(constraint) is not str:
            return (
                None  # a name that a naming convention makes, which is cut to the dialect's limit
            )
        return SentUpsert(schema=table.schema, table=table.name, constraint=constraint)
    try:
        return _with_elements(compiled.dialect, table, clause)
    except CompileError:
        return None


def _with_elements(dialect: Dialect, table: Any, clause: Any) -> SentUpsert | None:
    binds = _Binds(dialect)
    elements = [_label(binds, each) for each in clause.inferred_target_elements or ()]
    if None in elements:
        return None
    where = clause.inferred_target_whereclause
    return SentUpsert(
        schema=table.schema,
        table=table.name,
        elements=tuple(each for each in elements if each is not None),
        where=None if where is None else _predicate(binds.sql(where, is_predicate=True)),
        binds=binds.count > 0,
    )


class _Binds:
    """Renders the parts of one conflict target, ``$1``, ``$2`` ... where a value is bound."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.count = 0

    def sql(self, clause: ClauseElement, *, is_predicate: bool = False) -> str:
        # SQLAlchemy sends SQLite a predicate with its values in it (SQLiteCompiler._on_conflict_target)
        if not (is_predicate and database_for(self._dialect).renders_values_in_predicates):
            bare = visitors.replacement_traverse(clause, {}, self._numbered)
            clause = cast("ClauseElement", bare)
        from ...sqltext import literal_sql  # noqa: PLC0415 - few targets hold SQL

        return literal_sql(clause, self._dialect)

    def _numbered(self, element: Any, **_: Any) -> Any:
        if not isinstance(element, BindParameter):
            return None
        self.count += 1
        return literal_column(f"${self.count}", element.type)


def _label(binds: _Binds, element: Any) -> str | None:
    """The element as the file has it; None: it does not read as SQL."""
    if isinstance(element, str):
        return column_label(element)
    if isinstance(element, Column):
        return column_label(element.name)
    from ..scan.sql import normal_element  # noqa: PLC0415 - the parsers are imported where SQL is to be read

    normal = normal_element(binds.sql(element))
    return None if normal is None else element_label(normal)


def _predicate(sql: str) -> str:
    from ..scan.sql import normal_predicate  # noqa: PLC0415 - as above

    return normal_predicate(sql)


def beginning_of(sql: str) -> str:
    """Return how a statement begins, without any value: its words up to the first sign that can begin one."""
    start = max(sql.lower().find("insert"), 0)
    words: list[str] = []
    for word in sql[start : start + 10 * _LONGEST_BEGINNING].split():
        kept = _before_a_value(word)
        words += [kept] if kept else []
        if kept != word or sum(map(len, words)) > _LONGEST_BEGINNING:
            break
    return " ".join(words)[:_LONGEST_BEGINNING]


def _before_a_value(word: str) -> str:
    """The word up to a sign; nothing of one that begins with a digit."""
    if word[:1].isdigit() or word[:1] in "+-":
        return ""
    ends: Sequence[int] = [at for at, sign in enumerate(word) if sign in _ENDS_BEGINNING]
    return word[: ends[0]] if ends else word
