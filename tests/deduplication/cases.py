"""One case: tables, rows, a key that rows share, and everything that refers to them or holds on to them.

The statements are SQL for the database; beside them stands what the oracle knows of them, since it reads no SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.inference import ConflictTarget
from alembic_upsert_guard.inference import Element as TargetElement
from alembic_upsert_guard.rows import RowsOfKey, Surplus

__all__ = [
    "ARCHIVE_IS_SHORT",
    "Case",
    "Column",
    "Element",
    "Held",
    "Order",
    "Predicate",
    "Reference",
    "quoted",
]

ARCHIVE_IS_SHORT = "short"
"""The archive is there already, and lacks a column."""

# of a parameter style that does not double per cent signs
_PREPARERS = {
    "postgresql": postgresql.dialect(paramstyle="named").identifier_preparer,
    "sqlite": sqlite.dialect(paramstyle="named").identifier_preparer,
}


def quoted(dialect: str, *names: str | None) -> str:
    """The names as SQL, with dots between them; in quotes only where the database prints them in quotes."""
    preparer = _PREPARERS[dialect]
    return ".".join(preparer.quote(name) for name in names if name is not None)


@dataclass(frozen=True)
class Column:
    """A column, and how its values are compared."""

    name: str
    type: str
    kind: str = "exact"
    clause: str = ""
    literals: tuple[str, ...] = ("NULL",)
    """What its rows are made of."""

    written: bool = True
    """False: the database computes it."""


@dataclass(frozen=True)
class Held:
    """A table that is read before and after."""

    label: str
    relation: str
    """As it stands behind FROM."""

    columns: tuple[Column, ...]
    uniques: tuple[tuple[str, ...], ...] = ()
    """Column names of each unique constraint that a moved reference may break."""

    touched: str | None = None
    """The column that a trigger counts the updates of a row in."""

    hidden: bool = False
    """Whether row level security hides rows from the role."""

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns' names, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Reference:
    """A foreign key."""

    label: str
    """As messages name it."""

    child: str
    own: tuple[str, ...]
    parent: str
    referred: tuple[str, ...]
    on_update: str = "NO ACTION"
    held: str | None = None
    """The column of the child whose value 1 makes a trigger keep the row as it is; ``""``: every row is kept."""


@dataclass(frozen=True)
class Element:
    """One element of the key."""

    column: str
    kind: str
    """How two of its values are compared."""

    sql: str | None = None
    """None: the bare column."""


@dataclass(frozen=True)
class Predicate:
    """Which rows a partial key is about."""

    sql: str
    column: str
    test: str
    """``null``, ``live`` or ``positive``."""


@dataclass(frozen=True)
class Order:
    """One term of the order."""

    sql: str
    column: str
    reading: str


@dataclass(frozen=True, repr=False)
class Case:
    """Everything about one deduplication."""

    dialect: str
    statements: tuple[str, ...]
    schema: str | None
    name: str
    """The table that is deduplicated."""

    tables: tuple[Held, ...]
    """The one that is deduplicated first."""

    primary_key: tuple[str, ...]
    elements: tuple[Element, ...]
    keep: str
    order_by: tuple[Order, ...] = ()
    predicate: Predicate | None = None
    nulls: str = "warn"
    archive: str | None = None
    archive_stands: str | None = None
    """None: the archive is not there yet; ``shared``: with a row of another key; or ARCHIVE_IS_SHORT."""

    repoint: bool = False
    references: tuple[Reference, ...] = ()
    deferred: tuple[str, ...] = ()
    """Constraints that are checked at the end of the transaction, as SQL names."""

    delete_held: str | None = None
    """The column whose value 1 makes a trigger keep a row from being deleted."""

    audit: str | None = None
    """The label of the table into which a trigger writes `audited` of each deleted row."""

    audited: str = ""
    role: str | None = None
    """Who deduplicates; None: whoever connects."""

    secured: bool = False
    payload: str = ""
    """The column that the upsert writes."""

    fresh: dict[str, str] = field(default_factory=dict)
    """SQL by column: what makes a row that collides with no other on anything but the key."""

    has_places: bool = False
    """Whether rows that the primary key does not tell apart are told apart by where they stand."""

    as_constraint: bool = False
    enforced: bool = True
    """SQLite: ``PRAGMA foreign_keys``."""

    def __repr__(self) -> str:
        return self.directive()

    @property
    def table(self) -> Held:
        """The table that is deduplicated."""
        return self.tables[0]

    @property
    def key_moves(self) -> bool:
        """Whether a reference of the table to itself is part of the key."""
        of_key = {element.column for element in self.elements}
        return any(
            reference.child == self.table.label
            and any(own in of_key and own not in reference.referred for own in reference.own)
            for reference in self.references
        )

    @property
    def relation(self) -> str:
        """The same, as statements other than SELECT name it."""
        return quoted(self.dialect, self.schema, self.name)

    @property
    def archive_relation(self) -> str:
        """The archive's name as SQL."""
        return quoted(self.dialect, self.schema, self.archive)

    def held(self, label: str) -> Held:
        """The table of that label."""
        return next(table for table in self.tables if table.label == label)

    def surplus(self) -> Surplus:
        """What the package is asked for."""
        target = ConflictTarget(
            tuple(
                TargetElement(column=e.column) if e.sql is None else TargetElement(expression=e.sql)
                for e in self.elements
            ),
            None if self.predicate is None else self.predicate.sql,
        )
        return Surplus(
            key=RowsOfKey(table=TableName(self.schema, self.name), target=target, nulls=self.nulls),
            keep=self.keep,
            order_by=tuple(order.sql for order in self.order_by),
            archive=None if self.archive is None else TableName(self.schema, self.archive),
            repoint=self.repoint,
        )

    def spelled_elements(self) -> str:
        """The elements as an index and a conflict target have them."""
        return ", ".join(
            quoted(self.dialect, e.column) if e.sql is None else f"({e.sql})" for e in self.elements
        )

    def spelled_predicate(self) -> str:
        """The predicate as an index and a conflict target have it."""
        return "" if self.predicate is None else f" WHERE {self.predicate.sql}"

    def directive(self) -> str:
        """What a revision would say."""
        elements: list[Any] = [
            e.column if e.sql is None else f"sa.text({e.sql!r})" for e in self.elements
        ]
        return (
            f"op.deduplicate_upsert_key({self.name!r}, {elements}, keep={self.keep!r}, "
            f"order_by={[order.sql for order in self.order_by]}, archive_table={self.archive!r}, "
            f"repoint={self.repoint}, schema={self.schema!r}, "
            f"where={None if self.predicate is None else self.predicate.sql!r}, nulls={self.nulls!r})"
        )
