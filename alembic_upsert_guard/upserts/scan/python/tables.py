"""Which table an expression means."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, NamedTable, Unread
from .class_tables import ClassTables
from .scope import Argument
from .values import Class, Expression, External

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...declared import DeclaredClass, DeclaredTables
    from .constants import Constants
    from .meaning import Names
    from .scope import Scope
    from .values import Meaning

__all__ = ["Tables"]

_TABLE = frozenset({"Table", "table"})
_METADATA = 1
"""Where the metadata is among the arguments of ``Table``."""


class Tables:
    """Reads tables."""

    def __init__(self, names: Names, constants: Constants, declared: DeclaredTables) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._declared = declared
        self._classes = ClassTables(names, constants)

    def table(self, scope: Scope, node: ast.expr) -> NamedTable | Unread:
        """Return the table that an expression means: a mapped class, a ``Table``, or one looked up by name."""
        meanings = self._names.meanings(scope, node)
        found = {meaning: self._table(meaning, ast.unparse(node)) for meaning in meanings}
        named = {table.name for table in found.values() if isinstance(table, NamedTable)}
        if len(found) > 1 and len(named) == 1:
            found = {m: t for m, t in found.items() if not self._is_kept(m, *named)}
        return self._only(dict.fromkeys(found.values()), node)

    def _only(
        self, found: Mapping[NamedTable | Unread, None], node: ast.expr
    ) -> NamedTable | Unread:
        unread = next((t for t in found if isinstance(t, Unread)), None)
        if unread is not None:
            return unread
        if len(found) > 1:
            return Unread(f"{ast.unparse(node)} can be several tables", Cause.REBOUND)
        return next(iter(found))

    def _is_kept(self, meaning: Meaning, name: str) -> bool:
        """Whether it is a look-up by the name of a table, ``cache.get(name)``: of what was made under that name."""
        match meaning:
            case Expression(
                scope, ast.Call(func=ast.Attribute(attr="get"), args=[key, *_])
            ) | Expression(scope, ast.Subscript(slice=key)):
                keys = key.elts if isinstance(key, ast.Tuple) else [key]
                return any(self._constants.text(scope, each) == name for each in keys)
        return False

    def _table(self, meaning: Meaning, source: str) -> NamedTable | Unread:
        match meaning:
            case Unread():
                return meaning
            case Class():
                return self._table_of_class(meaning)
            case External(dotted):
                mapped = self._declared.class_named(dotted)
                if mapped is not None:
                    return self._mapped(mapped)
            case Expression(scope, ast.Attribute(value=value, attr="__table__")):
                return self.table(scope, value)
            case Expression(scope, ast.Call() as call) if self.is_call_of(scope, call.func, _TABLE):
                return self._constructed(scope, call)
            case Expression(scope, ast.Subscript(value=ast.Attribute(attr="tables"), slice=key)):
                full_name = self._constants.text(scope, key)
                if isinstance(full_name, Unread):
                    return full_name
                schema, _, name = full_name.rpartition(".")
                return NamedTable(name, schema or None)
        return Unread(f"which table {source} is cannot be read")

    def _mapped(self, mapped: DeclaredClass) -> NamedTable:
        return NamedTable(mapped.table, mapped.schema, self._declared.table_of(mapped))

    def _table_of_class(self, found: Class) -> NamedTable | Unread:
        mapped = self.mapped_class(found)
        if mapped is not None:
            return self._mapped(mapped)
        return self._classes.table(found)

    def mapped_class(self, found: Class) -> DeclaredClass | None:
        """Return the declared class that the source defines there; None: the metadata maps none."""
        return self._declared.class_in_file(found.module.path, found.qualname)

    def _constructed(self, scope: Scope, call: ast.Call) -> NamedTable | Unread:
        if not call.args:
            return Unread("the table's name is not the first argument")
        name = self._constants.text(scope, call.args[0])
        if isinstance(name, Unread):
            return name
        stated = [Argument(scope, k.value) for k in call.keywords if k.arg == "schema"]
        stated = stated or self._schema_of_metadata(scope, call)
        if any(k.arg is None for k in call.keywords):
            return NamedTable(name, Unread(f"the schema of {name} cannot be read"))
        if not stated or self._names.branches.is_none(stated[0].scope, stated[0].node):
            return NamedTable(name)
        return NamedTable(name, self._constants.text(stated[0].scope, stated[0].node))

    def _schema_of_metadata(self, scope: Scope, call: ast.Call) -> list[Argument]:
        """The schema of ``MetaData(schema=...)``, where a table is made in one."""
        if len(call.args) < _METADATA + 1:
            return []
        metadata = self._constants.literal(scope, call.args[_METADATA])
        if isinstance(metadata, Unread) or not isinstance(metadata.node, ast.Call):
            return []
        stated = [k.value for k in metadata.node.keywords if k.arg == "schema"]
        return [Argument(metadata.scope, value) for value in stated]

    def is_call_of(self, scope: Scope, func: ast.expr, names: frozenset[str]) -> bool:
        """Return whether a call is to SQLAlchemy's function or class of one of these names."""
        found = self._names.meanings(scope, func)
        return all(
            isinstance(m, External)
            and m.dotted.partition(".")[0] in ("sqlalchemy", "sqlmodel")
            and m.dotted.rpartition(".")[2] in names
            for m in found
        )

    def primary_key_owner(self, node: ast.expr) -> ast.expr | None:
        """Return the table or class whose primary key an expression is: ``table.primary_key``; None: it is none."""
        match node:
            case ast.Attribute(
                value=ast.Attribute(value=table, attr="primary_key"), attr="columns" | "c"
            ):
                return table
            case ast.Attribute(value=table, attr="primary_key"):
                return table
        return None
