"""What an expression means: names and attributes followed, through assignments and imports, to where they end."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...target import Cause, Unread
from ..bounds import check_time
from .binding import Assigned, Defined, Imported, SetElsewhere
from .bindings import bindings_at, bindings_in, is_changed
from .module import is_external
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .binding import Binding
    from .module import Module, Modules

__all__ = ["Class", "Expression", "External", "Function", "Meaning", "Names"]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that is no mere name: a literal, a call, an attribute of something that runs."""

    scope: Scope
    node: ast.expr | ast.AugAssign


@dataclass(frozen=True, slots=True)
class Class:
    """A class that a file which was read defines."""

    module: Module
    node: ast.ClassDef

    @property
    def scope(self) -> Scope:
        """What its body is evaluated in."""
        return Scope(self.module)

    @property
    def qualname(self) -> str:
        """As Python names it, outer classes in front."""
        outer = [n.name for n in self.module.around(self.node) if isinstance(n, ast.ClassDef)]
        return ".".join([*reversed(outer), self.node.name])

    @property
    def is_enumeration(self) -> bool:
        """Whether one of its bases is called an enumeration, as Python's own are."""
        return any(ast.unparse(base).endswith(("Enum", "Flag")) for base in self.node.bases)


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a file which was read defines."""

    name: str


@dataclass(frozen=True, slots=True)
class _File:
    module: Module


@dataclass(frozen=True, slots=True)
class External:
    """Something imported that was not read."""

    dotted: str
    """Its full name, such as ``sqlalchemy.dialects.postgresql.insert``."""


Meaning: TypeAlias = Expression | Class | Function | External | Unread | _File

_DEPTH = 50
"""How many names are followed in a row: longer chains are circles."""


class Names:
    """Follows names through the files of one scan."""

    def __init__(self, modules: Modules) -> None:
        """Nothing is followed yet."""
        self._modules = modules

    def meanings(self, scope: Scope, node: ast.expr, depth: int = _DEPTH) -> list[Meaning]:
        """Return everything that an expression can mean, each once; never empty."""
        check_time()
        if depth == 0:
            return [Unread("it is bound in a circle", Cause.REBOUND)]
        match node:
            case ast.Name(id=name):
                bindings = bindings_at(scope.module, name, node)
                found = [m for b in bindings for m in self._bound(scope, name, b, depth - 1)]
                return _once(found or self._starred(scope.module, name, depth - 1))
            case ast.Attribute(value=value, attr=attr):
                owners = self.meanings(scope, value, depth - 1)
                members = [m for o in owners for m in self._member(scope, node, o, attr, depth - 1)]
                return _once(members)
            case ast.IfExp(body=body, orelse=orelse):
                branches = [m for e in (body, orelse) for m in self.meanings(scope, e, depth - 1)]
                return _once(branches)
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.meanings(scope, value, depth - 1)
            case ast.Call(func=func, args=[*_, value]) if self._is_cast(scope, func):
                return self.meanings(scope, value, depth - 1)
        return [Expression(scope, node)]

    def _is_cast(self, scope: Scope, func: ast.expr) -> bool:
        """``typing.cast(T, value)`` is its value."""
        if not (isinstance(func, ast.Name | ast.Attribute) and ast.unparse(func).endswith("cast")):
            return False
        return self.meanings(scope, func) == [External("typing.cast")]

    def _bound(self, scope: Scope, name: str, binding: Binding, depth: int) -> list[Meaning]:
        match binding:
            case Unread():
                return [binding]
            case SetElsewhere():
                return [Unread(f"{name} is set from another scope", Cause.REBOUND)]
            case Assigned(ast.AugAssign() as statement):
                return [Expression(scope, statement)]
            case Assigned(ast.expr() as value):
                if is_changed(scope.module, name, value):
                    return [Unread(f"{name} is changed after it is set", Cause.REBOUND)]
                return self.meanings(scope, value, depth)
            case Defined(ast.ClassDef() as node):
                return [Class(scope.module, node)]
            case Defined(node):
                return [Function(node.name)]
            case Imported(dotted, imported, level):
                return self._imported(scope.module, dotted, imported, level, depth)
        raise AssertionError(binding)

    def _imported(
        self, module: Module, dotted: str, name: str | None, level: int, depth: int
    ) -> list[Meaning]:
        full = dotted if name is None else f"{dotted}.{name}"
        if level == 0 and is_external(dotted):
            return [External(full)]
        file = self._file(module, dotted, level)
        if name is None:
            return [External(dotted) if file is None else _File(file)]
        if file is not None:
            return self._of_file(file, name, depth)
        submodule = self._file(module, f"{dotted}.{name}" if dotted else name, level)
        return [External(full) if submodule is None else _File(submodule)]

    def _file(self, importer: Module, dotted: str, level: int) -> Module | None:
        path = self._modules.imported(importer, dotted, level)
        return None if path is None else self._modules.at(path)

    def _of_file(self, module: Module, name: str, depth: int) -> list[Meaning]:
        """What a name means at the end of a module, or the package's submodule of that name."""
        if depth == 0:
            return [Unread("it is imported in a circle", Cause.REBOUND)]
        bindings = bindings_in(module, module.tree, name)
        found = [m for b in bindings for m in self._bound(Scope(module), name, b, depth - 1)]
        if found:
            return found
        if module.is_package and (submodule := self._file(module, name, 1)) is not None:
            return [_File(submodule)]
        return self._starred(module, name, depth)

    def _starred(self, module: Module, name: str, depth: int) -> list[Meaning]:
        """What a name means that nothing binds: one of a star import, or a builtin."""
        starred = [
            statement
            for statement in module.tree.body
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
        ]
        for statement in reversed(starred):
            dotted = statement.module or ""
            if statement.level == 0 and is_external(dotted):
                continue
            file = self._file(module, dotted, statement.level)
            if file is None or depth == 0:
                return [Unread(f"{name} may come with the star import from {dotted or '.'}")]
            if bindings_in(file, file.tree, name) or file.is_package:
                return self._of_file(file, name, depth - 1)
        if starred:
            return [External(f"{starred[-1].module}.{name}")]
        return [Unread(f"{name} is not defined in {module.name}")]

    def _member(
        self, scope: Scope, node: ast.Attribute, owner: Meaning, attr: str, depth: int
    ) -> list[Meaning]:
        match owner:
            case External(dotted):
                return [External(f"{dotted}.{attr}")]
            case _File(file) | Class(file) if (
                attr in scope.module.set_attributes | file.set_attributes
            ):
                return [Unread(f"{attr} is changed after it is set", Cause.REBOUND)]
            case _File(file):
                return self._of_file(file, attr, depth)
            case Class(of, definition) if not owner.is_enumeration:
                bound = bindings_in(of, definition, attr)
                constants = [b for b in bound if isinstance(b, Assigned) and _is_plain(b.value)]
                if bound and len(constants) == len(bound):
                    return [m for b in constants for m in self._bound(owner.scope, attr, b, depth)]
        # a runtime attribute or a mapped column: left to the caller, which knows the models
        return [Expression(scope, node)]


def _is_plain(value: ast.AST) -> bool:
    """Whether a class attribute is a constant, and not a column."""
    return isinstance(value, ast.Constant | ast.List | ast.Tuple | ast.JoinedStr | ast.BinOp)


def _once(meanings: Iterable[Meaning]) -> list[Meaning]:
    return list(dict.fromkeys(meanings))
