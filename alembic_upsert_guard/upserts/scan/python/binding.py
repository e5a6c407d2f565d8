"""What one statement binds a name to."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...target import Cause, Unread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .scope import FunctionNode, LoopNode

__all__ = [
    "Assigned",
    "Binding",
    "Defined",
    "Imported",
    "Looped",
    "Parameter",
    "SetElsewhere",
    "Unpacked",
    "always_binds",
    "bound_by_header",
    "leaves",
    "names",
]


@dataclass(frozen=True, slots=True)
class Assigned:
    """``name = value``, or ``name += value``."""

    value: ast.expr | ast.AugAssign


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """``name, other = value``."""

    value: ast.expr
    position: int
    """Of the name, counted from 0."""
    size: int
    name: str


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
class SetElsewhere:
    """Another scope sets the name, by ``global`` or ``nonlocal``: nobody knows when."""

    name: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the function around."""

    function: FunctionNode
    name: str


@dataclass(frozen=True, slots=True)
class Looped:
    """The target of a loop, or a part of it."""

    loop: LoopNode
    target: ast.expr
    items: ast.expr
    """What is gone through."""
    name: str


Binding: TypeAlias = (
    Assigned | Unpacked | Imported | Defined | SetElsewhere | Parameter | Looped | Unread
)


def bound_by_header(statement: ast.AST, name: str) -> list[Binding]:
    """Return the bindings of `name` that a statement makes, those inside its blocks left out."""
    match statement:
        case ast.Expr() | ast.Return() | ast.If():  # most of them bind nothing
            return []
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            return _assigned_by(statement, name)
        case (
            ast.ClassDef()
            | ast.FunctionDef()
            | ast.AsyncFunctionDef()
            | ast.Import()
            | ast.ImportFrom()
        ):
            return _defined_by(statement, name)
        case ast.For() | ast.AsyncFor():
            return _looped_by(statement, name)
    return _unread_by(statement, name)


def _assigned_by(statement: ast.AST, name: str) -> list[Binding]:
    match statement:
        case ast.Assign(targets=targets, value=value):
            return [_assigned(target, value, name) for target in targets if names(target, name)]
        case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value) if bound == name:
            return [Assigned(value)]
        case ast.AugAssign(target=ast.Name(id=bound)) if bound == name:
            return [Assigned(statement)]
    return []


def _defined_by(statement: ast.AST, name: str) -> list[Binding]:
    match statement:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if statement.name == name:
            return [Defined(statement)]
        case ast.Import(names=aliases):
            return [b for alias in aliases for b in _imported(alias, name)]
        case ast.ImportFrom(module=module, names=aliases, level=level):
            bound_as = [a for a in aliases if (a.asname or a.name) == name]
            return [Imported(module or "", alias.name, level) for alias in bound_as]
    return []


def _looped_by(statement: ast.AST, name: str) -> list[Binding]:
    match statement:
        case ast.For(target=target) | ast.AsyncFor(target=target) if names(target, name):
            return [Looped(statement, target, statement.iter, name)]
    return []


def _unread_by(statement: ast.AST, name: str) -> list[Binding]:
    match statement:
        case ast.With(items=items) | ast.AsyncWith(items=items):
            opened = [i for i in items if i.optional_vars and names(i.optional_vars, name)]
            return [Unread(f"{name} comes from a with statement") for _ in opened]
        case ast.ExceptHandler(name=bound) if bound == name:
            return [Unread(f"{name} is an exception")]
        case ast.Delete(targets=targets) if any(names(t, name) for t in targets):
            return [Unread(f"{name} is deleted", Cause.REBOUND)]
        case ast.match_case(pattern=pattern) if _captures(pattern, name):
            return [Unread(f"{name} is captured by a pattern", Cause.REBOUND)]
        case ast.Global(names=outer) | ast.Nonlocal(names=outer) if name in outer:
            return [SetElsewhere(name)]
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
    if isinstance(target, ast.Tuple | ast.List):
        positions = [
            n for n, t in enumerate(target.elts) if isinstance(t, ast.Name) and t.id == name
        ]
        if len(positions) == 1 and not any(isinstance(e, ast.Starred) for e in target.elts):
            return Unpacked(value=value, position=positions[0], size=len(target.elts), name=name)
    return Unread(f"{name} is taken out of a larger value")


def _imported(alias: ast.alias, name: str) -> Iterator[Binding]:
    if alias.asname == name:
        yield Imported(alias.name, None, 0)
    elif alias.asname is None and alias.name.partition(".")[0] == name:
        yield Imported(name, None, 0)


def always_binds(statement: ast.AST, name: str) -> bool:
    """Return whether a statement binds the name, whichever way it goes."""
    match statement:
        case ast.If(body=body, orelse=orelse):
            return all(_binds_or_leaves(block, name) for block in (body, orelse))
        case ast.With(body=body) | ast.AsyncWith(body=body):
            return any(always_binds(s, name) for s in body) or bool(
                bound_by_header(statement, name)
            )
        case ast.For() | ast.AsyncFor() | ast.While() | ast.Try():
            return False
    return bool(bound_by_header(statement, name))


def _binds_or_leaves(block: list[ast.stmt], name: str) -> bool:
    return leaves(block) or any(always_binds(s, name) for s in block)


def leaves(block: Sequence[ast.stmt]) -> bool:
    """Return whether a block ends the function that it is in."""
    return bool(block) and isinstance(block[-1], ast.Return | ast.Raise)


def names(target: ast.AST, name: str) -> bool:
    """Return whether an assignment to `target` binds `name`."""
    match target:
        case ast.Name(id=bound):
            return bound == name
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return any(names(e, name) for e in elements)
        case ast.Starred(value=value):
            return names(value, name)
    return False


def _captures(pattern: ast.AST, name: str) -> bool:
    return any(
        name in (getattr(node, "name", None), getattr(node, "rest", None))
        for node in ast.walk(pattern)
    )
