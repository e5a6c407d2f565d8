"""Tables with their rows, and the keys that are asked for, for hypothesis to choose from.

Half of the tables hold rows twice, each twin in other words (``1.0`` and ``1.00``); keys are drawn from their columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.rows import RowsOfKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alembic_upsert_guard.catalog import TableName

    from .kinds import Kind, Words

__all__ = [
    "GUARDED",
    "KEYS_OF_A_TABLE",
    "Case",
    "Column",
    "Key",
    "Table",
    "Term",
    "cases_of",
    "insert",
    "mostly",
    "named",
    "quoted",
    "rows",
]

KEYS_OF_A_TABLE = 5
"""A table costs a transaction and its rows: some keys a table make more cases a second."""

FEW = 10_000
"""What the package takes for few surplus rows."""


@dataclass(frozen=True)
class Term:
    """One element of a key."""

    sql: str
    """A column as SQL names it, or an expression as an index has it: in parentheses, or a function call."""

    column: str | None = None
    """The column's name, unquoted; None: an expression."""

    kind: str = ""
    """The column's type, or that of the column in the expression."""

    collation: str | None = None
    opclass: str | None = None
    equals: str = "="
    """The operator by which the index compares."""

    def __str__(self) -> str:
        collation = "" if self.collation is None else f" COLLATE {self.collation}"
        opclass = "" if self.opclass is None else f" {self.opclass}"
        return f"{self.sql}{collation}{opclass}"

    @property
    def value(self) -> str:
        """The SQL of what the index holds, with its collation."""
        return self.sql if self.collation is None else f"({self.sql}) COLLATE {self.collation}"

    def as_declared(self) -> Element:
        """The element as a declaration hands it on: whatever is not a bare column is SQL of its own."""
        if self.column is not None and str(self) == self.sql:
            return Element(column=self.column)
        return Element(expression=str(self))


@dataclass(frozen=True)
class Key:
    """What is asked of a table's rows."""

    terms: tuple[Term, ...]
    predicate: str | None
    nulls: str
    few: int = FEW
    """Surplus rows up to which the package looks at hashes; 0: it always takes the way for many."""

    def __str__(self) -> str:
        where = "" if self.predicate is None else f" WHERE {self.predicate}"
        not_distinct = " NULLS NOT DISTINCT" if self.nulls == "not_distinct" else ""
        return f"({', '.join(map(str, self.terms))}){not_distinct}{where}"


@dataclass(frozen=True)
class Table:
    """Statements that make a table with its rows."""

    statements: tuple[str, ...]
    name: TableName
    only: bool = False
    """Whether it has children, whose rows its index does not hold."""

    by: tuple[str, ...] = ()
    """The columns that its partitions go by."""

    own: tuple[Term, ...] = ()
    """Elements that only this table has."""

    place: str = "ctid"
    """What tells rows apart where there is no primary key; on SQLite ``rowid``, or ``id`` where that is not there."""

    @property
    def sql(self) -> str:
        """The name as SQL."""
        return named(self.name)

    @property
    def source(self) -> str:
        """What stands behind FROM."""
        return f"ONLY {self.sql}" if self.only else self.sql

    def rows_of(self, key: Key) -> RowsOfKey:
        """The key as the package is asked for it."""
        target = ConflictTarget(tuple(t.as_declared() for t in key.terms), key.predicate)
        return RowsOfKey(table=self.name, target=target, nulls=key.nulls)


class Case(NamedTuple):
    """A table, and the keys that it is asked for."""

    table: Table
    keys: tuple[Key, ...]


class Column(NamedTuple):
    """One column of a drawn table, beside ``id``."""

    name: str
    kind: Kind

    @property
    def sql(self) -> str:
        """The name as SQL."""
        return quoted(self.name)


_RESERVED = frozenset({"order", "select"})


def quoted(name: str) -> str:
    """Return the name as SQL takes it, in quotes where it is not plain."""
    plain = name.isidentifier() and name.islower() and name not in _RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


def named(name: TableName) -> str:
    """Return the table's name as SQL."""
    return ".".join(quoted(part) for part in name if part is not None)


def mostly(common: Any, *rare: Any) -> st.SearchStrategy[Any]:
    """Return the common value three times in four; hypothesis shrinks towards it."""
    return st.sampled_from((*[common] * (3 * len(rare)), *rare))


# -- rows


@st.composite
def rows(draw: Callable[..., Any], columns: Sequence[Column]) -> list[list[str]]:
    """Up to nine rows, some of them twins of others, in other words."""
    nulls = draw(mostly(0, 3))
    drawn = [
        [draw(_values(column.kind, nulls)) for column in columns]
        for _ in range(draw(st.integers(0, 6)))
    ]
    if drawn and draw(st.booleans()):
        for _ in range(draw(st.integers(1, 3))):
            twin = draw(st.sampled_from(drawn))
            drawn.append([draw(_respelled(v, c.kind)) for v, c in zip(twin, columns, strict=True)])
    return drawn


def _values(kind: Kind, nulls: int) -> st.SearchStrategy[str]:
    every = [spelling for equal in kind.spelled for spelling in equal]
    return st.sampled_from([*every, *["NULL"] * nulls])


def _respelled(value: str, kind: Kind) -> st.SearchStrategy[str]:
    return st.sampled_from(next((equal for equal in kind.spelled if value in equal), (value,)))


def insert(
    into: str,
    columns: Sequence[Column],
    drawn: Sequence[Sequence[str]],
    overriding: str = "OVERRIDING SYSTEM VALUE ",
) -> list[str]:
    """Return the statement that makes the rows, numbered by ``id`` from 1; none for no rows."""
    if not drawn:
        return []
    names = ", ".join(["id", *(column.sql for column in columns)])
    lines = ", ".join(f"({', '.join([str(n), *row])})" for n, row in enumerate(drawn, 1))
    return [f"INSERT INTO {into} ({names}) {overriding}VALUES {lines}"]


# -- keys


GUARDED = ("(1 / (id - 1))", ("id <> 1", "abs(id - 1) + abs(id - 1) > 0", "not_zero(id - 1)"))
"""An expression that fails on a row, and predicates that leave the row out."""


@st.composite
def _terms(draw: Callable[..., Any], columns: Sequence[Column], identity: Column) -> Term:
    column = draw(st.sampled_from([*columns, *columns, *columns, identity]))
    kind = column.kind
    bare = Term(column.sql, column.name, kind.type)
    form = draw(st.sampled_from(("column", "column", "expression", "expression", "dressed")))
    if form == "expression" and kind.expressions:
        words = draw(st.sampled_from(kind.expressions))
        others = [c.sql for c in columns if c.kind.family == kind.family and c is not column]
        other = draw(st.sampled_from(others)) if others else column.sql
        return _expression(words, column, other)
    if form == "dressed":
        collation = draw(st.sampled_from((None, *kind.collations)))
        words = draw(st.sampled_from((None, *kind.opclasses)))
        return bare if words is None and collation is None else _dressed(bare, collation, words)
    return bare


def _expression(words: Words, column: Column, other: str) -> Term:
    sql = words.sql.replace("{c}", column.sql).replace("{d}", other)
    head, _, last = sql.rpartition(" ")
    if last.endswith("_ops"):  # no part of the value
        return Term(head, kind=column.kind.type, opclass=last, equals=words.equals)
    return Term(sql, kind=column.kind.type, equals=words.equals)


def _dressed(bare: Term, collation: str | None, words: Words | None) -> Term:
    opclass = None if words is None else words.sql
    equals = bare.equals if words is None else words.equals
    return Term(bare.sql, bare.column, bare.kind, collation, opclass, equals)


@st.composite
def _keys(
    draw: Callable[..., Any],
    table: Table,
    columns: Sequence[Column],
    words: Vocabulary,
) -> Key:
    count = draw(st.sampled_from((1, 1, 1, 2, 2, 3)))
    terms = [draw(_terms(columns, Column("id", words.identity))) for _ in range(count)]
    predicate = draw(_predicates(table, columns, words.predicates))
    rare = draw(st.integers(0, 19))
    if rare == 19:
        terms[-1] = Term(draw(st.sampled_from(words.constants)))
    elif rare == 18:
        terms[0], predicate = Term(GUARDED[0]), draw(st.sampled_from(words.guards))
    elif table.own and rare > 9:
        terms[0] = draw(st.sampled_from(table.own))
    if table.by and rare > 2:
        terms = [*terms[: 3 - len(table.by)], *(Term(c, c, "int") for c in table.by)]
    once = tuple({str(term): term for term in terms}.values())
    return Key(once, predicate, draw(st.sampled_from(words.modes)), draw(st.sampled_from((FEW, 0))))


@st.composite
def _predicates(
    draw: Callable[..., Any], table: Table, columns: Sequence[Column], predicates: Sequence[str]
) -> str | None:
    if draw(st.integers(0, 9)) < 6:
        return None
    predicate: str = draw(st.sampled_from(predicates))
    marks = {
        "{c}": draw(st.sampled_from(columns)).sql,
        "{t}": quoted(table.name.name),
        "{st}": table.sql,
    }
    for mark, sql in marks.items():
        predicate = predicate.replace(mark, sql)
    return predicate


@dataclass(frozen=True)
class Vocabulary:
    """What keys of one database are made of, beside the columns."""

    predicates: tuple[str, ...]
    """``{c}`` stands for a column, ``{t}`` for the table, ``{st}`` for it with its schema."""

    guards: tuple[str, ...]
    constants: tuple[str, ...]
    """Elements of nothing that a row holds: then the table takes one row."""

    modes: tuple[str, ...]
    """What NULL may mean, as often as it weighs."""

    identity: Kind
    """Of the column ``id``."""


def cases_of(
    tables: st.SearchStrategy[tuple[Table, list[Column]]], words: Vocabulary
) -> st.SearchStrategy[Case]:
    """Return the tables, each with keys."""

    def with_keys(drawn: tuple[Table, list[Column]]) -> st.SearchStrategy[Case]:
        keys = st.tuples(*[_keys(*drawn, words)] * KEYS_OF_A_TABLE)
        return st.builds(Case, st.just(drawn[0]), keys)

    return tables.flatmap(with_keys)
