"""Where a class makes instances of itself, whichever of its subclasses it is."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from .functions import decorators, own_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .module import Module

__all__ = ["makers_in"]


_TYPE = re.compile(rb"type\s*\(")


def makers_in(module: Module, node: ast.ClassDef) -> Iterator[ast.expr]:
    """Return what the methods of a class call to make one more of it: ``cls``, ``self.__class__``, ``type(self)``."""
    for method in own_nodes(node):
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = [*method.args.posonlyargs, *method.args.args][:1]
        if not first:
            continue
        is_of_class = "classmethod" in decorators(method)
        if not _may_make(module.source_of(method), first[0].arg if is_of_class else None):
            continue
        for call in own_nodes(method):
            if isinstance(call, ast.Call) and _is_own(call.func, first[0].arg, is_of_class):
                yield call.func


def _may_make(source: bytes, receiver: str | None) -> bool:
    """Whether a method may call its class, by its bytes: most do not, and are not parsed.

    :param receiver: what it calls the class; None: it has no name for it.
    """
    return (
        b"__class__" in source
        or _TYPE.search(source) is not None
        or (
            receiver is not None
            and re.search(rb"\b%b\s*\(" % receiver.encode(), source) is not None
        )
    )


def _is_own(func: ast.expr, receiver: str, is_of_class: bool) -> bool:
    match func:
        case ast.Name(id=name):
            return is_of_class and name == receiver
        case ast.Attribute(value=ast.Name(id=name), attr="__class__"):
            return name == receiver
        case ast.Call(func=ast.Name("type"), args=[ast.Name(id=name)], keywords=[]):
            return name == receiver
    return False
