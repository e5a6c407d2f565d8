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

_TYPE = re.compile(rb"type[\s\\]*\(")


def makers_in(module: Module, node: ast.ClassDef) -> Iterator[ast.expr]:
    """Return what the methods of a class call to make one more of it: ``cls``, ``self.__class__``, ``type(self)``."""
    for method in own_nodes(node):
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = [*method.args.posonlyargs, *method.args.args][:1]
        if not first:
            continue
        is_of_class = "classmethod" in decorators(method)
        source, receiver = module.source_of(method), first[0].arg.encode()
        if not _may_make(source, receiver, is_of_class=is_of_class):
            continue
        for call in own_nodes(method):
            if isinstance(call, ast.Call) and _is_own(call.func, first[0].arg, is_of_class):
                yield call.func


def _may_make(source: bytes, receiver: bytes, *, is_of_class: bool) -> bool:
    """Whether a method may call its class, by its bytes: most do not, and are not parsed."""
    return (
        b"__class__" in source
        # which other letters may write, and other bytes
        or not receiver.isascii()
        # the first pattern begins with a literal, and so takes a fraction of the time
        or (
            _TYPE.search(source) is not None
            and _has(rb"type[\s\\]*\(\s*(?:%b\b|[(#\\])", receiver, source)
        )
        or (is_of_class and receiver in source and _has(rb"%b[\s\\)]*\(", receiver, source))
    )


def _has(pattern: bytes, receiver: bytes, source: bytes) -> bool:
    return re.search(rb"\b" + pattern % receiver, source) is not None


def _is_own(func: ast.expr, receiver: str, is_of_class: bool) -> bool:
    match func:
        case ast.Name(id=name):
            return is_of_class and name == receiver
        case ast.Attribute(value=ast.Name(id=name), attr="__class__"):
            return name == receiver
        case ast.Call(func=ast.Name("type"), args=[ast.Name(id=name)], keywords=[]):
            return name == receiver
    return False
