"""Arbiters that models declare, as candidates of the inference core."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint, literal_column
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.elements import ClauseElement, ColumnClause, UnaryExpression

from ..databases import DATABASES, database_for
from ..inference import Candidate, Element, Kind
from ..sqltext import literal_sql
from .elements import SORT_MODIFIERS, clause_of
from .in_place import as_index_element

if TYPE_CHECKING:
    from typing import TypeAlias

    from sqlalchemy.engine import Dialect

    Arbiter: TypeAlias = PrimaryKeyConstraint | UniqueConstraint | Index

__all__ = ["arbiter_as_candidate"]


def arbiter_as_candidate(arbiter: Arbiter, dialect: Dialect | None = None) -> Candidate:
    """Return a model's constraint or index as a candidate, spelled for `dialect`."""
    name = None if arbiter.name is None else str(arbiter.name)
    options = arbiter.dialect_kwargs
    nulls_not_distinct = bool(options.get("postgresql_nulls_not_distinct", False))
    if isinstance(arbiter, Index):
        where = _predicate_of(arbiter, dialect)
        # SQL that has no literal form is known to be there, and equals no other
        return Candidate(
            name=name,
            elements=tuple(
                replace(element, prefix=_prefix_of(arbiter, element))
                for element in (_index_element(e, dialect) for e in arbiter.expressions)
            ),
            kind=Kind.INDEX,
            unique=bool(arbiter.unique),
            partial=where is not None,
            predicate=None if where is None else _sql_or_none(where, dialect),
            nulls_not_distinct=nulls_not_distinct,
            include=_included(arbiter),
        )
    return Candidate(
        name=name,
        elements=tuple(Element(column.name) for column in arbiter.columns),
        kind=Kind.PRIMARY_KEY if isinstance(arbiter, PrimaryKeyConstraint) else Kind.CONSTRAINT,
        nulls_not_distinct=nulls_not_distinct,
        immediate=not (arbiter.deferrable or (arbiter.initially or "").upper() == "DEFERRED"),
        include=_included(arbiter),
    )


def _included(arbiter: Arbiter) -> tuple[str, ...]:
    """The names of the columns that it carries beside its elements."""
    included = arbiter.dialect_kwargs.get("postgresql_include") or ()
    return tuple(str(getattr(column, "name", column)) for column in included)


def _index_element(expression: Any, dialect: Dialect | None) -> Element:
    while isinstance(expression, UnaryExpression) and expression.modifier in SORT_MODIFIERS:
        expression = expression.element
    if isinstance(expression, ColumnClause) and not expression.is_literal:
        return Element(column=expression.name)
    return Element(expression=_sql_or_none(as_index_element(expression), dialect))


def _prefix_of(index: Index, element: Element) -> int | None:
    """The length that an index on MySQL or MariaDB compares: it serves no key there, and is none on any database."""
    for option in ("mysql_length", "mariadb_length"):
        length = index.dialect_kwargs.get(option)
        if isinstance(length, dict):
            length = length.get(element.column)
        if length is not None:
            return int(length)
    return None


def _sql_or_none(clause: ClauseElement, dialect: Dialect | None) -> str | None:
    try:
        return literal_sql(clause, dialect)
    except CompileError:
        return None


def _predicate_of(index: Index, dialect: Dialect | None) -> ClauseElement | None:
    known = DATABASES.values() if dialect is None else (database_for(dialect),)
    for option in chain.from_iterable(each.predicate_options for each in known):
        where = index.dialect_kwargs.get(option)
        if where is not None:
            return _predicate_clause(where)
    return None


def _predicate_clause(where: Any) -> ClauseElement:
    """An index predicate as a clause: SQLAlchemy takes plain strings there too."""
    clause = clause_of(where)
    return clause if isinstance(clause, ClauseElement) else literal_column(str(where))
