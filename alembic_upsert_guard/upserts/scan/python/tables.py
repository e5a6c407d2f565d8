"""Which table an expression means, and which of its columns."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ....inference import Element
from ...target import Cause, NamedTable, Unread
from ..sql import normal_element
from .bindings import Assigned, bindings_in
from .meaning import Class, Expression, External, Opaque

if TYPE_CHECKING:
    from ...declared import DeclaredClass, DeclaredTables
    from .constants import Constants
    from .meaning import Meaning, Names
    from .module import Module

__all__ = ["Tables"]

_TABLE = frozenset({"Table", "table"})
_METADATA = 1
"""Where the metadata stands among the arguments of ``Table``."""
_COLUMN = frozenset({"Column", "mapped_column", "column"})


class Tables:
    """Reads tables and columns."""

    def __init__(self, names: Names, constants: Constants, declared: DeclaredTables) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._declared = declared

    def table(self, module: Module, node: ast.expr) -> NamedTable | Unread:
        """Return the table that an expression means: a mapped class, a ``Table``, or one looked up by name."""
        found = {
            self._table(meaning, ast.unparse(node))
            for meaning in self._names.meanings(module, node)
        }
        unread = next((t for t in found if isinstance(t, Unread)), None)
        if unread is not None:
            return unread
        if len(found) > 1:
            return Unread(f"{ast.unparse(node)} can be several tables", Cause.REBOUND)
        return found.pop()

    def _table(self, meaning: Meaning, told: str) -> NamedTable | Unread:
        match meaning:
            case Opaque(reason, cause):
                return Unread(reason, cause)
            case Class():
                return self._table_of_class(meaning)
            case External(dotted):
                mapped = self._declared.class_named(dotted)
                if mapped is not None:
                    return self._mapped(mapped)
            case Expression(module, ast.Attribute(value=value, attr="__table__")):
                return self.table(module, value)
            case Expression(module, ast.Call() as call) if self.is_call_of(
                module, call.func, _TABLE
            ):
                return self._constructed(module, call)
            case Expression(module, ast.Subscript(value=ast.Attribute(attr="tables"), slice=key)):
                full_name = self._constants.text(module, key)
                if isinstance(full_name, Unread):
                    return full_name
                schema, _, name = full_name.rpartition(".")
                return NamedTable(name, schema or None)
        return Unread(f"which table {told} is cannot be read")

    def _mapped(self, mapped: DeclaredClass) -> NamedTable:
        return NamedTable(mapped.table, mapped.schema, self._declared.table_of(mapped))

    def _table_of_class(self, found: Class) -> NamedTable | Unread:
        mapped = self.mapped_class(found)
        if mapped is not None:
            return self._mapped(mapped)
        named = self._class_constant(found, "__tablename__")
        if named is None:
            return Unread(
                f"class {found.qualname} is not mapped in the metadata, and names no table",
                Cause.NO_MODEL,
            )
        if isinstance(named, Unread):
            return named
        schema = self._schema_of_class(found)
        return schema if isinstance(schema, Unread) else NamedTable(named, schema)

    def _schema_of_class(self, found: Class) -> str | Unread | None:
        """The schema that ``__table_args__`` of the class itself states."""
        arguments = bindings_in(found.module, found.node, "__table_args__")
        match arguments:
            case []:
                return None
            case [
                Assigned(ast.Dict() as options)
                | Assigned(ast.Tuple(elts=[*_, ast.Dict() as options]))
            ]:
                stated = [
                    value
                    for key, value in zip(options.keys, options.values, strict=True)
                    if isinstance(key, ast.Constant) and key.value == "schema"
                ]
                return self._constants.text(found.module, stated[0]) if stated else None
            case [Assigned(ast.Tuple())]:
                return None
        return Unread(f"__table_args__ of class {found.qualname} is no constant")

    def mapped_class(self, found: Class) -> DeclaredClass | None:
        """Return the declared class that the source defines there; None: the metadata maps none."""
        return self._declared.class_in_file(found.module.path, found.qualname)

    def _class_constant(self, found: Class, name: str) -> str | Unread | None:
        values = bindings_in(found.module, found.node, name)
        if not values:
            return None
        if len(values) == 1 and isinstance(values[0], Assigned):
            value = values[0].value
            if isinstance(value, ast.expr):
                return self._constants.text(found.module, value)
        return Unread(f"{name} of class {found.qualname} is no constant")

    def _constructed(self, module: Module, call: ast.Call) -> NamedTable | Unread:
        if not call.args:
            return Unread("the table's name is not the first argument")
        name = self._constants.text(module, call.args[0])
        if isinstance(name, Unread):
            return name
        stated = [k.value for k in call.keywords if k.arg == "schema"]
        stated = stated or self._schema_of_metadata(module, call)
        if any(k.arg is None for k in call.keywords):
            return Unread(f"the schema of {name} cannot be read")
        if not stated:
            return NamedTable(name)
        schema = self._constants.text(module, stated[0])
        return schema if isinstance(schema, Unread) else NamedTable(name, schema)

    def _schema_of_metadata(self, module: Module, call: ast.Call) -> list[ast.expr]:
        """The schema of ``MetaData(schema=...)``, where a table is made in one."""
        if len(call.args) < _METADATA + 1:
            return []
        metadata = self._constants.literal(module, call.args[_METADATA])
        if isinstance(metadata, Unread) or not isinstance(metadata.node, ast.Call):
            return []
        return [k.value for k in metadata.node.keywords if k.arg == "schema"]

    def is_call_of(self, module: Module, func: ast.expr, names: frozenset[str]) -> bool:
        """Return whether a call is to SQLAlchemy's function or class of one of these names."""
        found = self._names.meanings(module, func)
        return all(
            isinstance(m, External)
            and m.dotted.partition(".")[0] in ("sqlalchemy", "sqlmodel")
            and m.dotted.rpartition(".")[2] in names
            for m in found
        )

    def column(self, module: Module, node: ast.expr) -> Element | Unread | None:
        """Return the column that an expression means; None: it means no column, as far as it reads.

        ``Model.attr``, ``Model.__table__.c.attr``, ``table.c.attr``, ``table.c["attr"]``, ``column("name")``.
        """
        found = {self._column(meaning) for meaning in self._names.meanings(module, node)}
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
            case Expression(module, ast.Attribute(value=ast.Attribute() as columns, attr=key)):
                if columns.attr in ("c", "columns"):
                    return self._column_of_table(module, columns.value, key)
                return self._attribute_of_class(module, columns, key)
            case Expression(
                module,
                ast.Subscript(value=ast.Attribute(attr="c" | "columns") as columns, slice=key),
            ):
                named = self._constants.text(module, key)
                if isinstance(named, Unread):
                    return named
                return self._column_of_table(module, columns.value, named)
            case Expression(module, ast.Attribute(value=value, attr=attribute)):
                return self._attribute_of_class(module, value, attribute)
            case Expression(module, ast.Call() as call) if self.is_call_of(
                module, call.func, _COLUMN
            ):
                if not call.args:
                    return Unread("a column has no name")
                name = self._constants.text(module, call.args[0])
                return name if isinstance(name, Unread) else Element(column=name)
        return None

    def _attribute_of_class(
        self, module: Module, owner: ast.expr, attribute: str
    ) -> Element | Unread | None:
        if attribute == "name":
            # User.email.name is the column's name
            column = self.column(module, owner)
            if column is not None:
                return column
        found = self._names.meanings(module, owner)
        if len(found) != 1:
            return Unread(f"{ast.unparse(owner)} can be several classes", Cause.REBOUND)
        match found[0]:
            case Class() as of:
                mapped = self.mapped_class(of)
                if mapped is not None:
                    return _attribute(mapped, attribute)
                return None if of.is_enumeration else self._attribute_in_body(of, attribute)
            case External(dotted):
                mapped = self._declared.class_named(dotted)
                return None if mapped is None else _attribute(mapped, attribute)
        return None

    def _attribute_in_body(self, found: Class, attribute: str) -> Element | Unread:
        """The column of a class that the metadata does not map: as its own body says."""
        unread = Unread(f"which column {found.qualname}.{attribute} is cannot be read")
        for statement in found.node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), value=None) if name == attribute:
                    return Element(column=attribute)
                case (
                    ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call)
                    | ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call)
                ) if name == attribute:
                    if not self.is_call_of(found.module, call.func, _COLUMN):
                        return unread
                    if call.args and isinstance(call.args[0], ast.Constant):
                        return Element(column=str(call.args[0].value))
                    return Element(column=attribute)
        return unread

    def _column_of_table(self, module: Module, table: ast.expr, key: str) -> Element | Unread:
        named = self.table(module, table)
        if isinstance(named, Unread):
            return named
        declared = named.declared or self._declared.table(named.schema, named.name)
        if declared is None:
            # nothing tells a key from a name; where they differ, Column(..., key=) says so
            return Unread(
                f"no model has the table {named.name}, so which column {key} is cannot be read",
                Cause.NO_MODEL,
            )
        column = declared.column(key)
        if column is None:
            return Unread(f"the model of {declared.full_name} has no column {key}", Cause.NO_COLUMN)
        return Element(column=column)

    def primary_key(self, module: Module, node: ast.expr) -> NamedTable | Unread | None:
        """Return the table whose primary key an expression is: ``table.primary_key``; None: it is none."""
        match node:
            case ast.Attribute(
                value=ast.Attribute(attr="primary_key") as key, attr="columns" | "c"
            ):
                return self.table(module, key.value)
            case ast.Attribute(value=table, attr="primary_key"):
                return self.table(module, table)
        return None

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
