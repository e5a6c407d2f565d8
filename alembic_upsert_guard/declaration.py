"""Upsert keys, declared on models: what they own, what they point at, and how they are read back.

A declared key hangs on its table as a ``before_create`` listener: it has work to do there (``create_all()``
must not drop half of a key silently), and listeners with ``propagate=True`` are what SQLAlchemy carries along
in ``Table.to_metadata()`` for every kind of key. ``info`` is no such carrier: it is copied with a
``UniqueConstraint`` and lost with an ``Index``, and that of a ``Table`` ends up in revisions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

from sqlalchemy import (
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    bindparam,
    event,
    literal_column,
)
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import (
    BindParameter,
    ClauseElement,
    ColumnClause,
    UnaryExpression,
    conv,
)

from .errors import DeclarationError, UndeclaredUpsertKeyError, UnsupportedUpsertKeyError
from .inference import Candidate, ConflictTarget, Element, Kind, enforce_same_uniqueness
from .sqltext import literal_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection, Dialect

__all__ = [
    "Arbiter",
    "Declaration",
    "DeclaredUpsertKey",
    "Nulls",
    "UpsertKey",
    "arbiter_as_candidate",
    "conflict_target",
    "declarations_of",
    "declare_upsert_key",
    "declared_upsert_keys",
]

Nulls: TypeAlias = Literal["warn", "distinct", "not_distinct", "forbid"]
Arbiter: TypeAlias = "PrimaryKeyConstraint | UniqueConstraint | Index"

_NAME_LIMIT = 63
"""Bytes of a name that every supported database keeps: PostgreSQL's NAMEDATALEN - 1, below MySQL's 64 characters."""

_SORT_MODIFIERS = frozenset(
    {operators.asc_op, operators.desc_op, operators.nulls_first_op, operators.nulls_last_op}
)


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
        if where is not None and not isinstance(_clause(where), ClauseElement):
            raise DeclarationError(
                f"UpsertKey(where={where!r}) is not a SQL expression: write sa.text({where!r})"
            )
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
        elements = tuple(_element_on(table, element) for element in self._elements)
        where = None if self._where is None else _bound_to(table, _clause(self._where))
        target = _checked_target(table, elements, where)
        for existing in declarations_of(table):
            if _identity(existing.target) == _identity(target):
                raise DeclarationError(
                    f"{_told(table, target)} is declared twice: drop one of the two declarations"
                )
        arbiter = _declared_arbiter(table, target, self._nulls)
        attached = None
        if arbiter is None:
            attached = _attach_arbiter(
                table,
                elements,
                where,
                target,
                name=self._name,
                nulls_not_distinct=self._nulls == "not_distinct",
                as_index=self._as_index,
            )
        declaration = Declaration(elements, where, target, self._nulls, self._name, attached)
        event.listen(table, "before_create", declaration, propagate=True)
        _watch_later_arbiters()


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
    attached: str | None
    """The name of the arbiter that the key attached; None: it points at one the table declares."""

    def __call__(self, table: Table, connection: Connection, **_: Any) -> None:
        reason = self.unsupported_by(connection.dialect)
        if reason is not None:
            raise UnsupportedUpsertKeyError(f"{_told(table, self.target)} {reason}")

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
        found = _declared_arbiter(table, self.target, self.nulls)
        if found is None:
            raise DeclarationError(
                f"{_told(table, self.target)} lost its arbiter: something took it out of the table's "
                "constraints and indexes"
            )
        return found

    def owns(self, arbiter: Arbiter) -> bool:
        """Return whether the key attached `arbiter` itself and lets it go by any name."""
        return (
            self.attached is not None and self.name is None and str(arbiter.name) == self.attached
        )

    def is_nullable(self, table: Table) -> bool:
        """Return whether the model lets NULL into the key. An expression can be NULL for all we know."""
        return _is_nullable(table, self.target)

    def nullable_columns(self, table: Table) -> list[str]:
        """Return the key's plain columns that may hold NULL in the model, in declared order."""
        named = [e.column for e in self.target.elements if e.column is not None]
        return [column for column in named if table_column(table, column).nullable]

    def unsupported_by(self, dialect: Dialect) -> str | None:
        """Return why this database cannot keep the key; None: it can.

        SQLAlchemy leaves out what a dialect has no word for: the constraint would be made, and be another.
        """
        if self.nulls == "not_distinct":
            mend = 'state nulls="distinct" or "forbid", or make the columns NOT NULL'
            if dialect.name != "postgresql":
                return (
                    f'states nulls="not_distinct", which {dialect.name} does not have: NULLs would not '
                    f"conflict there; {mend}"
                )
            version = getattr(dialect, "server_version_info", None)
            if version is not None and version < (15,):
                return (
                    'states nulls="not_distinct", which PostgreSQL has from version 15 on and this server is '
                    f"{'.'.join(map(str, version))}; {mend}"
                )
        if self.where is not None and dialect.name not in ("postgresql", "sqlite"):
            return (
                f"is partial, and {dialect.name} has no partial indexes: the index would cover every row; "
                "take the predicate away, or key a generated column"
            )
        return None


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
        wanted = _checked_target(table, tuple(_element_on(table, e) for e in elements), None)
        fitting = [d for d in found if frozenset(d.target.elements) == frozenset(wanted.elements)]
    if where is not None:
        predicate = literal_sql(_bound_to(table, _clause(where)))
        fitting = [d for d in fitting if d.target.predicate == predicate]
    elif elements and len(fitting) > 1:
        fitting = [d for d in fitting if d.target.predicate is None]
    if len(fitting) != 1:
        raise UndeclaredUpsertKeyError(_no_single_key(table, elements, found))
    declaration = fitting[0]
    arguments: dict[str, Any] = {
        "index_elements": [
            element.column or _with_literals(clause.self_group())
            for element, clause in zip(
                declaration.target.elements, declaration.elements, strict=True
            )
        ]
    }
    if declaration.where is not None:
        arguments["index_where"] = _with_literals(declaration.where)
    return arguments


def declarations_of(table: Table) -> list[Declaration]:
    """Return the declarations on `table`, in the order they were made."""
    return [
        listener for listener in table.dispatch.before_create if isinstance(listener, Declaration)
    ]


def arbiter_as_candidate(arbiter: Arbiter, dialect: Dialect | None = None) -> Candidate:
    """Return a model's constraint or index in the words of the inference core, spelled for `dialect`."""
    name = None if arbiter.name is None else str(arbiter.name)
    options = arbiter.dialect_kwargs
    nulls_not_distinct = bool(options.get("postgresql_nulls_not_distinct", False))
    if isinstance(arbiter, Index):
        where = _predicate_of(arbiter, dialect)
        return Candidate(
            name,
            tuple(_index_element(e, dialect) for e in arbiter.expressions),
            Kind.INDEX,
            unique=bool(arbiter.unique),
            partial=where is not None,
            predicate=None if where is None else literal_sql(where, dialect),
            nulls_not_distinct=nulls_not_distinct,
        )
    return Candidate(
        name,
        tuple(Element(column.name) for column in arbiter.columns),
        Kind.PRIMARY_KEY if isinstance(arbiter, PrimaryKeyConstraint) else Kind.CONSTRAINT,
        nulls_not_distinct=nulls_not_distinct,
        immediate=not (arbiter.deferrable or (arbiter.initially or "").upper() == "DEFERRED"),
    )


def table_column(table: Table, name: str) -> Column[Any]:
    """Return the column of that name, which need not be its key."""
    return next(column for column in table.columns if column.name == name)


# -- the arbiter that the table holds for a key


def _declared_arbiter(table: Table, target: ConflictTarget, nulls: Nulls) -> Arbiter | None:
    """The arbiter that the table declares with the key's own uniqueness; None: it declares none.

    :raises DeclarationError: a deferrable one stands there, alone or beside a good one: ON CONFLICT fails on
     it with 55000 either way.
    """
    found: Arbiter | None = None
    for arbiter in _arbiters(table):
        candidate = arbiter_as_candidate(arbiter)
        if frozenset(candidate.elements) != frozenset(target.elements):
            continue
        if not candidate.immediate:
            raise DeclarationError(
                f"{_told(table, target)} cannot be upserted on: {candidate.name or 'a unique constraint'} on the same "
                "columns is DEFERRABLE, and ON CONFLICT refuses deferrable arbiters (55000); declare that "
                "constraint without deferrable= and initially="
            )
        if found is None and _serves(candidate, target, nulls, table):
            found = arbiter
    return found


def _arbiters(table: Table) -> Iterator[Arbiter]:
    """Every arbiter of the table: primary key, constraints, unique indexes; each group by name."""
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
    nullable = _is_nullable(table, target)
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


def _is_nullable(table: Table, target: ConflictTarget) -> bool:
    return any(
        e.column is None or bool(table_column(table, e.column).nullable) for e in target.elements
    )


def _attach_arbiter(
    table: Table,
    elements: Sequence[ClauseElement],
    where: ClauseElement | None,
    target: ConflictTarget,
    *,
    name: str | None,
    nulls_not_distinct: bool,
    as_index: bool,
) -> str:
    """Attach a real constraint or index for the key, and return the name it bears."""
    options: dict[str, Any] = {"postgresql_nulls_not_distinct": True} if nulls_not_distinct else {}
    only_index = where is not None or any(e.column is None for e in target.elements)
    if only_index or as_index:
        if where is not None:
            options |= {"postgresql_where": where, "sqlite_where": where}
        index = Index(
            name or _default_name(table, elements, target),
            *cast("Sequence[Any]", elements),
            unique=True,
            _table=table,
            **options,
        )
        return str(index.name)
    columns = [table_column(table, e.column) for e in target.elements if e.column is not None]
    constraint = UniqueConstraint(
        *columns,
        name=name or _default_name(table, elements, target),
        **options,
    )
    table.append_constraint(constraint)
    return str(constraint.name)


def _default_name(
    table: Table, elements: Sequence[ClauseElement], target: ConflictTarget
) -> str | conv:
    columns = list(dict.fromkeys(name for e in elements for name in _column_names(e)))
    plain = all(e.column is not None for e in target.elements) and target.predicate is None
    if not plain:
        sql = "\x00".join((*target.labels, target.predicate or ""))
        return _cut("_".join(["uq", table.name, *columns, _hash(sql)]))
    convention = table.metadata.naming_convention
    if "uq" in convention or UniqueConstraint in convention:
        # let SQLAlchemy apply it, on a table of the same name that nobody sees
        likeness = Table(
            table.name,
            MetaData(naming_convention=convention),
            *(Column(c.name, c.type, key=c.key) for c in table.columns),
            schema=table.schema,
        )
        constraint = UniqueConstraint(
            *(table_column(likeness, e.column) for e in target.elements if e.column is not None)
        )
        likeness.append_constraint(constraint)
        if constraint.name is not None:
            name = str(constraint.name)
            # within the limit in characters, over it in bytes: SQLAlchemy counts the former, PostgreSQL the latter
            return conv(name if len(name) > _NAME_LIMIT else _cut(name))
    return _cut("_".join(["uq", table.name, *columns]))


def _cut(name: str) -> str:
    """The name, cut to what every database keeps: a hash then stands for what was cut."""
    encoded = name.encode()
    if len(encoded) <= _NAME_LIMIT:
        return name
    tail = f"_{_hash(name)}"
    return encoded[: _NAME_LIMIT - len(tail)].decode(errors="ignore") + tail


def _hash(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()[:8]


def _watch_later_arbiters() -> None:
    """From the first declared key on, an arbiter that is declared after its key is noticed."""
    for kind in (UniqueConstraint, Index, PrimaryKeyConstraint):
        if not event.contains(kind, "after_parent_attach", _on_arbiter_attached):
            event.listen(kind, "after_parent_attach", _on_arbiter_attached)


def _on_arbiter_attached(arbiter: Arbiter, parent: Any) -> None:
    """Let a hand-written arbiter take the place of the one that the key attached: a key owns nothing twice."""
    if not isinstance(parent, Table):
        return
    for declaration in declarations_of(parent):
        own = [
            a for a in _arbiters(parent) if a is not arbiter and str(a.name) == declaration.attached
        ]
        for automatic in own:
            _detach(parent, automatic)
        # asked without the automatic one, so that it cannot answer for the hand-written one
        found = _declared_arbiter(parent, declaration.target, declaration.nulls)
        if found is None:
            for automatic in own:
                _reattach(parent, automatic)


def _detach(table: Table, arbiter: Arbiter) -> None:
    if isinstance(arbiter, Index):
        table.indexes.discard(arbiter)
    else:
        table.constraints.discard(arbiter)


def _reattach(table: Table, arbiter: Arbiter) -> None:
    if isinstance(arbiter, Index):
        table.indexes.add(arbiter)
    else:
        table.constraints.add(arbiter)


# -- elements and predicates


def _table(table_or_class: Any) -> Table:
    table = getattr(table_or_class, "__table__", table_or_class)
    if not isinstance(table, Table):
        raise DeclarationError(
            f"{table_or_class!r} is neither a Table nor a mapped class: pass one of the two"
        )
    return table


def _clause(value: Any) -> Any:
    """The Core clause behind a mapped attribute; anything else as it is."""
    while not isinstance(value, ClauseElement) and hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    return value


def _element_on(table: Table, element: Any) -> ClauseElement:
    clause = _clause(element)
    if isinstance(clause, str):
        return _column_on(table, clause)
    if isinstance(clause, ColumnClause) and not clause.is_literal:
        return _own_column(table, clause)
    if not isinstance(clause, ClauseElement):
        raise DeclarationError(
            f"UpsertKey element {element!r} on table {table.fullname!r} is neither a column nor a SQL expression: "
            'pass a column name, a Column, or an expression such as sa.text("lower(email)")'
        )
    if isinstance(clause, UnaryExpression) and clause.modifier in _SORT_MODIFIERS:
        raise DeclarationError(
            f"UpsertKey element {clause} on table {table.fullname!r} states a sort order, which ON CONFLICT does not "
            "allow (42P10): leave it away; an index may still be declared in any order beside the key"
        )
    return _bound_to(table, clause)


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
    return _column_on(table, column.key or column.name)


def _bound_to(table: Table, clause: ClauseElement) -> ClauseElement:
    """The expression with every column that it names replaced by the table's own."""

    def own(element: Any, **_: Any) -> Column[Any] | None:
        if isinstance(element, ColumnClause) and not element.is_literal:
            return _own_column(table, element)
        return None

    return cast("ClauseElement", visitors.replacement_traverse(clause, {}, own))


def _checked_target(
    table: Table, elements: Sequence[ClauseElement], where: ClauseElement | None
) -> ConflictTarget:
    try:
        return ConflictTarget(
            tuple(_element_of(element) for element in elements),
            None if where is None else _rendered(where),
        )
    except CompileError as error:
        raise DeclarationError(
            f"UpsertKey on table {table.fullname!r} cannot be written as SQL with its values in place: {error}. "
            "Write the expression as sa.text(...), with a backslash before a colon that starts no parameter"
        ) from error


def _element_of(clause: ClauseElement) -> Element:
    if isinstance(clause, Column):
        return Element(column=clause.name)
    return Element(expression=_rendered(clause))


def _rendered(clause: ClauseElement) -> str:
    for part in visitors.iterate(clause):
        if isinstance(part, BindParameter) and part.required:
            # text(): SQLAlchemy would print such a parameter as NULL
            raise CompileError(f"the parameter :{part.key} has no value")
    return literal_sql(clause)


def _with_literals(clause: ClauseElement) -> ClauseElement:
    """The clause with its values rendered in place by whichever dialect executes it."""

    def literal(element: Any, **_: Any) -> BindParameter[Any] | None:
        if isinstance(element, BindParameter) and not element.literal_execute:
            return bindparam(None, element.effective_value, element.type, literal_execute=True)
        return None

    return cast("ClauseElement", visitors.replacement_traverse(clause, {}, literal))


def _column_names(clause: ClauseElement) -> Iterator[str]:
    for part in visitors.iterate(clause):
        if isinstance(part, Column):
            yield part.name


def _index_element(expression: Any, dialect: Dialect | None) -> Element:
    while isinstance(expression, UnaryExpression) and expression.modifier in _SORT_MODIFIERS:
        expression = expression.element
    if isinstance(expression, ColumnClause) and not expression.is_literal:
        return Element(column=expression.name)
    return Element(expression=literal_sql(expression, dialect))


def _predicate_of(index: Index, dialect: Dialect | None) -> ClauseElement | None:
    names = ("postgresql", "sqlite") if dialect is None else (dialect.name,)
    for name in names:
        where = index.dialect_kwargs.get(f"{name}_where")
        if where is not None:
            return _predicate_clause(where)
    return None


def _predicate_clause(where: Any) -> ClauseElement:
    """An index predicate as a clause: SQLAlchemy takes plain strings there too."""
    clause = _clause(where)
    return clause if isinstance(clause, ClauseElement) else literal_column(str(where))


def _identity(target: ConflictTarget) -> tuple[frozenset[Element], str | None]:
    return frozenset(target.elements), target.predicate


def _told(table: Table, target: ConflictTarget) -> str:
    predicate = "" if target.predicate is None else f" WHERE {target.predicate}"
    return f"upsert key {table.fullname} ({', '.join(target.labels)}){predicate}"


def _no_single_key(table: Table, elements: Sequence[Any], found: Sequence[Declaration]) -> str:
    wanted = f" on ({', '.join(map(str, elements))})" if elements else ""
    if not found:
        columns = ", ".join(f'"{e}"' for e in elements) or "..."
        return f"table {table.fullname!r} declares no upsert key: add UpsertKey({columns}) to its __table_args__"
    listed = "; ".join(_told(table, d.target) for d in found)
    return (
        f"no single upsert key of table {table.fullname!r} fits{wanted}: name the elements, and where= for a partial "
        f"key, of one of these: {listed}"
    )
