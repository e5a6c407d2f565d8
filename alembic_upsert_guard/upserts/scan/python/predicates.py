"""SQLAlchemy's expressions as SQL, as far as predicates of partial keys need them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from ..sql import normal_predicate
from .values import Class, External

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .columns import Columns
    from .constants import Constants
    from .meaning import Names
    from .scope import Scope

__all__ = ["Predicates", "Sql"]

_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_COMBINED: dict[type[ast.operator], str] = {ast.BitAnd: "AND", ast.BitOr: "OR"}
_IS = {"is_": "IS", "is_not": "IS NOT", "isnot": "IS NOT"}
_OPPOSITE = {"IS": "IS NOT", "IS NOT": "IS"}
_BINDING_METHODS = frozenset(
    {"between", "contains", "endswith", "ilike", "in_", "like", "not_in", "notin_", "startswith"}
)
"""Methods of columns that bind what they are given."""
_VALUES = {"null": "NULL", "true": "true", "false": "false"}


@dataclass(frozen=True, slots=True)
class Sql:
    """An expression as SQL."""

    text: str | Unread
    """Bound values are in it as literals."""
    binds: bool = False
    """Whether SQLAlchemy binds a value in it, as far as the source says."""


class Predicates:
    """Renders expressions as SQLAlchemy does; what it does not know is unread."""

    def __init__(self, names: Names, constants: Constants, columns: Columns) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._columns = columns

    def predicate(self, scope: Scope, node: ast.expr) -> Sql:
        """Return ``index_where`` in PostgreSQL's spelling."""
        sql = self.sql(scope, node)
        return sql if isinstance(sql.text, Unread) else Sql(normal_predicate(sql.text), sql.binds)

    def sql(self, scope: Scope, node: ast.expr) -> Sql:
        """Return an expression as SQL, which need not be in anyone's spelling."""
        column = self._columns.column(scope, node)
        if column is not None:
            return Sql(column if isinstance(column, Unread) else _quoted(str(column.column)))
        literal = self._constants.literal(scope, node)
        if isinstance(literal, Unread):
            return Sql(literal)
        if not isinstance(literal.node, ast.expr):
            return _unread(node)
        return self._expression(literal.scope, literal.node)

    def _expression(self, scope: Scope, node: ast.expr) -> Sql:
        match node:
            case ast.Constant(value=value):
                return _value(value)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._compared(scope, left, operator, right)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _COMBINED:
                return self._combined(scope, _COMBINED[type(operator)], [left, right])
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return self._negated(scope, operand)
            case ast.Call():
                return self._call(scope, node)
            case ast.Attribute(value=owner) if self._is_enumeration(scope, owner):
                return Sql(
                    Unread(f"how {ast.unparse(node)} is stored cannot be read", Cause.BOUND),
                    binds=True,
                )
        return _unread(node)

    def _compared(self, scope: Scope, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Sql:
        sign = _COMPARED.get(type(operator))
        if sign is None:
            return _unread(left)
        value = self.sql(scope, right)
        if value.text == "NULL" and sign in ("=", "<>"):
            sign = "IS" if sign == "=" else "IS NOT"
        return _put_together([self.sql(scope, left), value], lambda one, two: f"{one} {sign} {two}")

    def _combined(self, scope: Scope, word: str, parts: Sequence[ast.expr]) -> Sql:
        rendered = [self.sql(scope, part) for part in parts]
        return _put_together(rendered, lambda *texts: f" {word} ".join(f"({t})" for t in texts))

    def _negated(self, scope: Scope, operand: ast.expr) -> Sql:
        match operand:
            case ast.Call(func=ast.Attribute(value=column, attr=method), args=[value]) if (
                method in _IS
            ):
                return self._is(scope, column, _OPPOSITE[_IS[method]], value)
        return _put_together([self.sql(scope, operand)], lambda text: f"NOT ({text})")

    def _is(self, scope: Scope, column: ast.expr, word: str, value: ast.expr) -> Sql:
        return _put_together(
            [self.sql(scope, column), self.sql(scope, value)],
            lambda one, two: f"{one} {word} {two}",
        )

    def _call(self, scope: Scope, node: ast.Call) -> Sql:
        if isinstance(node.func, ast.Attribute):
            method, owner = node.func.attr, node.func.value
            if method in _IS and len(node.args) == 1:
                return self._is(scope, owner, _IS[method], node.args[0])
            if method in ("in_", "not_in", "notin_") and len(node.args) == 1:
                return self._in(scope, owner, method, node.args[0])
        found = self._names.meanings(scope, node.func)
        if len(found) != 1 or not isinstance(found[0], External) or node.keywords:
            return self._unknown_call(node)
        package, _, function = found[0].dotted.rpartition(".")
        if package.rpartition(".")[2] == "func":
            rendered = [self.sql(scope, argument) for argument in node.args]
            return _put_together(rendered, lambda *texts: f"{function}({', '.join(texts)})")
        return self._function(scope, node, function)

    def _function(self, scope: Scope, node: ast.Call, function: str) -> Sql:
        """SQLAlchemy's own functions of expressions."""
        if function in ("text", "literal_column") and node.args:
            return Sql(self._constants.text(scope, node.args[0]))
        if function in ("and_", "or_") and node.args:
            return self._combined(scope, function.removesuffix("_").upper(), node.args)
        if function == "not_" and len(node.args) == 1:
            return self._negated(scope, node.args[0])
        if function in _VALUES and not node.args:
            return Sql(_VALUES[function])
        if function in ("literal", "bindparam"):
            return Sql(Unread(f"{ast.unparse(node)} binds a value", Cause.BOUND), binds=True)
        return self._unknown_call(node)

    def _in(self, scope: Scope, column: ast.expr, method: str, values: ast.expr) -> Sql:
        literal = self._constants.literal(scope, values)
        word = "IN" if method == "in_" else "NOT IN"
        if isinstance(literal, Unread) or not isinstance(
            literal.node, ast.List | ast.Tuple | ast.Set
        ):
            return Sql(
                Unread(f"{ast.unparse(values)} cannot be read as values", Cause.BOUND), binds=True
            )
        rendered = [self.sql(literal.scope, value) for value in literal.node.elts]
        return _put_together(
            [self.sql(scope, column), *rendered],
            lambda one, *others: f"{one} {word} ({', '.join(others)})",
            binds=True,
        )

    def _unknown_call(self, node: ast.Call) -> Sql:
        binds = (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in _BINDING_METHODS
            and any(isinstance(argument, ast.Constant) for argument in node.args)
        )
        return Sql(_unread(node).text, binds)

    def _is_enumeration(self, scope: Scope, owner: ast.expr) -> bool:
        return all(
            isinstance(m, Class) and m.is_enumeration for m in self._names.meanings(scope, owner)
        )


def _put_together(
    parts: Sequence[Sql], template: Callable[..., str], *, binds: bool = False
) -> Sql:
    binds = binds or any(part.binds for part in parts)
    unread = next((part.text for part in parts if isinstance(part.text, Unread)), None)
    return Sql(unread or template(*(part.text for part in parts)), binds)


def _value(value: object) -> Sql:
    """None, True and False are SQL words to SQLAlchemy; every other value is bound."""
    if value is None or isinstance(value, bool):
        return Sql("NULL" if value is None else str(value).lower())
    if isinstance(value, str):
        doubled = value.replace("'", "''")
        return Sql(f"'{doubled}'", binds=True)
    if isinstance(value, int | float):
        return Sql(repr(value), binds=True)
    return Sql(Unread(f"{value!r} has no literal form that is known", Cause.BOUND), binds=True)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _unread(node: ast.AST) -> Sql:
    return Sql(Unread(f"{ast.unparse(node)} cannot be read as SQL"))
