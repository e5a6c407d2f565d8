"""The conflict target among the arguments of SQLAlchemy's ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...target import (
    AnyArbiter,
    Cause,
    ConflictTargetCall,
    Constraint,
    ConstraintObject,
    Elements,
    NamedTable,
    PrimaryKey,
    Unread,
)
from .bindings import bindings_at
from .targets import COPIES
from .values import External

if TYPE_CHECKING:
    from ....inference import Element
    from ...target import Target
    from .constants import Constants
    from .meaning import Names
    from .predicates import Predicates
    from .scope import Scope
    from .tables import Tables
    from .targets import Targets

__all__ = ["ConflictArguments", "ReadTarget"]

_NOT_IMPORTED = "conflict_target is not imported: from alembic_upsert_guard import conflict_target"

_PARAMETERS = ("constraint", "index_elements", "index_where")
"""The first parameters of PostgreSQL's methods, in their order."""

_LISTS = (ast.List, ast.Tuple, ast.Set)
_INDEX = frozenset({"Index"})
_UNIQUE = frozenset({"PrimaryKeyConstraint", "UniqueConstraint"})


@dataclass(frozen=True, slots=True)
class _Argument:
    scope: Scope
    node: ast.expr


@dataclass(frozen=True, slots=True)
class ReadTarget:
    """A target, and whether values are bound in it."""

    target: Target | Unread
    binds: bool = False


class ConflictArguments:
    """Reads targets."""

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

    def read(self, scope: Scope, call: ast.Call) -> ReadTarget:
        """Return the target that a call of either method names."""
        arguments: dict[str, _Argument] = {}
        parameters: tuple[str, ...] = _PARAMETERS
        if call.args and _is_list(self._constants.literal_node(scope, call.args[0])):
            parameters = _PARAMETERS[1:]  # SQLite's methods have no constraint
        for parameter, value in zip(parameters, call.args, strict=False):
            arguments[parameter] = _Argument(scope, value)
        for keyword in call.keywords:
            if keyword.arg is not None:
                arguments[keyword.arg] = _Argument(scope, keyword.value)
                continue
            spread = self._spread(scope, keyword.value)
            if not isinstance(spread, dict):
                return ReadTarget(spread)
            arguments |= spread
        for name in [n for n, a in arguments.items() if self._is_none(a)]:
            del arguments[name]
        return self._of_arguments(arguments)

    def _is_none(self, argument: _Argument) -> bool:
        return self._names.branches.is_none(argument.scope, argument.node)

    def _spread(self, scope: Scope, node: ast.expr) -> dict[str, _Argument] | Target | Unread:
        """The keyword arguments of ``**node``; those of ``conflict_target()`` are the target itself."""
        literal = self._constants.literal(scope, node)
        if isinstance(literal, Unread):
            return literal
        at = literal.scope
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
            case ast.Call(func=ast.Name(id="conflict_target") as func):
                if not bindings_at(at.module, func.id, func):
                    return Unread(_NOT_IMPORTED, Cause.NOT_IMPORTED)
        return Unread(f"**{ast.unparse(node)} cannot be read")

    def _is_conflict_target(self, scope: Scope, func: ast.expr) -> bool:
        return all(
            isinstance(m, External)
            and m.dotted.partition(".")[0] == "alembic_upsert_guard"
            and m.dotted.endswith(".conflict_target")
            for m in self._names.meanings(scope, func)
        )

    def _key(self, scope: Scope, call: ast.Call) -> Target | Unread:
        """``conflict_target(table, *elements, where=...)``."""
        stated = {k.arg: k.value for k in call.keywords}
        if not call.args or set(stated) - {"where"}:
            return Unread(f"{ast.unparse(call)} cannot be read")
        elements = self._targets.read_elements(scope, call.args[1:])
        if isinstance(elements, Unread):
            return elements
        where = stated.get("where")
        predicate = None if where is None else self._predicates.predicate(scope, where).text
        return ConflictTargetCall(elements, predicate)

    def _of_arguments(self, arguments: dict[str, _Argument]) -> ReadTarget:
        if "constraint" in arguments:
            return self._constraint(arguments["constraint"])
        if "index_elements" not in arguments:
            return ReadTarget(AnyArbiter())
        stated = arguments["index_elements"]
        elements = self._targets.elements(stated.scope, stated.node)
        binds = self._targets.binds(stated.scope, stated.node)
        where = arguments.get("index_where")
        if where is None:
            return ReadTarget(self._elements(stated, elements), binds)
        predicate = self._predicates.predicate(where.scope, where.node)
        target = elements if isinstance(elements, Unread) else Elements(elements, predicate.text)
        return ReadTarget(target, binds or predicate.binds)

    def _elements(
        self, stated: _Argument, elements: tuple[Element, ...] | Unread
    ) -> Target | Unread:
        if not isinstance(elements, Unread):
            return Elements(elements)
        if elements.cause is Cause.NO_MODEL:
            owner = self._tables.primary_key_owner(stated.node)
            table = None if owner is None else self._tables.table(stated.scope, owner)
            return PrimaryKey() if isinstance(table, NamedTable) else elements
        return elements

    def _constraint(self, stated: _Argument) -> ReadTarget:
        """What SQLAlchemy makes of ``constraint=`` (postgresql/dml.py: OnConflictClause).

        ==============================  ==========================
        given                           taken as
        ==============================  ==========================
        a string                        ON CONSTRAINT name
        a constraint that has a name    ON CONSTRAINT name
        a constraint without a name     its columns
        an ``Index``                    its elements and predicate
        ==============================  ==========================
        """
        name = self._constants.text(stated.scope, stated.node)
        if not isinstance(name, Unread):
            return ReadTarget(Constraint(name))
        literal = self._constants.literal(stated.scope, stated.node)
        if isinstance(literal, Unread):
            return ReadTarget(literal)
        match literal.node:
            case ast.Call() as call if self._tables.is_call_of(literal.scope, call.func, _INDEX):
                return self._index(literal.scope, call)
            case ast.Call() as call if self._tables.is_call_of(literal.scope, call.func, _UNIQUE):
                return ReadTarget(self._constraint_object(literal.scope, call))
        columns = self._targets.primary_key(stated.scope, stated.node)
        if columns is None:
            return ReadTarget(name)
        if not isinstance(columns, Unread):
            return ReadTarget(ConstraintObject(columns))
        return ReadTarget(self._elements(stated, columns))

    def _constraint_object(self, scope: Scope, call: ast.Call) -> Target | Unread:
        columns = self._targets.read_elements(scope, call.args)
        stated = [k.value for k in call.keywords if k.arg == "name"]
        name = self._constants.text(scope, stated[0]) if stated else None
        if isinstance(columns, Unread):
            return columns
        return name if isinstance(name, Unread) else ConstraintObject(columns, name)

    def _index(self, scope: Scope, call: ast.Call) -> ReadTarget:
        items = call.args[1:]
        columns = self._targets.read_elements(scope, items)
        if isinstance(columns, Unread):
            return ReadTarget(columns)
        wheres = [k.value for k in call.keywords if k.arg == "postgresql_where"]
        if not wheres:
            return ReadTarget(Elements(columns))
        predicate = self._predicates.predicate(scope, wheres[0])
        return ReadTarget(Elements(columns, predicate.text), predicate.binds)


def _is_list(node: ast.expr | None) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in COPIES
    return isinstance(node, _LISTS)
