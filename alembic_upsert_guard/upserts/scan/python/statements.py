"""SQLAlchemy's upserts: ``insert(X).values(...).on_conflict_do_update(...)``, in one expression or over several."""

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
from ...upsert import Form, Source, Upsert
from .meaning import Expression, External, Function, Opaque

if TYPE_CHECKING:
    from ....inference import Element
    from ...target import Target
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

_INDEX = frozenset({"Index"})
_UNIQUE = frozenset({"PrimaryKeyConstraint", "UniqueConstraint"})


@dataclass(frozen=True, slots=True)
class _Argument:
    module: Module
    node: ast.expr


@dataclass(frozen=True, slots=True)
class _Read:
    """A target, and whether values are bound in it."""

    target: Target | Unread
    binds: bool = False


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

    def read(self, module: Module, call: ast.Call) -> Upsert | None:
        """Return the upsert that a call makes; None: it is another call."""
        func = call.func
        if not isinstance(func, ast.Attribute) or not (
            func.attr in _ON_CONFLICT or func.attr == _ON_DUPLICATE
        ):
            return None
        read = _Read(AnyArbiter())
        if func.attr in _ON_CONFLICT:
            read = self._target(module, call)
        return Upsert(
            source=Source.CODE,
            # the name is the last thing of the attribute
            place=module.place(func.end_lineno or call.lineno, call),
            table=self._inserted_into(module, func.value, _DEPTH),
            target=read.target,
            binds=read.binds,
            form=Form.SQLALCHEMY,
            model=_model(func.value),
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
        return (
            found.pop()
            if len(found) == 1
            else Unread("the statement can be for several tables", Cause.REBOUND)
        )

    def _root(self, meaning: Meaning, told: str, depth: int) -> NamedTable | Unread:
        match meaning:
            case Opaque(reason, cause):
                return Unread(reason, cause)
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

    def _target(self, module: Module, call: ast.Call) -> _Read:
        arguments: dict[str, _Argument] = {}
        for parameter, value in zip(_PARAMETERS, call.args, strict=False):
            arguments[parameter] = _Argument(module, value)
        for keyword in call.keywords:
            if keyword.arg is not None:
                arguments[keyword.arg] = _Argument(module, keyword.value)
                continue
            spread = self._spread(module, keyword.value)
            if not isinstance(spread, dict):
                return _Read(spread)
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
        return ConflictTargetCall(elements, predicate)

    def _of_arguments(self, arguments: dict[str, _Argument]) -> _Read:
        if "constraint" in arguments:
            return self._constraint(arguments["constraint"])
        if "index_elements" not in arguments:
            return _Read(AnyArbiter())
        stated = arguments["index_elements"]
        elements = self._targets.elements(stated.module, stated.node)
        binds = self._targets.binds(stated.module, stated.node)
        where = arguments.get("index_where")
        if where is None:
            return _Read(self._elements(stated, elements), binds)
        predicate = self._predicates.predicate(where.module, where.node)
        target = elements if isinstance(elements, Unread) else Elements(elements, predicate.text)
        return _Read(target, binds or predicate.binds)

    def _elements(
        self, stated: _Argument, elements: tuple[Element, ...] | Unread
    ) -> Target | Unread:
        if not isinstance(elements, Unread):
            return Elements(elements)
        if elements.cause is Cause.NO_MODEL:
            table = self._tables.primary_key(stated.module, stated.node)
            return PrimaryKey() if isinstance(table, NamedTable) else elements
        return elements

    def _constraint(self, stated: _Argument) -> _Read:
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
        name = self._constants.text(stated.module, stated.node)
        if not isinstance(name, Unread):
            return _Read(Constraint(name))
        literal = self._constants.literal(stated.module, stated.node)
        if isinstance(literal, Unread):
            return _Read(literal)
        match literal.node:
            case ast.Call() as call if self._tables.is_call_of(literal.module, call.func, _INDEX):
                return self._index(literal.module, call)
            case ast.Call() as call if self._tables.is_call_of(literal.module, call.func, _UNIQUE):
                return _Read(self._constraint_object(literal.module, call))
        columns = self._targets.primary_key(stated.module, stated.node)
        if columns is None:
            return _Read(name)
        if not isinstance(columns, Unread):
            return _Read(ConstraintObject(columns))
        return _Read(self._elements(stated, columns))

    def _constraint_object(self, module: Module, call: ast.Call) -> Target | Unread:
        columns = self._targets.each(module, call.args)
        stated = [k.value for k in call.keywords if k.arg == "name"]
        name = self._constants.text(module, stated[0]) if stated else None
        if isinstance(columns, Unread):
            return columns
        return name if isinstance(name, Unread) else ConstraintObject(columns, name)

    def _index(self, module: Module, call: ast.Call) -> _Read:
        items = call.args[1:]
        columns = self._targets.each(module, items)
        if isinstance(columns, Unread):
            return _Read(columns)
        wheres = [k.value for k in call.keywords if k.arg == "postgresql_where"]
        if not wheres:
            return _Read(Elements(columns))
        predicate = self._predicates.predicate(module, wheres[0])
        return _Read(Elements(columns, predicate.text), predicate.binds)


def _model(node: ast.expr) -> str | None:
    """How the statement writes the model or ``Table`` at its root; None: another name stands for the statement."""
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


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
