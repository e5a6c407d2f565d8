"""The declaration itself: ``UpsertKey``, what stays on the table, and how it is read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Index, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint, event
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql.elements import ClauseElement, TextClause

from ..databases import database_for
from ..errors import DeclarationError, UndeclaredUpsertKeyError, UnsupportedUpsertKeyError
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
from .elements import (
    InPlace,
    as_index_element,
    bound_to,
    checked_target,
    clause_of,
    element_on,
    is_nullable,
    label_of,
    never_null,
    rowid_alias,
    table_column,
)
from .mysql import unsupported_by_mysql
from .nullability import null_makes_null

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection, Dialect


__all__ = [
    "Declaration",
    "DeclaredUpsertKey",
    "UpsertKey",
    "conflict_target",
    "declarations_of",
    "declare_upsert_key",
    "declared_upsert_keys",
]


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


class UpsertKey(SchemaItem):
    """Rows of the table are matched by these elements when the application upserts.

    After it is attached, the table holds exactly one arbiter for the key: the primary key, unique constraint
    or unique index that it declares itself (before or after the key), or else one that the key attaches.

    :param elements: column names, ``Column`` objects or mapped attributes, or SQL expressions; their order is
     kept for the index and means nothing to inference.
    :param where: the predicate of a partial key, a SQL expression or ``text()``; None: every row.
    :param nulls: what NULL in a nullable key column means. ``"warn"``: not stated, so say that NULLs never
     conflict; ``"distinct"``: intended; ``"not_distinct"``: NULLs conflict, which takes PostgreSQL 15;
     ``"forbid"``: the preflight refuses them.
    :param name: the arbiter's name; None: the metadata's naming convention, else ``uq_<table>_<columns>``.
    :param as_index: attach a unique index in place of a unique constraint. Partial keys and keys with
     expressions always do: constraints can hold neither.
    :raises DeclarationError: when the key can never be served as written.
    """

    __visit_name__ = "upsert_key"

    def __init__(
        self,
        *elements: Any,
        where: Any = None,
        nulls: Nulls = "warn",
        name: str | None = None,
        as_index: bool = False,
    ) -> None:
        if not elements:
            raise DeclarationError(
                "UpsertKey() names no elements: name the columns that the upsert matches rows by, "
                'as in UpsertKey("user_id", "question_id")'
            )
        if nulls not in get_args(Nulls):
            raise DeclarationError(
                f"UpsertKey(nulls={nulls!r}) is not known: write one of "
                + ", ".join(map(repr, get_args(Nulls)))
            )
        if where is not None:
            _sql_expression(where)
        self._elements = elements
        self._where = where
        self._nulls: Nulls = nulls
        self._name = name
        self._as_index = as_index

    def __repr__(self) -> str:
        return f"UpsertKey({', '.join(map(repr, self._elements))})"

    def _set_parent(self, parent: Any, **_: Any) -> None:
        # the same object is attached to every table that shares a mixin's __table_args__: it keeps no state
        table: Table = parent
        elements = tuple(element_on(table, element) for element in self._elements)
        where = None if self._where is None else bound_to(table, clause_of(self._where))
        declaration = Declaration(
            elements,
            where,
            checked_target(table, elements, where),
            self._nulls,
            self._name,
            self._as_index,
        )
        for existing in declarations_of(table):
            if _identity(existing.target) == _identity(declaration.target):
                raise DeclarationError(
                    f"{label_of(table, declaration.target)} is declared twice: drop one of the two declarations"
                )
        declaration.settle(table)
        event.listen(table, "before_create", declaration, propagate=True)
        _watch_what_comes_later()


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
        """Return why this database cannot keep the key; None: it can.

        SQLAlchemy leaves out what a dialect has no word for: the constraint would be made, and be another.
        """
        database = database_for(dialect)
        most = database.most_elements
        if self.nulls == "not_distinct" and self.is_nullable(table):
            reason = _without_nulls_not_distinct(dialect)
            if reason is not None:
                return f'states nulls="not_distinct", {reason}'
        if self.where is not None and not database.predicate_options:
            return (
                f"is partial, and {database.name} has no partial indexes that SQLAlchemy creates: the index would "
                "cover every row; remove the predicate, or key a generated column"
            )
        if most is not None and len(self.elements) > most:
            return (
                f"has {len(self.elements)} elements, and an index of {database.name} holds {most}: key fewer "
                "columns, or a generated column with a hash of them"
            )
        if database.numbers_rows_by_primary_key:
            return self._names_hidden_rowid(dialect, table)
        return unsupported_by_mysql(dialect, table, self.target, self.elements)

    def _names_hidden_rowid(self, dialect: Dialect, table: Table) -> str | None:
        hidden = next((name for name in map(_hidden_rowid, self.elements) if name), None)
        if hidden is None:
            return None
        rowid = rowid_alias(table, dialect)
        fix = f'write UpsertKey("{rowid}")' if rowid else "give the table an INTEGER PRIMARY KEY"
        return f"names {hidden}, SQLite's own number of a row, which no index can hold; {fix}"

    def never_served_on(self, dialect: Dialect, table: Table) -> str | None:
        """Return why no upsert on the key finds an arbiter there, whatever is made; None: it may."""
        rowid = rowid_alias(table, dialect)
        columns = [element.column for element in self.target.elements]
        if rowid is None or rowid not in columns or len(columns) == 1:
            return None
        return unserved_rowid_fact(rowid)


def _without_nulls_not_distinct(dialect: Dialect) -> str | None:
    """Why the database has no UNIQUE NULLS NOT DISTINCT, as a clause; None: it has, or its version is not known."""
    database = database_for(dialect)
    since = database.nulls_not_distinct_since
    fix = 'state nulls="distinct" or "forbid", or make the columns NOT NULL'
    if since is None:
        return f"which {database.name} does not have: NULLs would not conflict there; {fix}"
    version = getattr(dialect, "server_version_info", None)
    if version is None or version >= since:
        return None
    return (
        f"which PostgreSQL has from version {since[0]} on and this server is "
        f"{'.'.join(map(str, version))}; {fix}"
    )


def declare_upsert_key(
    table_or_class: Any,
    *elements: Any,
    where: Any = None,
    nulls: Nulls = "warn",
    name: str | None = None,
    as_index: bool = False,
) -> None:
    """Declare an upsert key on a table or mapped class that cannot be edited.

    The parameters, and what is true afterwards, are those of :class:`UpsertKey`.

    :raises DeclarationError: when the key can never be served as written.
    """
    key = UpsertKey(*elements, where=where, nulls=nulls, name=name, as_index=as_index)
    key._set_parent_with_dispatch(_table(table_or_class))  # noqa: SLF001 - as Table() itself attaches its items


def declared_upsert_keys(metadata_or_table: Any) -> tuple[DeclaredUpsertKey, ...]:
    """Return every declared key, sorted by schema, table, elements and predicate.

    :param metadata_or_table: a ``MetaData``, a ``Table`` or a mapped class.
    """
    tables: Iterable[Table] = (
        metadata_or_table.tables.values()
        if isinstance(metadata_or_table, MetaData)
        else (_table(metadata_or_table),)
    )
    keys = [declaration.on(table) for table in tables for declaration in declarations_of(table)]
    keys.sort(key=lambda key: (key.schema or "", key.table, key.elements, key.where or ""))
    return tuple(keys)


def conflict_target(table_or_class: Any, *elements: Any, where: Any = None) -> dict[str, Any]:
    """Return the conflict target of a declared key as keyword arguments.

    They are those of ``on_conflict_do_update`` and ``on_conflict_do_nothing`` on PostgreSQL and SQLite:
    ``index_elements``, with plain columns as ``str`` in declared order, and ``index_where`` for a partial key.
    MySQL's ``on_duplicate_key_update`` takes no target, and none of these.
    No value in them is bound: PostgreSQL infers a partial index from literals alone once the plan of a
    prepared statement turns generic (42P10 from the sixth execution on).

    :param elements: which key, in any order; none: the only one that the table declares.
    :param where: the predicate, where keys differ in nothing else.
    :raises UndeclaredUpsertKeyError: when no declared key fits, or several do.
    """
    table = _table(table_or_class)
    found = declarations_of(table)
    fitting = found
    if elements:
        wanted = checked_target(table, tuple(element_on(table, e) for e in elements), None)
        fitting = [d for d in found if frozenset(d.target.elements) == frozenset(wanted.elements)]
    if where is not None:
        predicate = literal_sql(bound_to(table, _sql_expression(where)))
        fitting = [d for d in fitting if d.target.predicate == predicate]
    elif elements and len(fitting) > 1:
        fitting = [d for d in fitting if d.target.predicate is None]
    if len(fitting) != 1:
        raise UndeclaredUpsertKeyError(_no_single_key(table, elements, found))
    return fitting[0].conflict_arguments()


def declarations_of(table: Table) -> list[Declaration]:
    """Return the declarations on `table`, in the order they were made."""
    return [
        listener for listener in table.dispatch.before_create if isinstance(listener, Declaration)
    ]


def _watch_what_comes_later() -> None:
    """From the first declared key on, an arbiter that is declared after its key is noticed."""
    for kind in (UniqueConstraint, Index, PrimaryKeyConstraint, Column):
        if not event.contains(kind, "after_parent_attach", _on_attached):
            event.listen(kind, "after_parent_attach", _on_attached)


def _on_attached(item: Any, parent: Any) -> None:
    """Settle the table's keys anew: a key owns nothing twice, and a primary key can grow past it."""
    if isinstance(parent, Table) and (not isinstance(item, Column) or item.primary_key):
        for declaration in declarations_of(parent):
            declaration.settle(parent)


def _hidden_rowid(element: ClauseElement) -> str | None:
    """The name that the element has for the rowid; as a column's it would be the column."""
    name = element.text if isinstance(element, TextClause) else None
    return name if name is not None and name.casefold() in ("rowid", "oid", "_rowid_") else None


def _sql_expression(where: Any) -> ClauseElement:
    clause = clause_of(where)
    if not isinstance(clause, ClauseElement):
        raise DeclarationError(
            f"UpsertKey(where={where!r}) is not a SQL expression: write sa.text({where!r})"
        )
    return clause


def _table(table_or_class: Any) -> Table:
    table = getattr(table_or_class, "__table__", table_or_class)
    if not isinstance(table, Table):
        raise DeclarationError(
            f"{table_or_class!r} is neither a Table nor a mapped class: pass one of the two"
        )
    return table


def _identity(target: ConflictTarget) -> tuple[frozenset[Element], str | None]:
    return frozenset(target.elements), target.predicate


def _no_single_key(table: Table, elements: Sequence[Any], found: Sequence[Declaration]) -> str:
    wanted = f" on ({', '.join(map(str, elements))})" if elements else ""
    if not found:
        columns = ", ".join(f'"{e}"' for e in elements) or "..."
        return f"table {table.fullname!r} declares no upsert key: add UpsertKey({columns}) to its __table_args__"
    listed = "; ".join(label_of(table, d.target) for d in found)
    return (
        f"no single upsert key of table {table.fullname!r} fits{wanted}: name the elements, and where= for a partial "
        f"key, of one of these: {listed}"
    )
