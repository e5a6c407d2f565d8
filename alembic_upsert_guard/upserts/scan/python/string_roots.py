"""The largest string expression around a literal or a name, and the names that a string goes by."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .changes import FILLING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .composition import Root
    from .module import Module

__all__ = ["filled_templates", "fills_fields", "is_looked_for", "names_of", "root_of"]

_METHODS = frozenset({"format", "lstrip", "rstrip", "strip"})
"""Methods of a string that are followed."""
_LOOKING = frozenset(
    {
        *("count", "endswith", "find", "index", "partition", "removeprefix", "removesuffix"),
        *("replace", "rfind", "rindex", "rpartition", "rsplit", "split", "startswith"),
    }
)
"""Methods of a string that look for their first argument."""
_KEEPING = frozenset({"Composed", "SQL", "cleandoc", "dedent", "list", "sorted", "text", "tuple"})


def root_of(module: Module, node: ast.expr) -> Root | None:
    """Return the largest string expression around a piece of it; None: it is a docstring.

    Of two strings of which one is chosen, and that is all, each is one of its own.
    """
    root = _largest(module, node)
    while isinstance(root, ast.IfExp):
        inside = (root.body, root.orelse)
        root = next(each for each in inside if each is node or each in module.around(node))
    return root


def is_looked_for(module: Module, root: Root) -> bool:
    """Return whether a string is only looked for in another one, which may run: ``assert "ON CONFLICT" in sql``."""
    match module.parent(root):
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]):
            return left is root
        case ast.Call(func=ast.Attribute(attr=method), args=[first, *_]):
            return method in _LOOKING and first is root
    return False


def _largest(  # noqa: C901 - a table, a kind of node a line
    module: Module, node: ast.expr
) -> Root | None:
    root: Root = node
    inner: ast.AST = node
    for around in module.around(node):
        match around:
            case ast.Expr():
                return None if root is node and isinstance(node, ast.Constant) else root
            case ast.BinOp(op=ast.Add()) | ast.JoinedStr() | ast.FormattedValue():
                root = around
            case ast.BinOp(left=left, op=ast.Mod()) if left is inner:
                root = around
            case ast.Subscript(value=value) if value is inner and not isinstance(
                inner, ast.Constant
            ):
                root = around
            case ast.AugAssign(target=ast.Name(), op=ast.Add()):
                return around
            case ast.IfExp(test=test) if test is not inner:
                root = around
            case ast.List() | ast.Tuple() if _is_joined(module, around):
                pass
            case ast.Attribute(attr=method) if method in _METHODS and _is_called(module, around):
                pass
            case ast.keyword() if _is_format(module.parent(around)):
                pass
            case ast.Call() if _composes(around, inner):
                root = around
            case _:
                return root
        inner = around
    return root


def _is_called(module: Module, node: ast.Attribute) -> bool:
    parent = module.parent(node)
    return isinstance(parent, ast.Call) and parent.func is node


def _is_format(node: ast.AST | None) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="format")):
            return True
    return False


def _is_joined(module: Module, node: ast.expr) -> bool:
    parent = module.parent(node)
    return isinstance(parent, ast.Call) and _composes(parent, node)


def _composes(call: ast.Call, inner: ast.AST) -> bool:
    """Whether a call makes a string of a part of it."""
    match call:
        case ast.Call(func=ast.Attribute(attr="join"), args=[items]):
            return items is inner
        case ast.Call(func=ast.Attribute(attr=method) as func):
            if method in _METHODS and func is inner:
                return True
            if method == "format":
                return True
    match call:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[only], keywords=[]):
            return name in _KEEPING and only is inner
    return False


def filled_templates(module: Module, name: str) -> Iterator[ast.expr]:
    """Return the places where something is put into the template of a name: ``SQL.format(x)``, ``SQL % x``."""
    for node in module.near([name]):
        match node:
            case (
                ast.Call(func=ast.Attribute(value=ast.Name(id=used) as template, attr=method))
                | ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr=used) as template, attr=method)
                )
            ):
                if used == name and method in FILLING:
                    yield template
            case (
                ast.BinOp(left=ast.Name(id=used) as template, op=ast.Mod())
                | ast.BinOp(left=ast.Attribute(attr=used) as template, op=ast.Mod())
            ):
                if used == name:
                    yield template


def fills_fields(module: Module, template: ast.expr) -> bool:
    """Return whether what is put into a template takes the place of its fields, and of no other text."""
    match module.parent(template):
        case ast.BinOp(op=ast.Mod()):
            return True
        case ast.Attribute(attr=method):
            return method != "replace"
    return False


def names_of(module: Module, root: Root) -> Iterator[str]:
    """Return the names that a string, or a list or dictionary that it is in, is assigned to."""
    for around in module.around(root):
        match around:
            case ast.Assign(targets=targets):
                yield from (name for target in targets for name in _last_names(target))
                return
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
                yield from _last_names(target)
                return
            case ast.List() | ast.Tuple() | ast.Dict() | ast.IfExp() | ast.Call():
                continue
            case _:
                return


def _last_names(target: ast.expr) -> Iterator[str]:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
