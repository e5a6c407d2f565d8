"""SQLAlchemy's upserts: ``insert(X).values(...).on_conflict_do_update(...)``, in one expression or over several."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..sighting import (
    AnyArbiter,
    Constraint,
    Elements,
    KeyOfTable,
    Sighting,
    Unread,
)
from .meaning import Expression, External, Function, Opaque

if TYPE_CHECKING:
    from ..sighting import NamedTable, Target
    from .constants import Constants
    from .meaning import Meaning, Names
    from .module import Module
    from .predicates import Predicates
    from .tables import Tables
    from .targets import Targets

__all__ = ["Statements"]

_ON_CONFLICT = frozenset({"on_conflict_do_nothing", "on_conflict_do_update"})
_ON_DUPLICATE = "on_duplicate_key_update"
_PARAMETERS = ("constraint", "index_elements", "index_where")
"""The first parameters of both methods, in their order."""
_DEPTH = 40


@dataclass(frozen=True, slots=True)
class _Argument:
    module: Module
    node: ast.expr


class Statements:
    """Reads SQLAlchemy's upserts."""

    def __init__(
        self,
        names: Names,
        constants: Constants,
        tables: Tables,
        targets: Targets,
        predicates: Predicates,
    ) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._tables = tables
        self._targets = targets
        self._predicates = predicates

    def read(self, module: Module, call: ast.Call) -> Sighting | None:
        """Return the upsert that a call makes; None: it is another call."""
        func = call.func
        if not isinstance(func, ast.Attribute) or not (
            func.attr in _ON_CONFLICT or func.attr == _ON_DUPLICATE
        ):
            return None
        target: Target | Unread = AnyArbiter()
        binds = False
        if func.attr in _ON_CONFLICT:
            target, binds = self._target(module, call)
        return Sighting(
            # the name is the last thing of the attribute
            func.end_lineno or call.lineno,
            call.lineno,
            call.end_lineno or call.lineno,
            self._inserted_into(module, func.value, _DEPTH),
            target,
            binds,
        )

    def _inserted_into(self, module: Module, node: ast.expr, depth: int) -> NamedTable | Unread:
        """The table at the root of a chain of calls, whichever names it passes through."""
        found = {
            self._root(meaning, ast.unparse(node), depth)
            for meaning in self._names.meanings(module, node)
        }
        unread = next((t for t in found if isinstance(t, Unread)), None)
        if unread is not None:
            return unread
        return found.pop() if len(found) == 1 else Unread("the statement can be for several tables")

    def _root(self, meaning: Meaning, told: str, depth: int) -> NamedTable | Unread:
        match meaning:
            case Opaque(reason):
                return Unread(reason)
            case Expression(module, ast.Call(func=func) as call) if depth:
                if self._is_insert(module, func):
                    return self._argument_of_insert(module, call)
                if isinstance(func, ast.Attribute):
                    if func.attr == "insert" and not call.args:
                        return self._tables.table(module, func.value)
                    if not self._is_function(module, func):
                        return self._inserted_into(module, func.value, depth - 1)
        return Unread(f"what {told} inserts into cannot be read")

    def _argument_of_insert(self, module: Module, call: ast.Call) -> NamedTable | Unread:
        stated = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "table")]
        if len(stated) != 1 or isinstance(stated[0], ast.Starred):
            return Unread("insert() names no table")
        return self._tables.table(module, stated[0])

    def _is_insert(self, module: Module, func: ast.expr) -> bool:
        """Whether every meaning is an ``insert`` of SQLAlchemy's, whichever dialect's."""
        found = self._names.meanings(module, func)
        return all(
            isinstance(m, External)
            and m.dotted.partition(".")[0] in ("sqlalchemy", "sqlmodel")
            and m.dotted.rpartition(".")[2] in ("insert", "Insert")
            for m in found
        )

    def _is_function(self, module: Module, func: ast.expr) -> bool:
        """Whether it is a module's function, and not a method of the statement."""
        found = self._names.meanings(module, func)
        return any(isinstance(m, External | Function | Opaque) for m in found)

    def _target(self, module: Module, call: ast.Call) -> tuple[Target | Unread, bool]:
        arguments: dict[str, _Argument] = {}
        for parameter, value in zip(_PARAMETERS, call.args, strict=False):
            arguments[parameter] = _Argument(module, value)
        for keyword in call.keywords:
            if keyword.arg is not None:
                arguments[keyword.arg] = _Argument(module, keyword.value)
                continue
            spread = self._spread(module, keyword.value)
            if not isinstance(spread, dict):
                return spread, False
            arguments |= spread
        for name in [n for n, a in arguments.items() if _is_none(a.node)]:
            del arguments[name]
        return self._of_arguments(arguments)

    def _spread(self, module: Module, node: ast.expr) -> dict[str, _Argument] | Target | Unread:
        """The keyword arguments of ``**node``; those of ``conflict_target()`` are the target itself."""
        literal = self._constants.literal(module, node)
        if isinstance(literal, Unread):
            return literal
        at = literal.module
        match literal.node:
            case ast.Dict(keys=keys, values=values):
                named = [k.value if isinstance(k, ast.Constant) else None for k in keys]
                if all(isinstance(name, str) for name in named):
                    pairs = zip(named, values, strict=True)
                    return {str(name): _Argument(at, value) for name, value in pairs}
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
                if all(k.arg is not None for k in keywords):
                    return {str(k.arg): _Argument(at, k.value) for k in keywords}
            case ast.Call() as call if self._is_conflict_target(at, call.func):
                return self._key(at, call)
        return Unread(f"**{ast.unparse(node)} cannot be read")

    def _is_conflict_target(self, module: Module, func: ast.expr) -> bool:
        return all(
            isinstance(m, External)
            and m.dotted.partition(".")[0] == "alembic_upsert_guard"
            and m.dotted.endswith(".conflict_target")
            for m in self._names.meanings(module, func)
        )

    def _key(self, module: Module, call: ast.Call) -> Target | Unread:
        """``conflict_target(table, *elements, where=...)``."""
        stated = {k.arg: k.value for k in call.keywords}
        if not call.args or set(stated) - {"where"}:
            return Unread(f"{ast.unparse(call)} cannot be read")
        elements = self._targets.each(module, call.args[1:])
        if isinstance(elements, Unread):
            return elements
        where = stated.get("where")
        predicate = None if where is None else self._predicates.predicate(module, where).text
        return KeyOfTable(elements, predicate)

    def _of_arguments(self, arguments: dict[str, _Argument]) -> tuple[Target | Unread, bool]:
        if "constraint" in arguments:
            return self._constraint(arguments["constraint"]), False
        if "index_elements" not in arguments:
            return AnyArbiter(), False
        stated = arguments["index_elements"]
        elements = self._targets.elements(stated.module, stated.node)
        binds = self._targets.binds(stated.module, stated.node)
        where = arguments.get("index_where")
        if where is None:
            return elements if isinstance(elements, Unread) else Elements(elements), binds
        predicate = self._predicates.predicate(where.module, where.node)
        if isinstance(elements, Unread):
            return elements, binds or predicate.binds
        return Elements(elements, predicate.text), binds or predicate.binds

    def _constraint(self, stated: _Argument) -> Target | Unread:
        name = self._constants.text(stated.module, stated.node)
        if not isinstance(name, Unread):
            return Constraint(name)
        columns = self._targets.elements(stated.module, stated.node)
        return name if isinstance(columns, Unread) else Elements(columns)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
