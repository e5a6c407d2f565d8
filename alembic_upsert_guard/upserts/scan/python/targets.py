"""The arguments that name a conflict target: lists of elements."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ....inference import Element
from ...target import Cause, Unread
from .rounds import rounds_of
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...declared import DeclaredTables
    from .columns import Columns
    from .constants import Constants
    from .meaning import Names
    from .predicates import Predicates
    from .tables import Tables

__all__ = ["COPIES", "Targets"]

COPIES = frozenset({"frozenset", "list", "set", "sorted", "tuple"})
"""Python's functions that make another list of the same items."""


class Targets:
    """Reads what ``index_elements`` and ``conflict_target()`` are given."""

    def __init__(
        self,
        names: Names,
        constants: Constants,
        tables: Tables,
        columns: Columns,
        predicates: Predicates,
        declared: DeclaredTables,
    ) -> None:
        """Nothing is read yet."""
        self._names = names
        self._declared = declared
        self._constants = constants
        self._tables = tables
        self._columns = columns
        self._predicates = predicates

    def elements(self, scope: Scope, node: ast.expr) -> tuple[Element, ...] | Unread:
        """Return the elements of ``index_elements``: a list, tuple or set, by whichever name, or a primary key."""
        literal = self._constants.literal(scope, node)
        if isinstance(literal, Unread):
            return literal
        at = literal.scope
        copied = _copied(literal.node)
        if copied is not None:
            return self.elements(at, copied)
        match literal.node:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return self.read_elements(at, items)
            case ast.Dict(keys=keys) if None not in keys:
                return self.read_elements(at, [key for key in keys if key is not None])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined([self.elements(at, left), self.elements(at, right)])
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() as comprehension:
                return self._collected(at, comprehension)
            case ast.Constant(value=str() as text):
                return Unread(
                    f"index_elements is the string {text!r}, which SQLAlchemy takes letter by letter; it takes a list",
                    Cause.LETTERS,
                )
            case ast.expr() as expression:
                found = self.primary_key(at, expression)
                return _unread(node) if found is None else found
        return _unread(node)

    def _collected(
        self, scope: Scope, node: ast.ListComp | ast.GeneratorExp | ast.SetComp
    ) -> tuple[Element, ...] | Unread:
        """``[getattr(Model, name) for name in KEYS]``: the element of each round."""
        rounds = rounds_of(self._names, scope, node)
        if not rounds or any(generator.ifs for generator in node.generators):
            return _unread(node)
        return _joined(self._one(Scope(scope.module, frame), node.elt) for frame in rounds)

    def primary_key(self, scope: Scope, node: ast.expr) -> tuple[Element, ...] | Unread | None:
        """Return the columns of ``table.primary_key``; None: the expression is no primary key."""
        owner = self._tables.primary_key_owner(node)
        table = None if owner is None else self._tables.table(scope, owner)
        if owner is None or table is None:
            return None
        if isinstance(table, Unread):
            return table
        declared = table.only(self._declared)
        if declared is None:
            columns = self._columns.source.of(scope, owner) or ()
            names = tuple(column.name for column in columns if column.is_primary)
        else:
            names = declared.primary_key
        if not names:
            return Unread(
                f"no model has the table {table.name} and its primary key", Cause.NO_MODEL
            )
        return tuple(Element(column=name) for name in names)

    def read_elements(
        self, scope: Scope, items: Iterable[ast.expr]
    ) -> tuple[Element, ...] | Unread:
        """Return the elements that are written one by one."""
        return _joined(
            self.elements(scope, item.value)
            if isinstance(item, ast.Starred)
            else self._one(scope, item)
            for item in items
        )

    def binds(self, scope: Scope, node: ast.expr) -> bool:
        """Return whether SQLAlchemy binds a value in an element of ``index_elements``, as far as the source says."""
        literal = self._constants.literal(scope, node)
        if isinstance(literal, Unread):
            return False
        at = literal.scope
        match literal.node:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return any(self._one_binds(at, item) for item in items)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.binds(at, left) or self.binds(at, right)
            case ast.Call(func=ast.Name(id=name), args=[items], keywords=[]) if name in COPIES:
                return self.binds(at, items)
        return False

    def _one_binds(self, scope: Scope, node: ast.expr) -> bool:
        if isinstance(node, ast.Starred):
            return self.binds(scope, node.value)
        # a string is a column's name here, by whichever name it goes
        if not isinstance(self._constants.text(scope, node), Unread):
            return False
        return self._predicates.sql(scope, node).binds

    def _one(self, scope: Scope, node: ast.expr) -> tuple[Element, ...] | Unread:
        column = self._columns.column(scope, node)
        if column is not None:
            return column if isinstance(column, Unread) else (column,)
        name = self._constants.text(scope, node)
        if not isinstance(name, Unread):
            return (Element(column=name),)
        if isinstance(node, ast.Constant):
            return _unread(node)
        sql = self._predicates.sql(scope, node)
        if isinstance(sql.text, Unread):
            # why it is no string says more, where a name led nowhere
            return name if isinstance(node, ast.Name) else sql.text
        element = self._columns.spelled(sql.text)
        return element if isinstance(element, Unread) else (element,)


def _joined(
    parts: Iterable[tuple[Element, ...] | Unread],
) -> tuple[Element, ...] | Unread:
    found: list[Element] = []
    for part in parts:
        if isinstance(part, Unread):
            return part
        found += part
    return tuple(found)


def _copied(node: ast.AST) -> ast.expr | None:
    """What an expression lists again: ``list(keys)``, ``row.keys()``, ``[k for k in keys]``; None: it is another."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[items], keywords=[]) if name in COPIES:
            return items
        case ast.Call(func=ast.Attribute(value=mapping, attr="keys"), args=[], keywords=[]):
            return mapping
        case ast.ListComp() | ast.GeneratorExp() if _copies(node):
            return node.generators[0].iter
    return None


def _copies(comprehension: ast.ListComp | ast.GeneratorExp) -> bool:
    """Whether it only copies columns or their names: ``[c.name for c in table.primary_key]``."""
    match comprehension:
        case (
            ast.ListComp(elt=element, generators=[ast.comprehension(ast.Name(id=name), ifs=[])])
            | ast.GeneratorExp(
                elt=element, generators=[ast.comprehension(ast.Name(id=name), ifs=[])]
            )
        ):
            match element:
                case ast.Name(id=used) | ast.Attribute(value=ast.Name(id=used), attr="name"):
                    return used == name
    return False


def _unread(node: ast.AST) -> Unread:
    return Unread(f"{ast.unparse(node)} cannot be read as elements")
