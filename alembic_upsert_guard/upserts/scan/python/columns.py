"""Which column of which table an expression means."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ....inference import Element
from ...target import Cause, Unread
from ..sql import normal_element
from .source_columns import SourceColumns
from .values import Class, Expression, External

if TYPE_CHECKING:
    from ...declared import DeclaredClass, DeclaredTables
    from .constants import Constants
    from .meaning import Names
    from .scope import Scope
    from .tables import Tables
    from .values import Meaning

__all__ = ["Columns"]

_COLUMN = frozenset({"Column", "mapped_column", "column"})


class Columns:
    """Reads columns."""

    def __init__(
        self, names: Names, constants: Constants, tables: Tables, declared: DeclaredTables
    ) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._tables = tables
        self._declared = declared
        self.source = SourceColumns(names, constants, tables)

    def column(self, scope: Scope, node: ast.expr) -> Element | Unread | None:
        """Return the column that an expression means; None: it means no column, as far as it reads.

        ``Model.attr``, ``Model.__table__.c.attr``, ``table.c.attr``, ``table.c["attr"]``, ``column("name")``.
        """
        found = {self._column(meaning) for meaning in self._names.meanings(scope, node)}
        return (
            found.pop()
            if len(found) == 1
            else Unread(f"{ast.unparse(node)} can be several columns", Cause.REBOUND)
        )

    def _column(self, meaning: Meaning) -> Element | Unread | None:
        match meaning:
            case External(dotted):
                owner, _, attribute = dotted.rpartition(".")
                mapped = self._declared.class_named(owner)
                return None if mapped is None else _attribute(mapped, attribute)
            case Expression(scope, ast.Attribute(value=ast.Attribute() as columns, attr=key)):
                if columns.attr in ("c", "columns"):
                    return self._column_of_table(scope, columns.value, key)
                return self._attribute_of_class(scope, columns, key)
            case Expression(
                scope,
                ast.Subscript(value=ast.Attribute(attr="c" | "columns") as columns, slice=key),
            ):
                named = self._constants.text(scope, key)
                if isinstance(named, Unread):
                    return named
                return self._column_of_table(scope, columns.value, named)
            case Expression(scope, ast.Attribute(value=value, attr=attribute)):
                return self._attribute_of_class(scope, value, attribute)
            case Expression(scope, ast.Call() as call) if self._tables.is_call_of(
                scope, call.func, _COLUMN
            ):
                if not call.args:
                    return Unread("a column has no name")
                name = self._constants.text(scope, call.args[0])
                return name if isinstance(name, Unread) else Element(column=name)
        return None

    def _attribute_of_class(
        self, scope: Scope, owner: ast.expr, attribute: str
    ) -> Element | Unread | None:
        if attribute == "name":
            # User.email.name is the column's name
            column = self.column(scope, owner)
            if column is not None:
                return column
        if attribute == "key":
            named = self._key(scope, owner)
            if named is not None:
                return named
        found = self._names.meanings(scope, owner)
        if len(found) != 1:
            return Unread(f"{ast.unparse(owner)} can be several classes", Cause.REBOUND)
        match found[0]:
            case Class() as of:
                mapped = self._tables.mapped_class(of)
                if mapped is not None:
                    return _attribute(mapped, attribute)
                return None if of.is_enumeration else self._attribute_in_body(of, attribute)
            case External(dotted):
                mapped = self._declared.class_named(dotted)
                return None if mapped is None else _attribute(mapped, attribute)
        return None

    def _key(self, scope: Scope, column: ast.expr) -> Element | None:
        """``User.email.key``, the attribute's name, which need not be the column's; None: it is no column."""
        match self._names.meanings(scope, column):
            case [Expression(at, ast.Attribute(attr=key) as stated)]:
                if isinstance(self.column(at, stated), Element):
                    return Element(column=key)
        return None

    def _attribute_in_body(self, found: Class, attribute: str) -> Element | Unread:
        """The column of a class that the metadata does not map: as its own body says."""
        unread = Unread(f"which column {found.qualname}.{attribute} is cannot be read")
        for each in self._names.members.lineage(found):
            for statement in each.node.body:
                match statement:
                    case ast.AnnAssign(target=ast.Name(id=name), value=None) if name == attribute:
                        return Element(column=attribute)
                    case (
                        ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call)
                        | ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call)
                    ) if name == attribute:
                        if not self._tables.is_call_of(each.scope, call.func, _COLUMN):
                            return unread
                        if call.args and isinstance(call.args[0], ast.Constant):
                            return Element(column=str(call.args[0].value))
                        return Element(column=attribute)
        return unread

    def _column_of_table(self, scope: Scope, table: ast.expr, key: str) -> Element | Unread:
        named = self._tables.table(scope, table)
        if isinstance(named, Unread):
            return named
        declared = named.only(self._declared)
        if declared is None:
            for each in self.source.of(scope, table) or ():
                if each.key == key:
                    return Element(column=each.name)
            if self.source.is_reflected(scope, table):
                return Element(column=key)
            # nothing tells a key from a name; where they differ, Column(..., key=) says so
            return Unread(
                f"no model has the table {named.name}, so which column {key} is cannot be read",
                Cause.NO_MODEL,
            )
        column = declared.column(key)
        if column is None:
            return Unread(f"the model of {declared.full_name} has no column {key}", Cause.NO_COLUMN)
        return Element(column=column)

    def spelled(self, sql: str) -> Element | Unread:
        """Return an element that is written as SQL."""
        element = normal_element(sql)
        return (
            Unread(f"{sql} does not read as an element", Cause.NOT_SQL)
            if element is None
            else element
        )


def _attribute(mapped: DeclaredClass, attribute: str) -> Element | Unread:
    column = mapped.column(attribute)
    if column is None:
        return Unread(
            f"{mapped.qualname}.{attribute} maps no column of {mapped.table}", Cause.NO_COLUMN
        )
    return Element(column=column)
