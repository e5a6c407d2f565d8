"""What a name is bound to where it is used: assignments, imports and definitions that reach the place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .binding import Looped, Parameter, SetElsewhere, always_binds, bound_by_header, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .binding import Binding
    from .elsewhere import Elsewhere
    from .module import Module
    from .scope import Comprehension, FunctionNode

__all__ = ["bindings_at", "bindings_in", "is_changed"]


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Module)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bindings_at(module: Module, name: str, node: ast.AST) -> list[Binding]:
    """Return every binding of `name` that can reach `node`, as far as one reading of the source says.

    In the function that `node` is in: the last assignments before it, those of a loop around it included.
    In an enclosing function or the module: every one, for it is not known when the function runs. Empty:
    nothing binds the name.
    """
    key = node, name
    if key not in module.bindings_at:
        module.bindings_at[key] = _bindings_at(module, name, node)
    return module.bindings_at[key]


def _bindings_at(module: Module, name: str, node: ast.AST) -> list[Binding]:
    at: ast.AST = node
    inside = False
    for around in module.around(node):
        if isinstance(around, _COMPREHENSIONS):
            looped = _looped(around, name)
            if looped is not None:
                return [looped]
        if not isinstance(around, _SCOPES):
            continue
        # a class body is no scope to the functions in it
        if not (inside and isinstance(around, ast.ClassDef)):
            found = (
                bindings_in(module, around, name) if inside else _reaching(module, around, name, at)
            )
            if found:
                return found
        inside = inside or isinstance(around, _FUNCTIONS)
    return []


def bindings_in(module: Module, scope: ast.AST, name: str) -> list[Binding]:
    """Return every binding of `name` in a scope, whenever it is made."""
    key = scope, name
    if key not in module.bindings_in:
        module.bindings_in[key] = _bindings_in(module, scope, name)
    return module.bindings_in[key]


def _bindings_in(module: Module, scope: ast.AST, name: str) -> list[Binding]:
    found: list[Binding] = []
    if isinstance(scope, _FUNCTIONS) and name in _parameters(scope):
        found.append(Parameter(scope, name))
    found += module.blocks.bindings(_body(scope), name)
    if found and name in _set_from_inside(module, scope):
        return [SetElsewhere(name)]
    return found


def _reaching(module: Module, scope: ast.AST, name: str, node: ast.AST) -> list[Binding]:
    """The bindings in the scope of `node` that reach it."""
    every = bindings_in(module, scope, name)
    if not every or any(isinstance(b, SetElsewhere) for b in every):
        return every
    found: list[Binding] = []
    inner: ast.AST = node
    for around in module.around(node):
        block = module.blocks.around(inner, around)
        for earlier, bindings in reversed(module.blocks.binding(block, name, before=inner)):
            found += bindings
            if always_binds(earlier, name):
                return found
        if around is scope:
            break
        for run_before in _run_before(module, around, inner):
            found += module.blocks.bindings(run_before, name)
        header = bound_by_header(around, name) if isinstance(inner, ast.stmt) else []
        found += header
        if header and not isinstance(around, ast.ExceptHandler):
            return found
        inner = around
    if isinstance(scope, _FUNCTIONS) and name in _parameters(scope):
        found.append(Parameter(scope, name))
    return found


def _run_before(module: Module, around: ast.AST, inner: ast.AST) -> Sequence[Sequence[ast.AST]]:
    """The blocks of `around` that may have run before `inner`, and are not before it in its own block."""
    if isinstance(around, ast.For | ast.AsyncFor | ast.While):
        return [around.body]  # in the round before
    if isinstance(around, ast.Try) and not module.blocks.has(around.body, inner):
        return [around.body, around.handlers, around.orelse]
    return []


def _body(scope: ast.AST) -> Sequence[ast.AST]:
    body = getattr(scope, "body", [])
    return body if isinstance(body, list) else []


def _looped(comprehension: Comprehension, name: str) -> Looped | None:
    return next(
        (
            Looped(comprehension, generator.target, generator.iter, name)
            for generator in comprehension.generators
            if names(generator.target, name)
        ),
        None,
    )


def _parameters(function: FunctionNode) -> frozenset[str]:
    named = function.args
    every = [*named.posonlyargs, *named.args, *named.kwonlyargs, named.vararg, named.kwarg]
    return frozenset(argument.arg for argument in every if argument is not None)


def is_changed(module: Module, name: str, value: ast.AST, elsewhere: Elsewhere) -> bool:
    """Return whether the list or dictionary `value`, which `name` is bound to, is changed after it was made.

    Looked for in the whole file, by name: ``KEY.append(x)``, ``KEY[0] = x``, ``del KEY[0]``; and in others.
    """
    if not _is_mutable(value):
        return False
    if module.changes(name):
        return True
    statement = module.parent(value)
    is_top = statement is not None and module.parent(statement) in (None, module.tree)
    return is_top and elsewhere.changes(module.path, name)


def _is_mutable(value: ast.AST) -> bool:
    """Whether a value is a list, set or dictionary, as far as its own source says."""
    match value:
        case ast.List() | ast.Set() | ast.Dict() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            return True
        case ast.Call(func=ast.Name("dict" | "list" | "set" | "sorted")):
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_mutable(left) or _is_mutable(right)
    return False


def _set_from_inside(module: Module, scope: ast.AST) -> frozenset[str]:
    """The names of a scope that a function inside it sets: ``global``, ``nonlocal``."""
    if isinstance(scope, ast.Module):
        return module.set_by_global
    return module.blocks.nonlocals(scope)
