"""Items of dictionaries, lists and tuples that the source writes out: ``TABLES["x"]``, ``TABLES.get(name)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Unread
from .values import Class, Expression

if TYPE_CHECKING:
    from .binding import Unpacked
    from .meaning import Names
    from .scope import Scope
    from .values import Meaning

__all__ = ["Subscripts"]


class Subscripts:
    """Reads items."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names

    def item(self, scope: Scope, node: ast.Subscript, depth: int) -> list[Meaning]:
        """Return what ``value[key]`` means: every item, where the key is not known."""
        found: list[Meaning] = []
        for owner in self._names.meanings(scope, node.value, depth):
            if isinstance(owner, Class):  # Repository[User] is the class Repository
                found.append(owner)
                continue
            items = self._items(owner, scope, node.slice, depth)
            found += [Expression(scope, node)] if items is None else items
        return found

    def unpacked(self, scope: Scope, binding: Unpacked, depth: int) -> list[Meaning]:
        """Return what one name of ``name, other = value`` means."""
        found: list[Meaning] = []
        for meaning in self._names.meanings(scope, binding.value, depth):
            match meaning:
                case Expression(at, ast.Tuple(elts=items) | ast.List(elts=items)) if len(
                    items
                ) == binding.size and not any(isinstance(item, ast.Starred) for item in items):
                    found += self._names.meanings(at, items[binding.position], depth)
                case Unread():
                    found.append(meaning)
                case _:
                    found.append(Unread(f"{binding.name} is taken out of a larger value"))
        return found

    def got(self, scope: Scope, node: ast.Call, depth: int) -> list[Meaning] | None:
        """Return what ``value.get(key)`` means; None: it is another call."""
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[key], keywords=[]):
                owners = self._names.meanings(scope, value, depth)
                items = [self._items(owner, scope, key, depth) for owner in owners]
                if all(each is not None for each in items):
                    return [m for each in items for m in each or []]
        return None

    def _items(
        self, owner: Meaning, scope: Scope, key: ast.expr, depth: int
    ) -> list[Meaning] | None:
        match owner:
            case Expression(at, ast.Dict(keys=keys, values=values)) if None not in keys and values:
                stated = [self._names.branches.constants(at, k, depth) for k in keys if k]
                wanted = self._names.branches.constants(scope, key, depth)
                if wanted is None or None in stated:
                    chosen = values
                else:
                    chosen = [v for k, v in zip(stated, values, strict=True) if k and k & wanted]
            case Expression(at, ast.List(elts=values) | ast.Tuple(elts=values)) if values:
                if any(isinstance(value, ast.Starred) for value in values):
                    return None
                wanted = self._names.branches.constants(scope, key, depth)
                if wanted is None or isinstance(key, ast.Slice):
                    return None
                positions = sorted(n for n in wanted if isinstance(n, int))
                chosen = [values[n] for n in positions if -len(values) <= n < len(values)]
            case _:
                return None
        return [m for value in chosen for m in self._names.meanings(at, value, depth)] or None
