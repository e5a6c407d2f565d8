"""Requests to PostgREST that upsert, of requests, httpx and others: seen, and not read."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from ...upsert import Form, Source, Upsert
from .string_items import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .module import Module

__all__ = ["requests_in"]

_PARAMETER = "on_conflict"
_PATH = "/rest/v1/"
_PREFERENCES = ("resolution=ignore-duplicates", "resolution=merge-duplicates")
_SENDING = frozenset({"fetch", "post", "put", "request", "stream"})
_OTHERS = frozenset({"delete", "get", "head", "options", "patch"})
_UNREAD = Unread("requests to PostgREST are seen in Python, and not read", Cause.LIBRARY)


def requests_in(module: Module) -> Iterator[Upsert]:
    """Return each request that a header or a parameter makes an upsert; what says so by itself where none is found."""
    found: dict[ast.expr, None] = {}
    for node in module.near_evidence():
        if isinstance(node, ast.expr) and _says_so(module, node):
            call = _call_around(module, node)
            if not (isinstance(call, ast.Call) and last_name(call.func) in _OTHERS):
                found[call or node] = None
    for root in found:
        yield Upsert(
            source=Source.CODE,
            place=module.place(root.lineno, root),
            table=_UNREAD,
            target=_UNREAD,
            form=Form.POSTGREST,
        )


def _says_so(module: Module, node: ast.expr) -> bool:
    """Whether it is a header, an address, or a dictionary of parameters of a request that is seen."""
    match node:
        case ast.Constant(value=str() as text):
            is_address = _PATH in text or f"?{_PARAMETER}=" in text or f"&{_PARAMETER}=" in text
            is_one = _is_preference(text) or (is_address and f"{_PARAMETER}=" in text)
            return is_one and "\n" not in text and _is_given(module, node)
        case ast.Dict(keys=keys):
            stated = [key.value for key in keys if isinstance(key, ast.Constant)]
            call = _call_around(module, node)
            return _PARAMETER in stated and call is not None
    return False


def _is_preference(text: str) -> bool:
    """Whether a text is a header ``Prefer``, and no sentence about one."""
    stated = [part.strip() for part in text.split(",")]
    return any(part in _PREFERENCES for part in stated) and all("=" in part for part in stated)


def _is_given(module: Module, text: ast.Constant) -> bool:
    """Whether a text goes somewhere: it is no docstring, and is not compared with another."""
    return not isinstance(module.parent(text), ast.Compare | ast.Expr)


def _call_around(module: Module, node: ast.expr) -> ast.Call | None:
    """The request that something is given to; None: none is around it."""
    for around in module.around(node):
        if isinstance(around, ast.stmt):
            return None
        if isinstance(around, ast.Call) and last_name(around.func) in _SENDING | _OTHERS:
            return around
    return None
