"""Every upsert of a file: where it is, or where the function is called whose parameters say table or target."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ...target import Cause, Elements, Unread
from ..bounds import check_time
from .functions import called_function
from .meaning import Expression, Frame
from .nodes import arguments_of, line_of, method_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from ...upsert import Upsert
    from .module import Module
    from .postgrest import PostgRest
    from .site import LibraryReader
    from .sql_strings import SqlStrings
    from .values import Values

__all__ = ["Helpers"]

_DEPTH = 4
"""How many functions may call each other down to the upsert."""


class Helpers:
    """Reads files."""

    def __init__(
        self,
        values: Values,
        libraries: Iterable[LibraryReader],
        strings: SqlStrings,
        addresses: PostgRest,
    ) -> None:
        """Nothing is read yet.

        :param libraries: the first that takes a call for its own reads it.
        """
        self._values = values
        self._strings = strings
        self._addresses = addresses
        self._by_method: defaultdict[str, list[LibraryReader]] = defaultdict(list)
        for library in libraries:
            for method in library.methods:
                self._by_method[method].append(library)
        self._parametric: dict[tuple[str, int], list[tuple[Expression, list[Upsert]]]] = {}

    def read(self, module: Module) -> Iterator[Upsert]:
        """Return every upsert of a file."""
        direct = list(self._direct(module))
        through: list[tuple[Expression, Upsert]] = []
        resolved: set[int] = set()
        for node in module.calls:
            check_time()
            call = Expression(module, node)
            for site, upsert in self._through(call, _DEPTH):
                through.append((call, upsert))
                if site.module is module:
                    resolved.add(site.node.id)
        for expression, upsert in direct + through:
            # a call says more than the function that it calls
            if expression.node.id not in resolved or not _is_parametric(upsert):
                yield upsert

    def _direct(self, module: Module) -> Iterator[tuple[Expression, Upsert]]:
        for node in module.calls:
            expression = Expression(module, node)
            yield from ((expression, upsert) for upsert in self._of_call(expression))
        yield from self._strings.read_all(module)
        for node in module.nodes:
            if node.type in ("string", "template_string"):
                expression = Expression(module, node)
                yield from ((expression, upsert) for upsert in self._of_address(expression))

    def _of_call(self, call: Expression) -> list[Upsert]:
        method = method_call(call.node)
        if method is None:
            return []
        for library in self._by_method.get(method.name, ()):
            site = library.read(call, method)
            if site is not None:
                line = line_of(method.name_node)
                return [site.upsert(call.module.place(line, call.node))]
        return []

    def _of_address(self, string: Expression) -> list[Upsert]:
        site = self._addresses.read_string(string)
        if site is None:
            return []
        return [site.upsert(string.module.place(line_of(string.node), string.node))]

    # -- functions

    def _through(self, call: Expression, depth: int) -> Iterator[tuple[Expression, Upsert]]:
        """The upserts of the function that a call runs which depend on its arguments, each at the call."""
        function = called_function(self._values, call) if depth else None
        if function is None or not (sites := self._parametric_in(function, depth)):
            return
        arguments = arguments_of(call.node)
        is_spread = any(argument.type == "spread_element" for argument in arguments)
        frame = Frame(
            function.node,
            function.module,
            None if is_spread else tuple(call.at(argument) for argument in arguments),
            call.frame,
        )
        method = method_call(call.node)
        place = call.module.place(
            line_of(call.node if method is None else method.name_node), call.node
        )
        for site, without in sites:
            within = Expression(site.module, site.node, frame)
            for upsert in self._read(within, depth):
                if not any(_is_same(upsert, other) for other in without):
                    yield site, replace(upsert, place=place)

    def _read(self, site: Expression, depth: int) -> Iterator[Upsert]:
        """The upserts of one call or string of a function, with what is known of the function's parameters."""
        if site.node.type != "call_expression":
            yield from self._of_address(site) or self._strings.read(site)
            return
        direct = self._of_call(site) or self._strings.read(site)
        yield from direct
        if not direct:
            yield from (upsert for _, upsert in self._through(site, depth - 1))

    def _parametric_in(
        self, function: Expression, depth: int
    ) -> list[tuple[Expression, list[Upsert]]]:
        """The calls and strings in a function whose upserts depend on parameters, and what they are without these."""
        module, body = function.module, function.node
        key = (module.path, body.id)
        if key not in self._parametric:
            self._parametric[key] = []  # a function that calls itself
            self._parametric[key] = [
                (site, upserts)
                for node in _candidates(module, self._strings.roots(module))
                if body.start_byte <= node.start_byte and node.end_byte <= body.end_byte
                for site in [Expression(module, node)]
                for upserts in [list(self._read(site, depth))]
                if any(map(_is_parametric, upserts))
            ]
        return self._parametric[key]


def _candidates(module: Module, strings: list[Node]) -> Iterator[Node]:
    ids = {node.id for node in strings}
    yield from (node for node in module.calls if node.id not in ids)
    yield from strings
    yield from (
        node
        for node in module.nodes
        if node.type in ("string", "template_string")
        and node.id not in ids
        and b"on_conflict=" in (node.text or b"")
    )


def _is_same(upsert: Upsert, other: Upsert) -> bool:
    return (upsert.table, upsert.target) == (other.table, other.target)


def _is_parametric(upsert: Upsert) -> bool:
    target = upsert.target
    predicate = target.predicate if isinstance(target, Elements) else None
    parts = (upsert.table, target, predicate)
    return any(isinstance(part, Unread) and part.cause is Cause.PARAMETER for part in parts)
