"""Every upsert of a file: where it is, or, where parameters say table or target, at the calls of the function."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...target import Cause, Elements, Unread
from ..bounds import check_time
from .functions import called_function, name_of_function, within
from .meaning import Expression
from .nodes import callee_name, hook_call, line_of, method_call
from .sql_pieces import is_within
from .suffixes import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from tree_sitter import Node

    from ...upsert import Upsert
    from ..source_tree import SourceTree
    from .hasura import Hasura
    from .meaning import Frame
    from .module import Module
    from .modules import Modules
    from .postgrest import PostgRest
    from .postgrest_clues import Clue
    from .site import LibraryReader
    from .sql_strings import SqlStrings
    from .values import Values

    Reading: TypeAlias = Callable[[Frame | None], list[Upsert]]

__all__ = ["Helpers"]

_DEPTH = 4
"""How many functions may call each other down to the upsert."""
_MOST_FILES = 100
"""In how many files calls of one function are looked for."""


class Helpers:
    """Reads files."""

    def __init__(
        self,
        modules: Modules,
        values: Values,
        tree: SourceTree,
        libraries: Iterable[LibraryReader],
        strings: SqlStrings,
        requests: PostgRest,
        documents: Hasura,
    ) -> None:
        """Nothing is read yet.

        :param tree: where calls of functions are looked for.
        :param libraries: the first that takes a call for its own reads it.
        """
        self._modules = modules
        self._values = values
        self._tree = tree
        self._strings = strings
        self._requests = requests
        self._documents = documents
        self._by_method: defaultdict[str, list[LibraryReader]] = defaultdict(list)
        for library in libraries:
            for method in library.methods:
                self._by_method[method].append(library)

    def read(self, module: Module) -> Iterator[Upsert]:
        """Return every upsert of a file; one that depends on parameters is where its function is called."""
        sites = list(self._sites(module))
        told = {_told(upsert) for _, upserts, _ in sites for upsert in upserts}
        for site, upserts, reading in sites:
            if any(map(_is_parametric, upserts)):
                through = list(self._at_calls(site, upserts, reading, _DEPTH))
                # an address that is given to a function which asks for an upsert says so itself
                yield from [u for u in through if _told(u) not in told] if through else upserts
            else:
                yield from upserts

    def _sites(self, module: Module) -> Iterator[tuple[Expression, list[Upsert], Reading]]:
        """The calls and strings of a file that upsert, each with what reads it within a call of its function."""
        read: set[int] = set()
        for node in module.calls:
            for site in self._site(module, node, self._of_call):
                read.add(node.id)
                yield site
        by_root: defaultdict[int, list[Upsert]] = defaultdict(list)
        roots: dict[int, Expression] = {}
        for root, upsert in self._strings.read_all(module):
            by_root[root.node.id].append(upsert)
            roots[root.node.id] = root
        for number, root in roots.items():
            yield root, by_root[number], _reading(module, root.node, self._strings.read)
        for node, said in self._documents.sites(module):
            upsert = said.upsert(module.place(line_of(node), node))
            yield from self._site(module, node, partial(_kept, upsert))
        for node, clues in self._requests.requests(module):
            if node.id in read:  # of supabase-js on_conflict is no option
                continue
            yield from self._site(module, node, partial(self._of_request, clues))

    @staticmethod
    def _site(
        module: Module, node: Node, read: Callable[[Expression], list[Upsert]]
    ) -> Iterator[tuple[Expression, list[Upsert], Reading]]:
        reading = _reading(module, node, read)
        upserts = reading(None)
        if upserts:
            yield Expression(module, node), upserts, reading

    def _of_call(self, call: Expression) -> list[Upsert]:
        method = method_call(call.node) or hook_call(call.node)
        if method is None:
            return []
        for library in self._by_method.get(method.name, ()):
            site = library.read(call, method)
            if site is not None:
                line = line_of(method.name_node)
                return [site.upsert(call.module.place(line, call.node))]
        return []

    def _of_request(self, clues: list[Clue], request: Expression) -> list[Upsert]:
        site = self._requests.read(request, clues)
        if site is None:
            return []
        said = next((clue.node for clue in clues if is_within(request.node, clue.node)), None)
        line = line_of(request.node if said is None else said)
        return [site.upsert(request.module.place(line, request.node))]

    # -- functions

    def _at_calls(
        self, site: Expression, upserts: list[Upsert], reading: Reading, depth: int
    ) -> Iterator[Upsert]:
        """What a site is at each call of the function around it; nothing: no call says more."""
        for function in site.module.functions_around(site.node) if depth else ():
            said, unsaid = False, []
            for call in self._calls_of(site.module, function):
                inside = _within(call, function, site.module, reading)
                found = inside(None)
                if all(_is_same(*pair) for pair in zip(found, upserts, strict=False)):
                    unsaid.append((call, found, inside))  # as another function's parameter
                    continue
                said = True
                yield from self._further(call, found, inside, depth)
            if said:
                for call, found, inside in unsaid:
                    yield from self._further(call, found, inside, depth)
                return

    def _further(
        self, call: Expression, found: list[Upsert], inside: Reading, depth: int
    ) -> Iterator[Upsert]:
        """What a site is at one call, or at the calls of the function that this one is in."""
        is_open = any(map(_is_parametric, found))
        through = self._at_calls(call, found, inside, depth - 1) if is_open else ()
        yield from list(through) or (self._placed(call, upsert) for upsert in found)

    @staticmethod
    def _placed(call: Expression, upsert: Upsert) -> Upsert:
        method = method_call(call.node)
        line = line_of(call.node if method is None else method.name_node)
        place = call.module.place(line, call.node)
        return replace(upsert, place=replace(place, helper=upsert.place.written))

    def _calls_of(self, module: Module, function: Node) -> Iterator[Expression]:
        """The calls of a function in the files of the scan."""
        name = name_of_function(module, function)
        if name is None:
            return
        mentioning = self._tree.files_mentioning(f"{name}(".encode(), SUFFIXES)
        others = (self._modules.at_shown(path) for path in mentioning[:_MOST_FILES])
        files = [module, *(other for other in others if other is not None and other is not module)]
        for file in files:
            for node in file.calls:
                check_time()
                if callee_name(node) != name:
                    continue
                call = Expression(file, node)
                called = called_function(self._values, call)
                if called is not None and called.node == function and called.module is module:
                    yield call


def _reading(module: Module, node: Node, read: Callable[[Expression], list[Upsert]]) -> Reading:
    return lambda frame: read(Expression(module, node, frame))


def _within(call: Expression, function: Node, module: Module, reading: Reading) -> Reading:
    """What reads a site within a call of its function, itself within a call of the function around it."""
    return lambda outer: reading(within(call, function, module, outer))


def _kept(upsert: Upsert, _: Expression) -> list[Upsert]:
    return [upsert]


def _is_same(upsert: Upsert, other: Upsert) -> bool:
    return (upsert.table, upsert.target) == (other.table, other.target)


def _told(upsert: Upsert) -> tuple[object, ...]:
    return upsert.place.path, upsert.place.line, upsert.table, upsert.target


def _is_parametric(upsert: Upsert) -> bool:
    target = upsert.target
    predicate = target.predicate if isinstance(target, Elements) else None
    parts = (upsert.table, upsert.unread_schema, target, predicate)
    return any(isinstance(part, Unread) and part.cause is Cause.PARAMETER for part in parts)
