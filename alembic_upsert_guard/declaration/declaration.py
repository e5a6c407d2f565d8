"""A key that is attached to a table: it stays there, and finds or creates the table's one arbiter for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint, event

from ..errors import UnsupportedUpsertKeyError
from ..findings import unserved_rowid_fact
from ..inference import ConflictTarget, Element
from ..sqltext import literal_sql
from .arbiters import (
    Arbiter,
    Nulls,
    arbiters_of,
    attach_arbiter,
    declared_arbiter,
    detach,
    reattach,
)
from .elements import is_nullable, label_of, never_null, rowid_alias, table_column
from .errors import DeclarationError
from .in_place import InPlace, as_index_element
from .nullability import null_makes_null
from .support import unsupported_by

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.sql.elements import ClauseElement

__all__ = ["Declaration", "DeclaredUpsertKey", "declarations_of", "settle_when_more_is_declared"]


@dataclass(frozen=True, slots=True)
class DeclaredUpsertKey:
    """One upsert key as declared, in plain values.

    Its identity on a table is the *set* of `elements` and the predicate.
    """

    schema: str | None
    table: str
    elements: tuple[str, ...]
    """Column names unquoted, expressions as PostgreSQL would take them; in declared order."""
    where: str | None
    """The predicate's SQL; None: the key covers every row."""
    nulls: Nulls
    name: str | None
    """The name that the declaration states; None: it states none."""


@dataclass(frozen=True, eq=False)
class Declaration:
    """A key attached to a table; as a ``before_create`` listener it also guards ``create_all()``.

    It refers to the columns of the table that it was declared on and serves that table's copies as well:
    everything that differs between them is looked up on the table at hand.
    """

    elements: tuple[ClauseElement, ...]
    where: ClauseElement | None
    target: ConflictTarget
    """The conflict target in the reference spelling (:func:`.sqltext.reference_dialect`)."""
    nulls: Nulls
    name: str | None
    as_index: bool
    declared_at: tuple[str, int] | None = None
    """File and line of the declaration; None: not known."""
    _attached: WeakKeyDictionary[Table, Arbiter] = field(default_factory=WeakKeyDictionary)
    """What the key attached itself, by table; nothing where it points at what the table declares."""

    def __call__(self, table: Table, connection: Connection, **_: Any) -> None:
        reason = self.unsupported_by(connection.dialect, table)
        if reason is not None:
            raise UnsupportedUpsertKeyError(f"{label_of(table, self.target)} {reason}")

    def conflict_arguments(self) -> dict[str, Any]:
        """Return the conflict target as new keyword arguments for SQLAlchemy's ``on_conflict_*``."""
        elements, where = self._in_place
        arguments: dict[str, Any] = {"index_elements": list(elements)}
        if where is not None:
            arguments["index_where"] = where
        return arguments

    @cached_property
    def _in_place(self) -> tuple[tuple[str | InPlace, ...], InPlace | None]:
        # upserts are made by the thousand: their SQL is worked out once
        pairs = zip(self.target.elements, self.elements, strict=True)
        return (
            tuple(element.column or InPlace(as_index_element(clause)) for element, clause in pairs),
            None if self.where is None else InPlace(self.where),
        )

    def target_in(self, dialect: Dialect) -> ConflictTarget:
        """Return the conflict target as :meth:`conflict_arguments` renders it for `dialect`."""
        elements, where = self._in_place
        return ConflictTarget(
            tuple(
                Element(column=element)
                if isinstance(element, str)
                else Element(expression=literal_sql(element.clause, dialect))
                for element in elements
            ),
            None if where is None else literal_sql(where.clause, dialect),
        )

    def on(self, table: Table) -> DeclaredUpsertKey:
        """Return the key as plain values, on `table`."""
        return DeclaredUpsertKey(
            table.schema,
            table.name,
            self.target.labels,
            self.target.predicate,
            self.nulls,
            self.name,
        )

    def arbiter(self, table: Table) -> Arbiter:
        """Return the one arbiter that `table` declares for this key."""
        found = declared_arbiter(table, self.target, self.nulls)
        if found is None:
            raise DeclarationError(
                f"{label_of(table, self.target)} lost its arbiter: something took it out of the table's "
                "constraints and indexes"
            )
        return found

    def settle(self, table: Table) -> None:
        """Leave the table with one arbiter for the key: a hand-written one, or else the key's own.

        :raises DeclarationError: a deferrable one stands there.
        """
        own = self._own(table)
        if own is not None:
            detach(table, own)
        # asked without its own, so that it cannot answer for a hand-written one
        if declared_arbiter(table, self.target, self.nulls) is not None:
            self._attached.pop(table, None)
        elif own is not None:
            reattach(table, own)
        else:
            self._attached[table] = attach_arbiter(
                table,
                self.elements,
                self.where,
                self.target,
                name=self.name,
                nulls_not_distinct=self.nulls == "not_distinct",
                as_index=self.as_index,
            )

    def _own(self, table: Table) -> Arbiter | None:
        """The arbiter that the key attached to the table, or that came along when the table was copied."""
        if table in self._attached:
            return self._attached[table]
        came_along = {str(arbiter.name) for arbiter in self._attached.values()}
        if not came_along:
            return None
        return next((a for a in arbiters_of(table) if str(a.name) in came_along), None)

    def attached_its_own(self, table: Table) -> bool:
        """Return whether the key attached its arbiter itself."""
        return self._own(table) is not None  # a hand-written one would have taken its place

    def owns(self, table: Table) -> bool:
        """Return whether the key attached its arbiter itself and lets it go by any name."""
        return self.name is None and self.attached_its_own(table)

    def is_nullable(self, table: Table) -> bool:
        """Return whether the model lets NULL into the key. An expression can be NULL for all we know."""
        return is_nullable(table, self.target)

    def nullable_columns(self, table: Table) -> list[str]:
        """Return the elements that may be NULL in the model and in the key's predicate, in declared order, as labels.

        Columns, and expressions that are NULL where a column in them is. Of SQL in ``text()`` nothing is known here.
        """
        excluded = self.never_null(table)
        return [
            element.label
            for element, clause in zip(self.target.elements, self.elements, strict=True)
            if null_makes_null(
                clause if element.column is None else table_column(table, element.column), excluded
            )
        ]

    def never_null(self, table: Table) -> frozenset[str]:
        """Return the columns of which the key's predicate states that they are not NULL."""
        return never_null(table, self.where)

    def unsupported_by(self, dialect: Dialect, table: Table) -> str | None:
        """Return why this database cannot keep the key, as what follows upon its name; None: it can."""
        return unsupported_by(dialect, table, self)

    def never_served_on(self, dialect: Dialect, table: Table) -> str | None:
        """Return why no upsert on the key finds an arbiter there, whatever is made; None: it may."""
        rowid = rowid_alias(table, dialect)
        columns = [element.column for element in self.target.elements]
        if rowid is None or rowid not in columns or len(columns) == 1:
            return None
        return unserved_rowid_fact(rowid)


def declarations_of(table: Table) -> list[Declaration]:
    """Return the declarations on `table`, in the order they were made."""
    return [
        listener for listener in table.dispatch.before_create if isinstance(listener, Declaration)
    ]


def settle_when_more_is_declared() -> None:
    """From the first declared key on, have a table settle its keys again when an arbiter is declared after them."""
    for kind in (UniqueConstraint, Index, PrimaryKeyConstraint, Column):
        if not event.contains(kind, "after_parent_attach", _on_attached):
            event.listen(kind, "after_parent_attach", _on_attached)


def _on_attached(item: Any, parent: Any) -> None:
    """Settle the table's keys again: a key owns nothing twice, and a primary key can grow past it."""
    if isinstance(parent, Table) and (not isinstance(item, Column) or item.primary_key):
        for declaration in declarations_of(parent):
            declaration.settle(parent)
