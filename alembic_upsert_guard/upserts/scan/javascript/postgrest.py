"""PostgREST by its address: ``fetch('/rest/v1/t?on_conflict=a,b', { method: 'POST' })``, axios, ky, got and others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ....inference import Element
from ...target import Elements, NamedTable, PrimaryKey, Unread
from ...upsert import Form
from ..supabase import target_of
from .functions import returned_at
from .meaning import Expression
from .nodes import (
    arguments_of,
    callee_name,
    chain_of,
    method_call,
    text_of,
    unwrapped,
)
from .postgrest_addresses import ON_CONFLICT, Addresses
from .postgrest_clues import NAME, clues_in
from .postgrest_profiles import Profiles
from .postgrest_requests import Requests
from .site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

    from ...target import Target
    from .meaning import Properties
    from .module import Module
    from .nodes import MethodCall
    from .postgrest_addresses import Address
    from .postgrest_clues import Clue
    from .values import Values

__all__ = ["PostgRest"]

_OTHERS = frozenset({"delete", "get", "head", "options", "patch"})
"""Methods of HTTP that insert nothing, and the functions of clients that send them."""
_METHODS = _OTHERS | {"post", "put"}
_GETTING = frozenset({"$fetch", "axios", "fetch", "got", "ky", "useFetch"})
"""Functions that send GET where no method is stated."""
_METHOD = ("type", "method")
"""What clients call the method, jQuery's first."""
_SENDING = frozenset(name.lower() for name in _GETTING) | {"ajax", "post", "put", "request"}
_ADDRESSES = ("url", "uri", "path", "pathname")
_PARAMETERS = ("params", "qs", "query", "searchParams")
_POLICIES = frozenset(
    {
        *("abort", "error", "fail", "ignore", "merge", "ours", "overwrite", "replace"),
        *("rollback", "skip", "theirs", "throw", "update"),
    }
)
"""What others call ``on_conflict``: no column is called so, where no request is known either."""


class PostgRest:
    """Reads upserts that are sent to PostgREST."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values
        self._addresses = Addresses(values)
        self._profiles = Profiles(values)

    def requests(self, module: Module) -> Iterator[tuple[Node, list[Clue]]]:
        """Return what may send an upsert, each once, with all that says so; a clue by itself where none is found."""
        by_request: defaultdict[int, list[Clue]] = defaultdict(list)
        nodes: dict[int, Node] = {}
        requests = Requests(module)
        for clue in clues_in(module):
            for node in requests.of(clue) or [clue.node]:
                by_request[node.id].append(clue)
                nodes[node.id] = node
        yield from ((nodes[number], clues) for number, clues in by_request.items())

    def read(self, request: Expression, clues: Sequence[Clue]) -> Site | None:
        """Return the upsert that a request is; None: it sends none."""
        if request.node == clues[0].node:
            return self._of_clue(request, clues[0])
        arguments = [request.at(argument) for argument in arguments_of(request.node)]
        if self._is_other_method(request, arguments):
            return None
        address = self._address(request, arguments)
        stated = [request.at(c.columns) for c in clues if c.columns is not None]
        target = self._columns(stated) if stated else address.target()
        if "put" in self._methods(request, arguments):
            target = PrimaryKey()  # whatever the parameters say
        elif target is None:
            target = self._without_columns(address, arguments)
        if not (address.is_rests or self._is_sent(request, arguments)):
            if stated and _is_policy(target):
                return None
            name = Unread(f"whether {request.source} is a request cannot be read")
            return Site(form=Form.POSTGREST, table=name, target=target)
        table = address.table()
        if isinstance(table, NamedTable):
            schema = self._profiles.schema(request, map(self._options, arguments))
            table = replace(table, schema=schema)
        return Site(form=Form.POSTGREST, table=table, target=target)

    # -- what is no part of a request that is known

    def _of_clue(self, of: Expression, clue: Clue) -> Site | None:
        """An address, or a parameter or header of who knows which."""
        method = method_call(clue.node)
        if method is not None and clue.columns is not None:
            return self._of_setter(of, method, clue.columns)
        if clue.columns is None and ON_CONFLICT in text_of(clue.node):
            address = self._addresses.read(of)
            target = address.target()
            is_one = target is not None and not any(sign in address.path for sign in " \n\t")
            return _site(address, target) if is_one and target is not None else None
        unread = Unread(f"which request {of.source} belongs to cannot be read")
        target = unread if clue.columns is None else self._columns([of.at(clue.columns)])
        if _is_policy(target):
            return None
        return Site(form=Form.POSTGREST, table=unread, target=target)

    def _of_setter(self, of: Expression, setter: MethodCall, columns: Node) -> Site | None:
        """``url.searchParams.set('on_conflict', 'a,b')``; None: it is set on something else."""
        owner = unwrapped(setter.owner)
        if _property(owner) == "searchParams":
            owner = owner.named_children[0]
        elif self._is_made(of.at(owner), "FormData", "Map"):
            return None
        return _site(self._addresses.read(of.at(owner)), self._columns([of.at(columns)]))

    def _is_made(self, owner: Expression, *names: str) -> bool:
        """Whether it is ``new Map()``."""
        meaning = self._values.meaning(owner)
        node = meaning.node if isinstance(meaning, Expression) else owner.node
        constructor = node.child_by_field_name("constructor")
        return constructor is not None and text_of(constructor) in names

    # -- a request

    def _is_other_method(self, request: Expression, arguments: list[Expression]) -> bool:
        """Whether a request is no POST, as far as the source says."""
        if any(link.name in _OTHERS for link in chain_of(request.node)):
            return True
        methods = self._methods(request, arguments)
        options = [self._options(argument) for argument in arguments]
        if "post" in methods or any(name in each.named for each in options for name in _METHOD):
            return any(method in _OTHERS for method in methods)
        is_known = all(o.unread is None for o in options[1:])
        return callee_name(request.node) in _GETTING and is_known

    def _methods(self, request: Expression, arguments: list[Expression]) -> list[str]:
        """What a request says of its method, in small letters: by an option, an argument, or what is called."""
        options = [self._options(argument) for argument in arguments]
        stated = [o.named[name] for o in options for name in _METHOD if name in o.named]
        said = [self._values.text(each) for each in (*stated[-1:], *arguments[:1])]
        called = [link.name for link in chain_of(request.node) if link.name in ("post", "put")]
        return [*called, *(each.lower() for each in said if isinstance(each, str))]

    def _options(self, argument: Expression) -> Properties:
        """What an argument states, if need be by a function of the files: ``fetch(url, init('GET'))``."""
        meaning = self._values.meaning(argument)
        returned = returned_at(self._values, meaning) if isinstance(meaning, Expression) else None
        return self._values.properties(returned or argument)

    def _is_sent(self, request: Expression, arguments: list[Expression]) -> bool:
        """Whether a client of HTTP is called, or a function that is told POST."""
        names = [link.name for link in chain_of(request.node)] or [callee_name(request.node) or ""]
        stated = [each for o in map(self._options, arguments) if (each := o.named.get("method"))]
        told = [str(self._values.text(each)) for each in (*arguments[:1], *stated)]
        return any(name.lower() in _SENDING for name in (*names, *told))

    def _address(self, request: Expression, arguments: list[Expression]) -> Address:
        """The address that a request is sent to: one of its properties, or what is given first."""
        for argument in arguments:
            named = self._values.properties(argument).named
            found = next((named[name] for name in _ADDRESSES if name in named), None)
            if found is not None:
                return self._addresses.read(found)
        stated = [a for a in arguments if str(self._values.text(a)).lower() not in _METHODS]
        return self._addresses.read(stated[0] if stated else request)

    def _columns(self, stated: list[Expression]) -> Target | Unread:
        """What ``on_conflict`` is set to, which has to be one thing."""
        texts = [self._text_of(each) for each in stated]
        first = texts[0]
        if any(text != first for text in texts):
            return Unread("on_conflict is set several times")
        return first if isinstance(first, Unread) else target_of(first)

    def _text_of(self, columns: Expression) -> str | Unread:
        """What ``on_conflict`` is set to, unless the object around spreads another one behind it."""
        text = self._values.text(columns)
        around = columns.module.parent(columns.node)
        part = columns.node if around is None or around.type != "pair" else around
        for later in _spread_behind(part):
            options = self._values.properties(columns.at(later.named_children[0]))
            if options.unread is not None:
                text = Unread(f"{columns.at(later).source} may name {NAME}")
            if NAME in options.named:
                text = self._values.text(options.named[NAME])
        return text

    def _without_columns(
        self, address: Address, arguments: list[Expression]
    ) -> PrimaryKey | Unread:
        """The primary key, unless parameters come from elsewhere."""
        for argument in arguments:
            options = self._options(argument)
            is_open = unwrapped(argument.node).type == "object" and options.unread is not None
            if is_open or any(name in options.named for name in _PARAMETERS):
                return Unread("its parameters may name on_conflict")
        if address.may_state_more:
            return Unread("its address may name on_conflict")
        return PrimaryKey()


def _site(address: Address, target: Target | Unread) -> Site:
    return Site(form=Form.POSTGREST, table=address.table(), target=target)


def _is_policy(target: Target | Unread) -> bool:
    """Whether what is stated is no list of columns, but what to do on conflicts, or a label."""
    match target:
        case Elements((Element(column=str() as only),)):
            return only.lower() in _POLICIES or " " in only
    return False


def _spread_behind(part: Node) -> list[Node]:
    """What an object spreads after one of its parts."""
    found: list[Node] = []
    later = part.next_named_sibling
    while later is not None:
        found += [later] if later.type == "spread_element" else []
        later = later.next_named_sibling
    return found


def _property(node: Node) -> str:
    name = node.child_by_field_name("property")
    return "" if name is None else text_of(name)
