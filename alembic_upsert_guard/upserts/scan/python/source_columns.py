"""The columns of a table as the source itself writes them: of ``Table(...)``, and of a mapped class."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .values import Class, Expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...target import Unread
    from .constants import Constants
    from .meaning import Names
    from .scope import Scope
    from .tables import Tables

__all__ = ["SourceColumn", "SourceColumns"]

_COLUMN = frozenset({"Column", "mapped_column"})
_TABLE = frozenset({"Table"})


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column."""

    key: str
    """In ``table.c.<key>``."""
    name: str
    is_primary: bool


class SourceColumns:
    """Reads columns where they are written."""

    def __init__(self, names: Names, constants: Constants, tables: Tables) -> None:
        """Nothing is read yet."""
        self._names = names
        self._constants = constants
        self._tables = tables

    def of(self, scope: Scope, table: ast.expr) -> tuple[SourceColumn, ...] | None:
        """Return the columns of the table that an expression means, in their order; None: not all can be read."""
        match self._names.meanings(scope, table):
            case [Expression(at, ast.Call() as call)] if self._tables.is_call_of(
                at, call.func, _TABLE
            ):
                return self._of_call(at, call)
            case [Expression(at, ast.Attribute(value=owner, attr="__table__"))]:
                return self.of(at, owner)
            case [Class() as of]:
                return self._of_class(of)
        return None

    def is_reflected(self, scope: Scope, table: ast.expr) -> bool:
        """Return whether a table's columns are read from a database, ``Table(name, metadata, autoload_with=engine)``.

        Each is known by its name then.
        """
        return any(
            isinstance(m, Expression)
            and isinstance(m.node, ast.Call)
            and any(keyword.arg == "autoload_with" for keyword in m.node.keywords)
            and self._tables.is_call_of(m.scope, m.node.func, _TABLE)
            for m in self._names.meanings(scope, table)
        )

    def _of_call(self, scope: Scope, call: ast.Call) -> tuple[SourceColumn, ...] | None:
        found: list[SourceColumn] = []
        constraints: list[tuple[Scope, ast.Call]] = []
        for where, argument in self._items(scope, call.args[2:]):
            match self._names.meanings(where, argument):
                case [Expression(at, ast.Call() as column)] if self._is_column(at, column):
                    one = self._column(at, column, None)
                    if one is None:
                        return None
                    found.append(one)
                case [Expression(at, ast.Call(func=func) as call)] if _is_constraint(func):
                    constraints.append((at, call))
                case _:
                    return None
        return self._with_primary_key(tuple(found), constraints)

    def _items(
        self, scope: Scope, arguments: Iterable[ast.expr], around: tuple[ast.expr, ...] = ()
    ) -> Iterator[tuple[Scope, ast.expr]]:
        """The arguments one by one, those of ``*columns``, too, where they are a list that nothing changes.

        :param around: the lists that they are in: one may name itself.
        """
        for argument in arguments:
            literal = None
            if isinstance(argument, ast.Starred):
                literal = self._constants.literal(scope, argument.value)
            match literal:
                case Expression(at, (ast.List(elts=items) | ast.Tuple(elts=items)) as many) if (
                    many not in around
                ):
                    yield from self._items(at, items, (*around, many))
                case _:
                    yield scope, argument

    def _with_primary_key(
        self, columns: tuple[SourceColumn, ...], constraints: list[tuple[Scope, ast.Call]]
    ) -> tuple[SourceColumn, ...] | None:
        """The columns, with those of a ``PrimaryKeyConstraint``; None: it cannot be read."""
        for scope, call in constraints:
            if not ast.unparse(call.func).endswith("PrimaryKeyConstraint"):
                continue
            names = [self._constants.text(scope, argument) for argument in call.args]
            if not all(isinstance(name, str) for name in names):
                return None
            columns = tuple(replace(c, is_primary=c.is_primary or c.key in names) for c in columns)
        return columns

    def _of_class(self, of: Class) -> tuple[SourceColumn, ...] | None:
        """The columns in the bodies of a class and its mixins; None: a base was not read, or names its own table."""
        found: dict[str, SourceColumn | None] = {}
        for each in reversed(self._names.members.lineage(of)):
            if not self._bases_are_read(each):
                return None
            found |= dict(self._in_body(each))
        columns = tuple(column for column in found.values() if column is not None)
        if len(columns) != len(found):
            return None
        return self._with_primary_key(columns, list(self._constraints(of)))

    def _constraints(self, of: Class) -> Iterator[tuple[Scope, ast.Call]]:
        """What ``__table_args__`` of the class itself lists."""
        for statement in of.node.body:
            match statement:
                case ast.Assign(
                    targets=[ast.Name(id="__table_args__")], value=ast.Tuple(elts=items)
                ):
                    yield from ((of.scope, each) for each in items if isinstance(each, ast.Call))

    def _bases_are_read(self, of: Class) -> bool:
        """Whether no base that was not read may have columns."""
        for base in of.node.bases:
            for meaning in self._names.meanings(of.scope, base):
                match meaning:
                    case Class() | Expression():
                        pass
                    case _:
                        if "sqlalchemy" not in getattr(meaning, "dotted", ""):
                            return False
        return True

    def _in_body(self, of: Class) -> Iterator[tuple[str, SourceColumn | None]]:
        for statement in of.node.body:
            match statement:
                case (
                    ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call)
                    | ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call)
                ) if self._is_column(of.scope, call):
                    yield name, self._column(of.scope, call, name)
                case ast.AnnAssign(target=ast.Name(id=name), annotation=stated, value=None):
                    if ast.unparse(stated).partition("[")[0].endswith("Mapped"):
                        yield name, SourceColumn(name, name, is_primary=False)

    def _is_column(self, scope: Scope, call: ast.Call) -> bool:
        return self._tables.is_call_of(scope, call.func, _COLUMN)

    def _column(self, scope: Scope, call: ast.Call, attribute: str | None) -> SourceColumn | None:
        """One ``Column(...)``, which an attribute gives its name to where it states none; None: it cannot be read."""
        stated = {k.arg: k.value for k in call.keywords}
        if None in stated:
            return None
        first = stated.get("name", call.args[0] if call.args else None)
        name: str | Unread | None = attribute
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            name = first.value
        elif attribute is None:
            name = None if first is None else self._constants.text(scope, first)
        key = self._constants.text(scope, stated["key"]) if "key" in stated else name
        if not isinstance(name, str) or not isinstance(key, str):
            return None
        primary = stated.get("primary_key")
        is_primary = isinstance(primary, ast.Constant) and primary.value is True
        return SourceColumn(key, name, is_primary)


def _is_constraint(func: ast.expr) -> bool:
    return ast.unparse(func).endswith(("Constraint", "Index", "UpsertKey"))
