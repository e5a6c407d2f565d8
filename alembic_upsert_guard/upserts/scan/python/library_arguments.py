"""The arguments of a library's call: names of tables and lists of columns, as far as the source says them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ....inference import Element
from ...target import Cause, Elements, NamedTable, Unread
from ..sql import read_sql
from .string_items import StringItems

if TYPE_CHECKING:
    from .constants import Constants
    from .meaning import Names
    from .scope import Scope

__all__ = ["LibraryArguments", "argument", "is_nothing"]


def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """Return what a parameter of a call is given, by keyword or by position; None: nothing, as far as is written."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is None or any(isinstance(each, ast.Starred) for each in call.args[:position]):
        return None
    return call.args[position] if len(call.args) > position else None


def is_nothing(node: ast.expr | None) -> bool:
    """Return whether an argument is left out, or is None or False."""
    return node is None or (isinstance(node, ast.Constant) and node.value in (None, False))


class LibraryArguments:
    """Reads arguments."""

    def __init__(self, names: Names, constants: Constants) -> None:
        """Nothing is read yet."""
        self._constants = constants
        self._items = StringItems(names, constants)

    def name(self, scope: Scope, node: ast.expr | None) -> str | Unread:
        """Return a name that is a constant string."""
        if node is None:
            return Unread("the table is not among the arguments")
        return self._constants.text(scope, node)

    def table_in_sql(self, scope: Scope, node: ast.expr | None) -> NamedTable | Unread:
        """Return the table of a name that is put into SQL as it is: it may have a schema, and is folded."""
        name = self.name(scope, node)
        if isinstance(name, Unread):
            return name
        found = read_sql(f"INSERT INTO {name} DEFAULT VALUES ON CONFLICT DO NOTHING")
        if len(found) != 1:
            return Unread(f"{name!r} does not read as a table's name", Cause.NOT_SQL)
        return found[0].table

    def columns(self, scope: Scope, node: ast.expr) -> tuple[str, ...] | Unread:
        """Return the names in a list, or the only one, which a string is."""
        only = self._constants.text(scope, node)
        if isinstance(only, str):
            return (only,)
        items = self._items.of(scope, node)
        if items is None:
            return Unread(f"{ast.unparse(node)} cannot be read as columns")
        names = [self._constants.text(item.scope, item.node) for item in items]
        unread = next((name for name in names if isinstance(name, Unread)), None)
        return unread or tuple(str(name) for name in names)

    def target(self, scope: Scope, node: ast.expr) -> Elements | Unread:
        """Return the columns as a conflict target."""
        columns = self.columns(scope, node)
        if isinstance(columns, Unread):
            return columns
        return Elements(tuple(Element(column=name) for name in columns))
