"""What each operation of Alembic's does to the tables that are known."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Protocol

from ....inference import Candidate, Element, Kind
from ..sql import normal_element
from .arguments import Arguments, UnreadError, Values, called
from .table import HistoricName

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .tables import HistoricTables

__all__ = ["OPERATIONS", "Upgrade"]


class Upgrade(Values, Protocol):
    """The ``upgrade()`` that the operations are of."""

    tables: HistoricTables

    def bound(self, node: ast.expr | None) -> ast.expr | None:
        """Return what a name is bound to; None: it is not known."""

    def execute(self, call: ast.Call) -> None:
        """Change the tables as the SQL of a call does."""


def _create_table(upgrade: Upgrade, arguments: Arguments) -> None:
    tables, table = upgrade.tables, arguments.table(0)
    is_new = tables.create(
        table,
        is_if_missing=arguments.flag("if_not_exists"),
        is_temporary="TEMP" in "".join(arguments.texts("prefixes")).upper(),
    )
    if not is_new:
        return
    parts = _Parts()
    try:
        _read_parts(upgrade, parts, arguments.call.args[1:])
    except UnreadError:
        tables.doubt(table, "a part of op.create_table() is not read")
        return
    if parts.primary:
        parts.constraints.append(_constraint(None, parts.primary, Kind.PRIMARY_KEY))
    tables.add_together(table, parts.constraints, by_convention=True)
    for each in parts.indexes:
        tables.add(table, each, by_convention=True)


class _Parts:
    """What is unique of a table that is made."""

    def __init__(self) -> None:
        self.primary: list[str] = []
        """The columns of the primary key that state it themselves."""
        self.constraints: list[Candidate] = []
        self.indexes: list[Candidate] = []


def _read_parts(upgrade: Upgrade, parts: _Parts, nodes: Sequence[ast.expr]) -> None:
    for node in nodes:
        if not isinstance(node, ast.Call):
            raise UnreadError
        part = Arguments(upgrade, node, None)
        if called(node) == "Column":
            _read_column(parts, part)
        else:
            _read_constraint(upgrade, parts, part)


def _read_column(parts: _Parts, column: Arguments) -> None:
    name = column.string(0, "name")
    for each in column.call.args[1:]:
        if isinstance(each, ast.Call) and called(each) in ("UniqueConstraint", "Column"):
            raise UnreadError
    if column.flag("unique") and column.flag("index"):
        parts.indexes.append(_constraint(None, [name], Kind.INDEX))
    elif column.flag("unique"):
        parts.constraints.append(_constraint(None, [name], Kind.CONSTRAINT))
    if column.flag("primary_key"):
        parts.primary.append(name)


def _read_constraint(upgrade: Upgrade, parts: _Parts, part: Arguments) -> None:
    kind = called(part.call)
    if kind in ("UniqueConstraint", "PrimaryKeyConstraint"):
        made = _constraint(
            part.optional("name"),
            [upgrade.string(each) for each in part.call.args],
            Kind.CONSTRAINT if kind == "UniqueConstraint" else Kind.PRIMARY_KEY,
            immediate=not (part.flag("deferrable") or part.has("initially")),
            nulls_not_distinct=part.flag("postgresql_nulls_not_distinct"),
        )
        parts.constraints.append(made)
    elif kind not in ("ForeignKeyConstraint", "CheckConstraint", "Computed", "Identity"):
        raise UnreadError


def _constraint(
    name: str | None,
    columns: Sequence[str],
    kind: Kind,
    *,
    immediate: bool = True,
    nulls_not_distinct: bool = False,
) -> Candidate:
    return Candidate(
        name=name,
        elements=tuple(Element(column=each) for each in columns),
        kind=kind,
        immediate=immediate,
        nulls_not_distinct=nulls_not_distinct,
    )


def _create_unique(upgrade: Upgrade, arguments: Arguments) -> None:
    made = _constraint(
        arguments.optional("constraint_name", 0),
        upgrade.names(arguments.node(arguments.behind_table(2), "columns")),
        Kind.CONSTRAINT,
        immediate=not (arguments.flag("deferrable") or arguments.has("initially")),
        nulls_not_distinct=arguments.flag("postgresql_nulls_not_distinct"),
    )
    upgrade.tables.add(arguments.table(1), made, by_convention=True)


def _create_primary_key(upgrade: Upgrade, arguments: Arguments) -> None:
    columns = upgrade.names(arguments.node(arguments.behind_table(2), "columns"))
    name = arguments.optional("constraint_name", 0)
    made = _constraint(name, columns, Kind.PRIMARY_KEY)
    upgrade.tables.add(arguments.table(1), made, by_convention=True)


def _create_index(upgrade: Upgrade, arguments: Arguments) -> None:
    predicate = arguments.predicate()
    node = upgrade.bound(arguments.node(arguments.behind_table(2), "columns"))
    if not isinstance(node, ast.List | ast.Tuple):
        raise UnreadError
    made = Candidate(
        name=arguments.optional("index_name", 0),
        elements=tuple(_element(upgrade, each) for each in node.elts),
        kind=Kind.INDEX,
        unique=arguments.flag("unique"),
        partial=predicate is not None,
        predicate=predicate,
        nulls_not_distinct=arguments.flag("postgresql_nulls_not_distinct"),
    )
    is_if_missing = arguments.flag("if_not_exists")
    table = arguments.table(1)
    upgrade.tables.add(table, made, is_if_missing=is_if_missing, by_convention=True)


def _element(upgrade: Upgrade, node: ast.expr) -> Element:
    """A `str` is a column's name, and ``text()`` is SQL."""
    if isinstance(upgrade.bound(node), ast.Call):
        element = normal_element(upgrade.string(node))
        if element is None:
            raise UnreadError
        return element
    return Element(column=upgrade.string(node))


def _drop_constraint(upgrade: Upgrade, arguments: Arguments) -> None:
    name = arguments.string(0, "constraint_name")
    upgrade.tables.drop_constraint(arguments.table(1), name)


def _drop_index(upgrade: Upgrade, arguments: Arguments) -> None:
    schema = arguments.optional("schema")
    if arguments.batch is not None:
        schema = arguments.batch[1]
    name = arguments.string(0, "index_name")
    upgrade.tables.drop_index(HistoricName.of(schema, name))


def _drop_table(upgrade: Upgrade, arguments: Arguments) -> None:
    upgrade.tables.drop(arguments.table(0))


def _rename_table(upgrade: Upgrade, arguments: Arguments) -> None:
    name = arguments.table(0, "old_table_name")
    new = arguments.string(1, "new_table_name")
    upgrade.tables.rename(name, HistoricName(name.schema, new))


def _add_column_of_table(upgrade: Upgrade, arguments: Arguments) -> None:
    node = upgrade.bound(arguments.node(arguments.behind_table(1), "column"))
    if not isinstance(node, ast.Call):
        raise UnreadError
    column = Arguments(upgrade, node, None)
    if column.flag("unique") or column.flag("primary_key") or arguments.flag("if_not_exists"):
        # what of it is made depends on the version of Alembic and on the column's being there
        upgrade.tables.doubt(arguments.table(0), "a column is added with a constraint of its own")


def _drop_column(upgrade: Upgrade, arguments: Arguments) -> None:
    column = arguments.string(arguments.behind_table(1), "column_name")
    upgrade.tables.drop_column(arguments.table(0), column)


def _alter_column(upgrade: Upgrade, arguments: Arguments) -> None:
    new = arguments.optional("new_column_name")
    if new is not None:
        column = arguments.string(arguments.behind_table(1), "column_name")
        upgrade.tables.rename_column(arguments.table(0), column, new)
    if arguments.has("type_"):
        upgrade.tables.change_type(arguments.table(0))


def _nothing(upgrade: Upgrade, arguments: Arguments) -> None:
    """It changes nothing that is unique."""


def _execute(upgrade: Upgrade, arguments: Arguments) -> None:
    upgrade.execute(arguments.call)


OPERATIONS: dict[str, Callable[[Upgrade, Arguments], None]] = {
    "create_table": _create_table,
    "drop_table": _drop_table,
    "rename_table": _rename_table,
    "add_column": _add_column_of_table,
    "drop_column": _drop_column,
    "alter_column": _alter_column,
    "create_unique_constraint": _create_unique,
    "create_primary_key": _create_primary_key,
    "create_index": _create_index,
    "drop_constraint": _drop_constraint,
    "drop_index": _drop_index,
    "execute": _execute,
    **dict.fromkeys(
        (
            *("create_foreign_key", "create_check_constraint", "bulk_insert", "get_bind", "f"),
            *("create_table_comment", "drop_table_comment", "get_context"),
            *("validate_upsert_key", "verify_upsert_key"),
        ),
        _nothing,
    ),
}
