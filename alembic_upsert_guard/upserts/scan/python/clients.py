"""Supabase's clients: ``client.table("x").upsert(rows, on_conflict="a,b")``, awaited or not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, NamedTable, PrimaryKey, Unread
from ...upsert import Form, Source, Upsert
from ..supabase import target_of
from .values import Expression

if TYPE_CHECKING:
    from ...target import Target
    from .constants import Constants
    from .meaning import Names
    from .scope import Scope

__all__ = ["Clients"]

_TABLE = frozenset({"from_", "table"})


class Clients:
    """Reads the upserts of Supabase's clients."""

    methods = frozenset({"upsert"})
    """What a call has to be called."""

    def __init__(self, names: Names, constants: Constants) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants

    def read(self, scope: Scope, call: ast.Call) -> Upsert | None:
        """Return the upsert that a call makes; None: it is another call.

        Other libraries have methods of that name: it counts on what ``table()`` or ``from_()`` returned, or
        with ``on_conflict``.
        """
        func = call.func
        if not isinstance(func, ast.Attribute) or func.attr != "upsert":
            return None
        stated = {k.arg: k.value for k in call.keywords}
        if "pk" in stated:
            return None  # sqlite-utils has table(), too
        table = self._table(scope, func.value)
        if table is None:
            if "on_conflict" not in stated:
                return None
            table = Unread(f"which table {ast.unparse(func.value)} is cannot be read")
        return Upsert(
            source=Source.CODE,
            place=scope.module.place(func.end_lineno or call.lineno, call),
            table=table,
            target=self._target(scope, stated),
            form=Form.SUPABASE_PYTHON,
        )

    def _table(self, scope: Scope, node: ast.expr) -> NamedTable | Unread | None:
        found = dict.fromkeys(self._table_call(m) for m in self._names.written(scope, node))
        if list(found) == [None]:
            return None
        unread = next((t for t in found if isinstance(t, Unread)), None)
        if unread is not None or len(found) > 1:
            return unread or Unread(f"{ast.unparse(node)} can be several tables", Cause.REBOUND)
        return next(iter(found))

    def _table_call(self, meaning: object) -> NamedTable | Unread | None:
        match meaning:
            case Expression(
                scope, ast.Call(func=ast.Attribute(value=client, attr=method), args=[name])
            ) if method in _TABLE:
                stated = self._constants.text(scope, name)
                if isinstance(stated, Unread):
                    return stated
                return self._in_schema(scope, client, stated)
        return None

    def _in_schema(self, scope: Scope, client: ast.expr, name: str) -> NamedTable:
        """``client.schema("crm").table("x")`` names the schema, ``client.table("x")`` none."""
        match self._names.written(scope, client):
            case [Expression(at, ast.Call(func=ast.Attribute(attr="schema"), args=[stated]))]:
                return NamedTable(name, self._constants.text(at, stated))
        return NamedTable(name)  # a client as it was made

    def _target(self, scope: Scope, stated: dict[str | None, ast.expr]) -> Target | Unread:
        node, at = stated.get("on_conflict"), scope
        if None in stated:
            unread = Unread(f"**{ast.unparse(stated[None])} may name the target")
            spread = self._constants.literal(scope, stated[None])
            if isinstance(spread, Unread) or not isinstance(spread.node, ast.Dict):
                return unread
            for key, value in zip(spread.node.keys, spread.node.values, strict=True):
                if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                    return unread
                if key.value == "on_conflict":
                    node, at = value, spread.scope
        if node is None or self._names.branches.is_none(at, node):
            return PrimaryKey()
        columns = self._constants.text(at, node)
        return columns if isinstance(columns, Unread) else target_of(columns)
