"""The table of a mapped class, as the class itself or what it inherits states it: its name, and its schema."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, NamedTable, Unread
from .binding import Assigned, Defined
from .bindings import bindings_in
from .values import Class, Expression, External, Function

if TYPE_CHECKING:
    from .constants import Constants
    from .meaning import Names
    from .values import Meaning

__all__ = ["ClassTables"]

_DEPTH = 30


class ClassTables:
    """Reads what classes state."""

    def __init__(self, names: Names, constants: Constants) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants

    def table(self, found: Class) -> NamedTable | Unread:
        """Return the table of a class."""
        named = self._name(found)
        if named is None:
            reason = f"class {found.qualname} is not mapped in the metadata, and names no table"
            return Unread(reason, Cause.NO_MODEL)
        if isinstance(named, Unread):
            return named
        return NamedTable(named, self._schema(found))

    def _name(self, found: Class) -> str | Unread | None:
        """``__tablename__`` of the class, or what one of its bases makes of the class."""
        for each in self._names.members.lineage(found):
            bindings = bindings_in(each.module, each.node, "__tablename__")
            if bindings and (each == found or isinstance(bindings[0], Defined)):
                meanings = self._stated(found, each, "__tablename__")
                return self._constants.text_of(meanings, f"__tablename__ of class {found.qualname}")
        return found.node.name.lower() if self._is_sqlmodel(found) else None

    def _is_sqlmodel(self, found: Class) -> bool:
        """``class Hero(SQLModel, table=True)``, which SQLModel names by the class (sqlmodel/main.py)."""
        makes_table = any(
            k.arg == "table" and isinstance(k.value, ast.Constant) and k.value.value is True
            for k in found.node.keywords
        )
        return makes_table and any(
            isinstance(m, External) and m.dotted in ("sqlmodel.SQLModel", "sqlmodel.main.SQLModel")
            for each in self._names.members.lineage(found)
            for base in each.node.bases
            for m in self._names.meanings(each.scope, base)
        )

    def _stated(self, found: Class, home: Class, name: str) -> list[Meaning]:
        """What a class is given for an attribute: a value, or what a function returns for the class."""
        unread = Unread(f"{name} of class {found.qualname} is no constant")
        match bindings_in(home.module, home.node, name):
            case [Assigned(ast.expr() as value)]:
                return self._names.meanings(home.scope, value)
            case [Defined(ast.FunctionDef() as node)]:
                function = Function(home.scope, node, found)
                return self._names.functions.result(found.scope, found.node, function, _DEPTH) or [
                    unread
                ]
        return [unread]

    def _schema(self, found: Class) -> str | Unread | None:
        """The schema that ``__table_args__`` states, or the ``metadata`` of a base; None: neither does."""
        for each in self._names.members.lineage(found):
            is_own = each == found or not bindings_in(each.module, each.node, "__tablename__")
            if is_own and bindings_in(each.module, each.node, "__table_args__"):
                return self._schema_of_arguments(found, self._stated(found, each, "__table_args__"))
        metadata = [
            m
            for each in self._names.members.lineage(found)
            if bindings_in(each.module, each.node, "metadata")
            for m in self._stated(found, each, "metadata")
        ]
        match metadata[:1]:
            case [Expression(scope, ast.Call(keywords=keywords))]:
                stated = [
                    self._constants.text(scope, k.value) for k in keywords if k.arg == "schema"
                ]
                # one that comes at run time is the connection's, as far as the source says
                return next((schema for schema in stated if isinstance(schema, str)), None)
        return None

    def _schema_of_arguments(self, found: Class, meanings: list[Meaning]) -> str | Unread | None:
        match meanings:
            case [Expression(scope, ast.Tuple(elts=[*_, last]))]:
                options = self._names.meanings(scope, last)
            case _:
                options = meanings
        match options:
            case [Expression(scope, ast.Dict(keys=keys, values=values))] if None not in keys:
                stated = [
                    value
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(key, ast.Constant) and key.value == "schema"
                ]
                return self._constants.text(scope, stated[0]) if stated else None
            case [Expression(_, ast.Call() | ast.Tuple(elts=[]))] if options is not meanings:
                return None
            case [Expression(_, ast.Tuple())]:
                return None
        return Unread(f"__table_args__ of class {found.qualname} is no constant")
