"""SQLAlchemy's upserts: ``insert(X).values(...).on_conflict_do_update(...)``, in one expression or over several."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import (
    AnyArbiter,
    Cause,
    NamedTable,
    Unread,
)
from ...upsert import Form, Source, Upsert
from .conflict_arguments import ReadTarget
from .values import Expression, External, Function

if TYPE_CHECKING:
    from .conflict_arguments import ConflictArguments
    from .meaning import Names
    from .scope import Scope
    from .tables import Tables
    from .values import Meaning

__all__ = ["Statements"]

_ON_CONFLICT = frozenset({"on_conflict_do_nothing", "on_conflict_do_update"})
_ON_DUPLICATE = "on_duplicate_key_update"
_PREFIX = "prefix_with"
_PREFIXES = frozenset({"ignore", "or ignore", "or replace"})
"""What SQLite and MySQL take between INSERT and INTO."""
_DEPTH = 40


class Statements:
    """Reads SQLAlchemy's upserts."""

    methods = _ON_CONFLICT | {_ON_DUPLICATE, _PREFIX}
    """What a call has to be called."""

    def __init__(self, names: Names, tables: Tables, arguments: ConflictArguments) -> None:
        """Nothing is read yet."""
        self._names = names
        self._tables = tables
        self._arguments = arguments

    def read(self, scope: Scope, call: ast.Call) -> Upsert | None:
        """Return the upsert that a call makes; None: it is another call."""
        func = call.func
        if not isinstance(func, ast.Attribute) or not (
            func.attr in _ON_CONFLICT or func.attr == _ON_DUPLICATE or _is_prefixed(call, func)
        ):
            return None
        read = ReadTarget(AnyArbiter())
        if func.attr in _ON_CONFLICT:
            read = self._arguments.read(scope, call)
        return Upsert(
            source=Source.CODE,
            # the name is the last thing of the attribute
            place=scope.module.place(func.end_lineno or call.lineno, call),
            table=self._inserted_into(scope, func.value, _DEPTH),
            target=read.target,
            binds=read.binds,
            form=Form.SQLALCHEMY,
            model=_model(func.value),
        )

    def _inserted_into(self, scope: Scope, node: ast.expr, depth: int) -> NamedTable | Unread:
        """The table at the root of a chain of calls, whichever names it passes through."""
        found = dict.fromkeys(
            self._root(meaning, ast.unparse(node), depth)
            for meaning in self._names.meanings(scope, node)
        )
        unread = next((t for t in found if isinstance(t, Unread)), None)
        if unread is not None:
            return unread
        return (
            next(iter(found))
            if len(found) == 1
            else Unread("the statement can be for several tables", Cause.REBOUND)
        )

    def _root(self, meaning: Meaning, source: str, depth: int) -> NamedTable | Unread:
        match meaning:
            case Unread():
                return meaning
            case Expression(scope, ast.Call(func=func) as call) if depth:
                if self._is_insert(scope, func):
                    return self._argument_of_insert(scope, call)
                if isinstance(func, ast.Attribute):
                    if func.attr == "insert" and not call.args:
                        return self._tables.table(scope, func.value)
                    if not self._is_function(scope, func):
                        inner = self._inserted_into(scope, func.value, depth - 1)
                        return self._only_table(scope, call) or inner
                return self._only_table(scope, call) or _unread(source)
        return _unread(source)

    def _only_table(self, scope: Scope, call: ast.Call) -> NamedTable | None:
        """The table among the arguments of a call that is not known, and that makes an ``Insert``; None: not one.

        Nothing else has ``on_conflict_do_update``: where an ``insert`` is picked at run time, or kept as an attribute,
        the one table that it is given is the one that it inserts into.
        """
        match call.func:
            case ast.Attribute(attr=name) if "insert" not in name.lower():
                return None
        if not call.args or any(
            isinstance(m, Function) for m in self._names.meanings(scope, call.func)
        ):
            return None
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        found = [
            self._tables.table(scope, node) for node in given if not isinstance(node, ast.Starred)
        ]
        tables = [table for table in found if isinstance(table, NamedTable)]
        return tables[0] if tables == found[:1] else None

    def _argument_of_insert(self, scope: Scope, call: ast.Call) -> NamedTable | Unread:
        stated = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "table")]
        if len(stated) != 1 or isinstance(stated[0], ast.Starred):
            return Unread("insert() names no table")
        return self._tables.table(scope, stated[0])

    def _is_insert(self, scope: Scope, func: ast.expr) -> bool:
        """Whether every meaning is an ``insert`` of SQLAlchemy's, whichever dialect's."""
        found = self._names.meanings(scope, func)
        return all(
            isinstance(m, External)
            and m.dotted.partition(".")[0] in ("sqlalchemy", "sqlmodel")
            and m.dotted.rpartition(".")[2] in ("insert", "Insert")
            for m in found
        )

    def _is_function(self, scope: Scope, func: ast.expr) -> bool:
        """Whether it is a module's function, and not a method of the statement."""
        found = self._names.meanings(scope, func)
        return any(isinstance(m, External | Function | Unread) for m in found)


def _is_prefixed(call: ast.Call, func: ast.Attribute) -> bool:
    """``insert(table).prefix_with("OR REPLACE")``, which names no target."""
    return func.attr == _PREFIX and any(
        isinstance(a, ast.Constant) and str(a.value).lower().strip() in _PREFIXES for a in call.args
    )


def _unread(source: str) -> Unread:
    return Unread(f"what {source} inserts into cannot be read")


def _model(node: ast.expr) -> str | None:
    """How the statement writes the model or ``Table`` at its root; None: another name is given to the statement."""
    while isinstance(node, ast.Call):
        match node:
            case ast.Call(func=ast.Attribute(value=table, attr="insert"), args=[]):
                return _dotted(table)
            case ast.Call(
                func=ast.Name(id="insert" | "Insert") | ast.Attribute(attr="insert" | "Insert")
            ):
                tables = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "table")]
                return _dotted(tables[0]) if tables else None
            case ast.Call(func=ast.Attribute(value=inner)):
                node = inner
            case ast.Call(args=[table, *_]):
                # insert under another name: pg_insert(Model)
                return _dotted(table)
            case _:
                return None
    return None


def _dotted(node: ast.expr) -> str | None:
    """The source of a name or of names with dots between; None: it is more than that."""
    inner = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return ast.unparse(node) if isinstance(inner, ast.Name) else None
