"""The schema that a request to PostgREST names: a header ``Content-Profile``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Unread
from .meaning import Properties
from .nodes import callee_name, chain_of, string_in
from .postgrest_requests import SETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from .meaning import Expression
    from .module import Module
    from .values import Values

__all__ = ["Profiles"]

_HEADER = "content-profile"
_PAIR = 2
"""A name and a value."""
_UNREAD = Unread("the file names schemas in headers, and which one this request has is not known")


class Profiles:
    """Reads headers."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def schema(self, request: Expression, options: Iterable[Properties]) -> str | Unread | None:
        """Return the schema; None: it is the one that the server takes by itself."""
        if not _mentions(request.module):
            return None
        for link in chain_of(_whole(request)):
            given = link.arguments
            if link.name in SETTERS and len(given) == _PAIR and _is_header(string_in(given[0])):
                return self._values.text(request.at(given[1]))
        is_known = callee_name(request.node) == "fetch"
        for each in options:
            headers = each.named.get("headers")
            stated = Properties({}) if headers is None else self._values.properties(headers)
            profiles = [value for name, value in stated.named.items() if _is_header(name)]
            if profiles:
                return self._values.text(profiles[-1])
            is_object = bool(each.named)  # another argument is the address
            is_known = is_known and stated.unread is None and (is_object or each.unread is not None)
        return None if is_known else _UNREAD


def _whole(request: Expression) -> Node:
    """A request with the calls that go on from it: ``request.post(url).set(name, value)``."""
    node = request.node
    while (member := request.module.parent(node)) is not None:
        call = request.module.parent(member)
        if member.type != "member_expression" or call is None or call.type != "call_expression":
            break
        node = call
    return node


def _is_header(name: str | None) -> bool:
    return name is not None and name.lower() == _HEADER


def _mentions(module: Module) -> bool:
    return _HEADER.encode() in module.source.lower()
