"""Elements and predicates: from what a declaration says to clauses of its table, and to words of the core."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Column, Table
from sqlalchemy.exc import CompileError
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import (
    BooleanClauseList,
    ClauseElement,
    ColumnClause,
    TextClause,
    UnaryExpression,
)

from ..databases import SQLITE, database_for
from ..findings import describe_key
from ..inference import ConflictTarget, Element
from ..sqltext import literal_sql, with_ended_comments
from .errors import DeclarationError
from .in_place import as_index_element, rendered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Dialect

__all__ = [
    "SORT_MODIFIERS",
    "bound_to",
    "checked_target",
    "clause_of",
    "column_names",
    "element_on",
    "is_nullable",
    "label_of",
    "never_null",
    "rowid_alias",
    "sql_expression",
    "table_column",
    "table_of",
]

SORT_MODIFIERS = frozenset(
    {operators.asc_op, operators.desc_op, operators.nulls_first_op, operators.nulls_last_op}
)


def clause_of(value: Any) -> Any:
    """Return the Core clause behind a mapped attribute; anything else as it is."""
    while not isinstance(value, ClauseElement) and hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    return value


def element_on(table: Table, element: Any) -> ClauseElement:
    """Return the element of a declaration as a clause of `table`: its own column, or an expression over its own.

    :raises DeclarationError: an unknown column, another table's, a sort order, or no SQL at all.
    """
    clause = clause_of(element)
    if isinstance(clause, str):
        return _column_on(table, clause)
    if isinstance(clause, ColumnClause) and not clause.is_literal:
        return _own_column(table, clause)
    if isinstance(clause, TextClause) and any(c.name == clause.text for c in table.columns):
        return _column_on(table, clause.text)
    if not isinstance(clause, ClauseElement):
        raise DeclarationError(
            f"UpsertKey element {element!r} on table {table.fullname!r} is neither a column nor a SQL expression: "
            'pass a column name, a Column, or an expression such as sa.text("lower(email)")'
        )
    if isinstance(clause, UnaryExpression) and clause.modifier in SORT_MODIFIERS:
        raise DeclarationError(
            f"UpsertKey element {clause} on table {table.fullname!r} states a sort order, which ON CONFLICT does not "
            "allow (42P10): leave it out; an index may still be declared in any order beside the key"
        )
    return bound_to(table, clause)


def _column_on(table: Table, name: str) -> Column[Any]:
    found = table.columns.get(name)
    if found is None:
        found = next((column for column in table.columns if column.name == name), None)
    if found is None:
        known = ", ".join(column.name for column in table.columns) or "none yet"
        raise DeclarationError(
            f"UpsertKey on table {table.fullname!r} names the unknown column {name!r}; the table's columns are: "
            f"{known}. Correct the name, or write the key after the columns in Table(...); an expression goes in "
            "as sa.text(...)"
        )
    return found


def _own_column(table: Table, column: ColumnClause[Any]) -> Column[Any]:
    """The table's own column for a mixin's template or a lightweight column of that name."""
    owner: Any = column.table
    # an attribute of a mapped class hands out annotated twins: compare tables by key
    if owner is not None and getattr(owner, "key", None) not in (None, table.key):
        raise DeclarationError(
            f"UpsertKey on table {table.fullname!r} names {owner.key}.{column.name}, a column of another table: name "
            "one of its own"
        )
    name: str | None = column.key or column.name
    if name is None:
        raise DeclarationError(
            f"UpsertKey on table {table.fullname!r} names an attribute of a mixin, which has no name of its own: "
            "write the column's name as a string"
        )
    return _column_on(table, name)


def bound_to(table: Table, clause: ClauseElement) -> ClauseElement:
    """Return the expression with every column that it names replaced by the table's own, and its comments ended."""

    def own(element: Any, **_: Any) -> Column[Any] | None:
        if isinstance(element, ColumnClause) and not element.is_literal:
            return _own_column(table, element)
        return None

    bound = cast("ClauseElement", visitors.replacement_traverse(clause, {}, own))
    return with_ended_comments(bound)


def checked_target(
    table: Table, elements: Sequence[ClauseElement], where: ClauseElement | None
) -> ConflictTarget:
    """Return the conflict target in the reference spelling.

    :raises DeclarationError: the SQL has a parameter without a value, or a value without a literal form.
    """
    try:
        target = ConflictTarget(
            tuple(_element_of(element) for element in elements),
            None if where is None else rendered(where),
        )
    except CompileError as error:
        raise DeclarationError(
            f"UpsertKey on table {table.fullname!r} cannot be written as SQL with its values in place: {error}. "
            "Write the expression as sa.text(...), with a backslash before a colon that starts no parameter"
        ) from error
    twice = [label for label, times in Counter(target.labels).items() if times > 1]
    if twice:
        raise DeclarationError(
            f"{label_of(table, target)} names {', '.join(twice)} twice: once is enough"
        )
    return target


def _element_of(clause: ClauseElement) -> Element:
    if isinstance(clause, Column):
        return Element(column=clause.name)
    return Element(expression=rendered(as_index_element(clause)))


def column_names(clause: ClauseElement) -> Iterator[str]:
    """Return the names of the columns in the clause, in the order they stand there."""
    for part in visitors.iterate(clause):
        if isinstance(part, Column):
            yield part.name


def table_column(table: Table, name: str) -> Column[Any]:
    """Return the column of that name, which need not be its key."""
    found = table.columns.get(name)
    if found is not None and found.name == name:
        return found
    return next(column for column in table.columns if column.name == name)


def is_nullable(table: Table, target: ConflictTarget) -> bool:
    """Return whether the model lets NULL into the key. An expression can be NULL for all we know."""
    return any(
        e.column is None or bool(table_column(table, e.column).nullable) for e in target.elements
    )


def never_null(table: Table, where: ClauseElement | None) -> frozenset[str]:
    """Return the columns that are not NULL in any row that a key with this predicate is about.

    Those of which it states ``IS NOT NULL``: as the whole of it, or as a part that AND joins. Text is compared for
    equality only, letter case and spaces aside; of what else a predicate may exclude nothing is known here.
    """
    if where is None:
        return frozenset()
    joined = isinstance(where, BooleanClauseList) and where.operator is operators.and_
    parts = list(where.get_children()) if joined else [where]
    stated = {" ".join(literal_sql(part).split()).casefold() for part in parts}
    return frozenset(
        c.name for c in table.columns if literal_sql(c.is_not(None)).casefold() in stated
    )


def rowid_alias(table: Table, dialect: Dialect) -> str | None:
    """Return the name of the column that is SQLite's rowid once the table is made: its one INTEGER primary key.

    https://www.sqlite.org/lang_createtable.html#rowid. None: another database, or the rowid has no name there.
    """
    if not database_for(dialect).numbers_rows_by_primary_key or len(table.primary_key) != 1:
        return None
    if table.dialect_options[SQLITE.name]["with_rowid"] is False:
        return None
    (column,) = table.primary_key
    try:
        is_integer = column.type.compile(dialect=dialect) == "INTEGER"
    except CompileError:  # a type of another database
        return None
    return column.name if is_integer else None


def label_of(table: Table, target: ConflictTarget) -> str:
    """Return the label of the key in messages."""
    return describe_key(table.fullname, target.labels, target.predicate)


def sql_expression(where: Any) -> ClauseElement:
    """Return the predicate of a key as a clause.

    :raises DeclarationError: it is no SQL expression.
    """
    clause = clause_of(where)
    if not isinstance(clause, ClauseElement):
        raise DeclarationError(
            f"UpsertKey(where={where!r}) is not a SQL expression: write sa.text({where!r})"
        )
    return clause


def table_of(table_or_class: Any) -> Table:
    """Return the table of a mapped class, or the table itself.

    :raises DeclarationError: it is neither.
    """
    table = getattr(table_or_class, "__table__", table_or_class)
    if not isinstance(table, Table):
        raise DeclarationError(
            f"{table_or_class!r} is neither a Table nor a mapped class: pass one of the two"
        )
    return table
