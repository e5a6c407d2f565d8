"""What a name is bound to where it is used: assignments, imports and definitions that reach the place."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...target import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .module import Module

__all__ = [
    "Assigned",
    "Binding",
    "Defined",
    "Imported",
    "Opaque",
    "bindings_at",
    "bindings_in",
    "is_changed",
]


@dataclass(frozen=True, slots=True)
class Assigned:
    """``name = value``, or ``name += value``."""

    value: ast.expr | ast.AugAssign


@dataclass(frozen=True, slots=True)
class Imported:
    """``import module`` or ``from module import name``."""

    module: str
    name: str | None
    """None: the module itself."""
    level: int


@dataclass(frozen=True, slots=True)
class Defined:
    """``class name`` or ``def name``."""

    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Opaque:
    """A binding whose value the source does not tell."""

    reason: str
    cause: Cause = Cause.REBOUND


Binding: TypeAlias = Assigned | Imported | Defined | Opaque

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Module)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bindings_at(module: Module, name: str, node: ast.AST) -> list[Binding]:
    """Return every binding of `name` that can reach `node`, as far as one reading of the source tells.

    In the function that `node` is in: the last assignments before it, those of a loop around it included.
    In an enclosing function or the module: every one, for it is not known when the function runs. Empty:
    nothing binds the name.
    """
    at: ast.AST = node
    inside = False
    for around in module.around(node):
        if isinstance(around, _COMPREHENSIONS) and _is_target(name, around.generators):
            return [Opaque(f"{name} goes through a loop")]
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
    found: list[Binding] = []
    if isinstance(scope, _FUNCTIONS) and name in _parameters(scope):
        found.append(Opaque(f"{name} comes in as a parameter", Cause.PARAMETER))
    for statement in module.blocks.binding(_body(scope), name):
        found += _bound_by(statement, name)
    if found and name in _set_from_inside(module, scope):
        return [Opaque(f"{name} is set from another scope")]
    return found


def _reaching(module: Module, scope: ast.AST, name: str, node: ast.AST) -> list[Binding]:
    """The bindings in the scope of `node` that reach it."""
    every = bindings_in(module, scope, name)
    if not every or any(isinstance(b, Opaque) and b.reason.endswith("scope") for b in every):
        return every
    found: list[Binding] = []
    inner: ast.AST = node
    for around in module.around(node):
        block = _block_of(module, around, inner)
        for earlier in reversed(module.blocks.binding(block, name, before=inner)):
            found += _bound_by(earlier, name)
            if _always_binds(earlier, name):
                return found
        if around is scope:
            break
        for run_before in _run_before(module, around, inner):
            for other in module.blocks.binding(run_before, name):
                found += _bound_by(other, name)
        header = _bound_by_header(around, name) if isinstance(inner, ast.stmt) else []
        found += header
        if header and not isinstance(around, ast.ExceptHandler):
            return found
        inner = around
    if isinstance(scope, _FUNCTIONS) and name in _parameters(scope):
        found.append(Opaque(f"{name} comes in as a parameter", Cause.PARAMETER))
    return found


def _run_before(module: Module, around: ast.AST, inner: ast.AST) -> Sequence[Sequence[ast.AST]]:
    """The blocks of `around` that may have run before `inner`, and do not stand before it in its own block."""
    if isinstance(around, ast.For | ast.AsyncFor | ast.While):
        return [around.body]  # in the round before
    if isinstance(around, ast.Try) and not module.blocks.has(around.body, inner):
        return [around.body, around.handlers, around.orelse]
    return []


def _block_of(module: Module, around: ast.AST, inner: ast.AST) -> Sequence[ast.AST]:
    """The list of statements of `around` that `inner` stands in; empty: nothing in it runs before `inner`.

    One handler or case runs, not those before it.
    """
    for field in ("body", "orelse", "finalbody"):
        block = getattr(around, field, None)
        if isinstance(block, list) and module.blocks.has(block, inner):
            return block
    return []


def _body(scope: ast.AST) -> Sequence[ast.AST]:
    body = getattr(scope, "body", [])
    return body if isinstance(body, list) else []


def _bound_by(statement: ast.AST, name: str) -> list[Binding]:
    """The bindings of `name` that a statement can make, those inside its blocks included."""
    found = _bound_by_header(statement, name)
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        return found
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            found += _bound_by(child, name)
        elif _walrus_binds(child, name):
            found.append(Opaque(f"{name} is set inside an expression"))
    return found


def _walrus_binds(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.NamedExpr) and n.target.id == name for n in ast.walk(node))


def _bound_by_header(statement: ast.AST, name: str) -> list[Binding]:  # noqa: C901, PLR0911 - a table
    match statement:
        case ast.Assign(targets=targets, value=value):
            return [_assigned(target, value, name) for target in targets if _names(target, name)]
        case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value) if bound == name:
            return [Assigned(value)]
        case ast.AugAssign(target=ast.Name(id=bound)) if bound == name:
            return [Assigned(statement)]
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if statement.name == name:
            return [Defined(statement)]
        case ast.Import(names=names):
            return [b for alias in names for b in _imported(alias, name)]
        case ast.ImportFrom(module=module, names=names, level=level):
            bound_as = [a for a in names if (a.asname or a.name) == name]
            return [Imported(module or "", alias.name, level) for alias in bound_as]
        case ast.For(target=target) | ast.AsyncFor(target=target) if _names(target, name):
            return [Opaque(f"{name} goes through a loop")]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            opened = [i for i in items if i.optional_vars and _names(i.optional_vars, name)]
            return [Opaque(f"{name} comes from a with statement", Cause.COMPUTED) for _ in opened]
        case ast.ExceptHandler(name=bound) if bound == name:
            return [Opaque(f"{name} is an exception", Cause.COMPUTED)]
        case ast.Delete(targets=targets) if any(_names(t, name) for t in targets):
            return [Opaque(f"{name} is deleted")]
        case ast.match_case(pattern=pattern) if _captures(pattern, name):
            return [Opaque(f"{name} is captured by a pattern")]
        case ast.Global(names=names) | ast.Nonlocal(names=names) if name in names:
            return [Opaque(f"{name} is set from another scope")]
    return []


def _assigned(target: ast.expr, value: ast.expr, name: str) -> Binding:
    if isinstance(target, ast.Name):
        return Assigned(value)
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        pairs = zip(target.elts, value.elts, strict=False)
        same = len(target.elts) == len(value.elts)
        found = [v for t, v in pairs if isinstance(t, ast.Name) and t.id == name]
        starred = any(isinstance(e, ast.Starred) for e in (*target.elts, *value.elts))
        if same and len(found) == 1 and not starred:
            return Assigned(found[0])
    return Opaque(f"{name} is taken out of a larger value", Cause.COMPUTED)


def _imported(alias: ast.alias, name: str) -> Iterator[Binding]:
    if alias.asname == name:
        yield Imported(alias.name, None, 0)
    elif alias.asname is None and alias.name.partition(".")[0] == name:
        yield Imported(name, None, 0)


def _always_binds(statement: ast.AST, name: str) -> bool:
    """Whether the name is bound by this statement, whatever came before."""
    match statement:
        case ast.If(body=body, orelse=orelse):
            return all(any(_always_binds(s, name) for s in block) for block in (body, orelse))
        case ast.With(body=body) | ast.AsyncWith(body=body):
            return any(_always_binds(s, name) for s in body) or bool(
                _bound_by_header(statement, name)
            )
        case ast.For() | ast.AsyncFor() | ast.While() | ast.Try():
            return False
    return bool(_bound_by_header(statement, name))


def _names(target: ast.AST, name: str) -> bool:
    """Whether an assignment to `target` binds `name`."""
    match target:
        case ast.Name(id=bound):
            return bound == name
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return any(_names(e, name) for e in elements)
        case ast.Starred(value=value):
            return _names(value, name)
    return False


def _is_target(name: str, generators: Sequence[ast.comprehension]) -> bool:
    return any(_names(generator.target, name) for generator in generators)


def _captures(pattern: ast.AST, name: str) -> bool:
    return any(
        name in (getattr(node, "name", None), getattr(node, "rest", None))
        for node in ast.walk(pattern)
    )


def _parameters(function: _Function) -> frozenset[str]:
    named = function.args
    every = [*named.posonlyargs, *named.args, *named.kwonlyargs, named.vararg, named.kwarg]
    return frozenset(argument.arg for argument in every if argument is not None)


def is_changed(module: Module, name: str, value: ast.AST) -> bool:
    """Return whether the list or dictionary `value`, which `name` is bound to, is changed after it was made.

    Looked for in the whole file, by name: ``KEY.append(x)``, ``KEY[0] = x``, ``del KEY[0]``.
    """
    if not isinstance(value, ast.List | ast.Set | ast.Dict):
        return False
    return name in module.changed


def _set_from_inside(module: Module, scope: ast.AST) -> frozenset[str]:
    """The names of a scope that a function inside it sets: ``global``, ``nonlocal``."""
    if isinstance(scope, ast.Module):
        return module.set_by_global
    return module.blocks.nonlocals(scope)
