"""Calls of the libraries whose upserts are seen, and not read."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .library_arguments import is_nothing
from .seen_libraries import SEEN
from .string_items import last_name
from .values import Expression

if TYPE_CHECKING:
    from .meaning import Names
    from .module import Module
    from .scope import Scope
    from .seen_libraries import SeenLibrary

__all__ = ["SeenCalls", "imports"]


class SeenCalls:
    """Tells whose upsert a call is."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names

    def library(self, scope: Scope, call: ast.Call) -> SeenLibrary | None:
        """Return whose upsert a call is; None: the call is none of these libraries'."""
        method = last_name(call.func)
        for library in SEEN:
            if method in library.methods and self._is_of(scope, call, library):
                return library
        return None

    def _is_of(self, scope: Scope, call: ast.Call, library: SeenLibrary) -> bool:
        if library.package is not None and not imports(scope.module, library.package):
            return False
        if library.keywords and not self._gives(scope, call, library.keywords):
            return False
        return not library.followed_by or _following(scope.module, call) in library.followed_by

    def _gives(self, scope: Scope, call: ast.Call, wanted: frozenset[str]) -> bool:
        """Whether one of some keywords is given, by ``**`` too."""
        if any(k.arg in wanted and not is_nothing(k.value) for k in call.keywords):
            return True
        return any(
            self._spread_gives(scope, keyword.value, wanted)
            for keyword in call.keywords
            if keyword.arg is None
        )

    def _spread_gives(self, scope: Scope, node: ast.expr, wanted: frozenset[str]) -> bool:
        """Whether ``**node`` has one of some keys; where its keys are not known, whether the file says such a key."""
        name = last_name(node)
        if name and scope.module.changes(name):
            return _is_said(scope.module, wanted)
        found = [self._keys(meaning) for meaning in self._names.meanings(scope, node)]
        known = frozenset[str]().union(*(keys for keys in found if keys is not None))
        return bool(wanted & known) or (None in found and _is_said(scope.module, wanted))

    def _keys(self, meaning: object) -> frozenset[str] | None:
        """The keys of a dictionary that are not given None or False; None: they are not known."""
        pairs: list[tuple[object, ast.expr]]
        match meaning:
            case Expression(_, ast.Dict(keys=keys, values=values)) if None not in keys:
                names = [k.value if isinstance(k, ast.Constant) else None for k in keys]
                pairs = list(zip(names, values, strict=True))
            case Expression(_, ast.Call(func=ast.Name("dict"), args=[], keywords=keywords)):
                pairs = [(k.arg, k.value) for k in keywords]
            case _:
                return None
        if not all(isinstance(name, str) for name, _ in pairs):
            return None
        return frozenset(str(name) for name, value in pairs if not is_nothing(value))


def imports(module: Module, package: str) -> bool:
    """Return whether a file imports a package or a part of it."""
    for node in module.near([package]):
        match node:
            case ast.Import(names=aliases):
                named = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str() as source, level=0):
                named = [source]
            case _:
                continue
        if any(name.partition(".")[0] == package for name in named):
            return True
    return False


def _following(module: Module, call: ast.Call) -> str:
    """The method that is called on what a call returns; empty: none is."""
    parent = module.parent(call)
    return parent.attr if isinstance(parent, ast.Attribute) else ""


def _is_said(module: Module, wanted: frozenset[str]) -> bool:
    """Whether a file gives one of some keywords anywhere, or has it as a string."""
    for node in module.near(sorted(wanted)):
        match node:
            case ast.keyword(arg=name, value=value) if name in wanted and not is_nothing(value):
                return True
            case ast.Dict(keys=keys, values=values):
                if any(
                    _names(k, wanted) and not is_nothing(v)
                    for k, v in zip(keys, values, strict=True)
                ):
                    return True
            case ast.Constant() if _names(node, wanted):
                if not isinstance(module.parent(node), ast.Dict):
                    return True
    return False


def _names(key: ast.expr | None, wanted: frozenset[str]) -> bool:
    return isinstance(key, ast.Constant) and key.value in wanted
