"""The one arbiter that a table holds for a key: found, or attached under a name that lasts."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from sqlalchemy import (
    Column,
    Constraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.exc import CompileError, InvalidRequestError
from sqlalchemy.sql.elements import ClauseElement, ColumnClause, UnaryExpression, conv

from ..databases import DATABASES, database_for
from ..errors import DeclarationError
from ..findings import NOT_DEFERRABLE_HINT, deferrable_fact
from ..inference import Candidate, ConflictTarget, Element, Kind, enforce_same_uniqueness
from ..names import short_hash, truncated_identifier
from ..sqltext import literal_sql
from .elements import (
    SORT_MODIFIERS,
    as_index_element,
    clause_of,
    column_names,
    is_nullable,
    label_of,
    table_column,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Dialect

__all__ = [
    "Arbiter",
    "Nulls",
    "arbiter_as_candidate",
    "arbiters_of",
    "attach_arbiter",
    "declared_arbiter",
    "detach",
    "reattach",
]

Nulls: TypeAlias = Literal["warn", "distinct", "not_distinct", "forbid"]
Arbiter: TypeAlias = "PrimaryKeyConstraint | UniqueConstraint | Index"


def declared_arbiter(table: Table, target: ConflictTarget, nulls: Nulls) -> Arbiter | None:
    """Return the arbiter that the table declares with the key's own uniqueness; None: it declares none.

    :raises DeclarationError: a deferrable one stands there, alone or beside a good one: ON CONFLICT fails on
     it with 55000 either way.
    """
    found: Arbiter | None = None
    for arbiter in arbiters_of(table):
        if not isinstance(arbiter, Index) and len(arbiter.columns) != len(target.elements):
            continue  # a constraint holds no column twice
        candidate = arbiter_as_candidate(arbiter)
        if frozenset(candidate.elements) != frozenset(target.elements):
            continue
        if not candidate.immediate:
            name = f"{candidate.name or 'a unique constraint'} on the same columns"
            raise DeclarationError(
                f"{label_of(table, target)} cannot be upserted on: {deferrable_fact(name)}; {NOT_DEFERRABLE_HINT}"
            )
        if found is None and _serves(candidate, target, nulls, table):
            found = arbiter
    return found


def arbiters_of(table: Table) -> Iterator[Arbiter]:
    """Return every arbiter of the table: primary key, constraints, unique indexes; each group by name."""
    if table.primary_key.columns:
        yield table.primary_key
    constraints = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    yield from sorted(constraints, key=_by_name)
    yield from sorted((i for i in table.indexes if i.unique), key=_by_name)


def _by_name(arbiter: Arbiter) -> str:
    return str(arbiter.name or "")


def _serves(candidate: Candidate, target: ConflictTarget, nulls: Nulls, table: Table) -> bool:
    # nulls          | the arbiter's NULL mode that fits, where a key column is nullable
    # warn, forbid   | either: the key does not say, or lets no NULL in
    # distinct       | the default one
    # not_distinct   | NULLS NOT DISTINCT
    modes = {"distinct": (False,), "not_distinct": (True,)}.get(nulls, (False, True))
    nullable = is_nullable(table, target)
    return any(
        enforce_same_uniqueness(
            candidate,
            Candidate(
                None,
                target.elements,
                partial=target.predicate is not None,
                predicate=target.predicate,
                nulls_not_distinct=mode,
            ),
            nullable=nullable,
        )
        for mode in modes
    )


def attach_arbiter(
    table: Table,
    elements: Sequence[ClauseElement],
    where: ClauseElement | None,
    target: ConflictTarget,
    *,
    name: str | None,
    nulls_not_distinct: bool,
    as_index: bool,
) -> Arbiter:
    """Attach a real constraint or index for the key, and return it."""
    options: dict[str, Any] = {"postgresql_nulls_not_distinct": True} if nulls_not_distinct else {}
    only_index = where is not None or any(e.column is None for e in target.elements)
    if only_index or as_index:
        if where is not None:
            options |= {"postgresql_where": where, "sqlite_where": where}
        return Index(
            name or _free_name(table, elements, target),
            *cast("Sequence[Any]", elements),
            unique=True,
            _table=table,
            **options,
        )
    columns = [table_column(table, e.column) for e in target.elements if e.column is not None]
    # columns that have a table attach the constraint to it
    return UniqueConstraint(*columns, name=name or _free_name(table, elements, target), **options)


def detach(table: Table, arbiter: Arbiter) -> None:
    """Take the arbiter off the table."""
    if isinstance(arbiter, Index):
        table.indexes.discard(arbiter)
    else:
        table.constraints.discard(arbiter)


def reattach(table: Table, arbiter: Arbiter) -> None:
    """Put back what :func:`detach` took off; no event is fired."""
    if isinstance(arbiter, Index):
        table.indexes.add(arbiter)
    else:
        table.constraints.add(arbiter)


def arbiter_as_candidate(arbiter: Arbiter, dialect: Dialect | None = None) -> Candidate:
    """Return a model's constraint or index in the words of the inference core, spelled for `dialect`."""
    name = None if arbiter.name is None else str(arbiter.name)
    options = arbiter.dialect_kwargs
    nulls_not_distinct = bool(options.get("postgresql_nulls_not_distinct", False))
    if isinstance(arbiter, Index):
        where = _predicate_of(arbiter, dialect)
        # SQL that has no literal form is known to be there, and equals no other
        return Candidate(
            name,
            tuple(
                replace(element, prefix=_prefix_of(arbiter, element))
                for element in (_index_element(e, dialect) for e in arbiter.expressions)
            ),
            Kind.INDEX,
            unique=bool(arbiter.unique),
            partial=where is not None,
            predicate=None if where is None else _sql_or_none(where, dialect),
            nulls_not_distinct=nulls_not_distinct,
            include=_included(arbiter),
        )
    return Candidate(
        name,
        tuple(Element(column.name) for column in arbiter.columns),
        Kind.PRIMARY_KEY if isinstance(arbiter, PrimaryKeyConstraint) else Kind.CONSTRAINT,
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


def _free_name(
    table: Table, elements: Sequence[ClauseElement], target: ConflictTarget
) -> str | conv:
    """The default name, or one beside it where another constraint or index of the table bears it."""
    name = _default_name(table, elements, target)
    items: list[Constraint | Index] = [*table.constraints, *table.indexes]
    taken = {str(item.name) for item in items}
    return truncated_identifier(f"{name}_{short_hash('the key')}") if str(name) in taken else name


def _default_name(
    table: Table, elements: Sequence[ClauseElement], target: ConflictTarget
) -> str | conv:
    """The arbiter's name where none is stated: by the naming convention, else ``uq_<table>_<columns>``.

    Partial and expression keys end in eight hex digits of their SQL: two of them can have the same columns.
    """
    columns = list(dict.fromkeys(name for e in elements for name in column_names(e)))
    plain = all(e.column is not None for e in target.elements) and target.predicate is None
    if not plain:
        sql = "\x00".join((*target.labels, target.predicate or ""))
        return truncated_identifier("_".join(["uq", table.name, *columns, short_hash(sql)]))
    convention = table.metadata.naming_convention
    if "uq" in convention or UniqueConstraint in convention:
        # let SQLAlchemy apply it, on a table of the same name that nobody sees
        empty_copy = Table(
            table.name,
            MetaData(naming_convention=convention),
            *(Column(c.name, c.type, key=c.key) for c in table.columns),
            schema=table.schema,
        )
        columns_of_key = [
            table_column(empty_copy, e.column) for e in target.elements if e.column is not None
        ]
        try:
            constraint = UniqueConstraint(*columns_of_key)  # attached by its columns
        except InvalidRequestError as error:
            raise DeclarationError(
                f"{label_of(table, target)} needs a name: the metadata's naming convention builds on one that is "
                "stated; write UpsertKey(..., name=...)"
            ) from error
        if constraint.name is not None:
            name = str(constraint.name)
            # SQLAlchemy cuts by characters, PostgreSQL by bytes
            return conv(name if name.isascii() else truncated_identifier(name))
    return truncated_identifier("_".join(["uq", table.name, *columns]))
