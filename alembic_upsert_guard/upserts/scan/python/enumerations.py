"""Members of enumerations: what their values are, and where a member is as good as its value."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .nodes import last_part
from .values import Class, Expression

if TYPE_CHECKING:
    from .meaning import Names
    from .scope import Scope
    from .values import Meaning

__all__ = ["Enumerations"]

_DEPTH = 30
"""How many names are followed in a row for a text."""

_EQUAL = frozenset({"IntEnum", "IntFlag", "StrEnum", "int", "str"})
"""Bases by which a member equals its value."""
_KNOWN = _EQUAL | {"Enum", "Flag"}
"""Bases of Python's own."""
_WRITTEN = "StrEnum"
"""The base whose members are written as their values; those of ``(str, Enum)`` were, before Python 3.12."""
_CHANGED = ("__eq__", "__new__", "_generate_next_value_", "_value_", "value")
"""What makes a member's value another one than the class body gives it, or compares it in its own way."""


class Enumerations:
    """Reads members of enumerations."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names

    def of_member(self, scope: Scope, member: ast.Attribute, depth: int) -> Class | None:
        """Return the enumeration that ``Table.USERS`` is a member of; None: it is none's, as far as it reads."""
        match self._names.meanings(scope, member.value, depth):
            case [Class() as of] if of.is_enumeration:
                return of
        return None

    def is_known(self, of: Class) -> bool:
        """Return whether all is read that says what its members are: its bases, and no way of its own to make them."""
        lineage = self._names.members.lineage(of)
        read = {each.node.name for each in lineage}
        return self._bases(of) <= read | _KNOWN and not any(
            self._names.members.sets(each, changed) for each in lineage for changed in _CHANGED
        )

    def value(self, of: Class, name: str, depth: int) -> list[Meaning] | None:
        """Return what ``Table.USERS.value`` means; None: the class does not say."""
        if not self.is_known(of):
            return None
        for statement in of.node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=stated)], value=value) if stated == name:
                    if isinstance(value, ast.Call):  # auto(), or what a constructor makes of it
                        return None
                    return self._names.meanings(of.scope.around(value), value, depth)
        return None

    def text(self, scope: Scope, member: ast.Attribute) -> str | None:
        """Return the string that a member is wherever one is put in; None: it is none, or not known."""
        of = self.of_member(scope, member, _DEPTH)
        if of is None or not self._is_written_as_value(of):
            return None
        match self.value(of, member.attr, _DEPTH):
            case [Expression(_, ast.Constant(value=str() as text))]:
                return text
        return None

    def equals_value(self, of: Class) -> bool:
        """Return whether a member equals its value."""
        return not _EQUAL.isdisjoint(self._bases(of))

    def _is_written_as_value(self, of: Class) -> bool:
        if self._names.members.method(of, "__format__") is not None:
            return False
        method = self._names.members.method(of, "__str__")
        if method is None:
            return _WRITTEN in self._bases(of)
        match [each for each in getattr(method.node, "body", []) if not isinstance(each, ast.Expr)]:
            case [ast.Return(ast.Attribute(ast.Name("self"), "value"))]:
                return True
            case [
                ast.Return(ast.Call(ast.Name("str"), [ast.Attribute(ast.Name("self"), "value")]))
            ]:
                return True
        return False

    def _bases(self, of: Class) -> frozenset[str]:
        lineage = self._names.members.lineage(of)
        return frozenset(last_part(base) for each in lineage for base in each.node.bases)
