"""The arguments of one call in a revision, as far as they are constants."""

from __future__ import annotations

import ast
from typing import Protocol

from ....errors import UpsertGuardError
from ..sql import normal_predicate
from .table import HistoricName

__all__ = ["Arguments", "UnreadError", "Values", "called"]


class UnreadError(UpsertGuardError):
    """An argument is no constant."""


class Values(Protocol):
    """What names of a revision are bound to."""

    def string(self, node: ast.expr | None) -> str:
        """Return a text that the file states."""

    def names(self, node: ast.expr | None) -> tuple[str, ...]:
        """Return the names in a list that the file states."""


def called(call: ast.expr | None) -> str:
    """Return the name of what is called, without what it belongs to; empty: it has none."""
    function = call.func if isinstance(call, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


class Arguments:
    """The arguments of one operation; a batch's leave the table out."""

    def __init__(
        self, values: Values, call: ast.Call, batch: tuple[str, str | None] | None
    ) -> None:
        self._values = values
        self.call = call
        self.batch = batch
        self._named = {each.arg: each.value for each in call.keywords if each.arg is not None}
        if len(self._named) != len(call.keywords) or any(
            isinstance(each, ast.Starred) for each in call.args
        ):
            raise UnreadError

    def node(self, position: int, name: str) -> ast.expr | None:
        """Return an argument; None: it is left out."""
        if name in self._named:
            return self._named[name]
        return self.call.args[position] if position < len(self.call.args) else None

    def string(self, position: int, name: str) -> str:
        return self._values.string(self.node(position, name))

    def optional(self, name: str, position: int = 99) -> str | None:
        """Return a text; None: it is left out, or None."""
        node = self.node(position, name)
        if node is None or (isinstance(node, ast.Constant) and node.value is None):
            return None
        return self._values.string(node)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts in a list; empty: it is left out."""
        return self._values.names(self._named[name]) if name in self._named else ()

    def flag(self, name: str, default: bool = False) -> bool:
        node = self._named.get(name)
        if node is None:
            return default
        if isinstance(node, ast.Constant) and isinstance(node.value, bool | str | type(None)):
            return bool(node.value)
        raise UnreadError

    def table(self, position: int, name: str = "table_name") -> HistoricName:
        """Return the table that it is about."""
        if self.batch is not None:
            return HistoricName.of(self.batch[1], self.batch[0])
        return HistoricName.of(self.optional("schema"), self.string(position, name))

    def behind_table(self, position: int) -> int:
        """Return where an argument is that is behind the table's."""
        return position - (self.batch is not None)

    def predicate(self) -> str | None:
        """Return the predicate of an index; of another database's it is not known."""
        for name in ("mysql_length", "sqlite_where", "mssql_where"):
            if name in self._named and "postgresql_where" not in self._named:
                raise UnreadError
        if "postgresql_where" not in self._named:
            return None
        return normal_predicate(self._values.string(self._named["postgresql_where"]))

    def has(self, name: str) -> bool:
        return name in self._named
