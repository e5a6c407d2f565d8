"""Which calls send what a clue is in: names, functions and fields are followed outwards, within one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .functions import name_of_function
from .nodes import FUNCTIONS, arguments_of, callee_name, chain_of, method_call, text_of, unwrapped
from .postgrest_clues import ASKING, is_preference, set_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from .module import Module
    from .postgrest_clues import Clue

__all__ = ["SETTERS", "Requests"]

SETTERS = frozenset(
    {
        *("addHeader", "append", "header", "headers", "query", "set", "setHeader"),
        "setRequestHeader",
    }
)
"""Methods that give what they are called on a header or a parameter."""
_PASSING = frozenset(
    {
        *("assign", "concat", "encodeURI", "encodeURIComponent", "entries", "freeze"),
        *("fromEntries", "merge", "stringify", "String", "toString"),
    }
)
"""Functions that return what they are given, in another form."""
_PARTS = frozenset(
    {
        *("array", "arguments", "as_expression", "await_expression", "binary_expression", "object"),
        *("pair", "parenthesized_expression", "satisfies_expression", "spread_element"),
        *("template_string", "template_substitution", "ternary_expression", "non_null_expression"),
    }
)
"""What a value can be in that is a part of a value itself."""
_NAMES = frozenset({"identifier", "shorthand_property_identifier"})
_FIELDS = frozenset({"field_definition", "public_field_definition"})
_DEPTH = 8


class Requests:
    """The calls of one file, and what their names are bound to, each gone through once."""

    def __init__(self, module: Module) -> None:
        """Nothing is looked for yet."""
        self.module = module
        self._uses: dict[str, dict[object, list[Node]]] = {}

    def of(self, clue: Clue) -> list[Node]:
        """Return the calls that send what a clue is in; empty: which they are is not known."""
        return list(dict.fromkeys(_Search(self, clue).around(clue.node, _DEPTH)))

    def uses(self, name: Node) -> list[Node]:
        """Return the places where a name is written that is bound as this one is, itself among them."""
        said, kind = text_of(name), _kind(name)
        if said not in self._uses:
            found: dict[object, list[Node]] = {}
            for node in self.module.uses_of.get(said, ()):
                found.setdefault((_kind(node), self._binding(node)), []).append(node)
            self._uses[said] = found
        return self._uses[said].get((kind, self._binding(name)), [])

    def _binding(self, name: Node) -> object:
        """What a name is one of; of a field the class is."""
        if _kind(name) != "name":
            owner = self.module.parent(name)
            of_this = owner is not None and text_of(owner).startswith("this")
            is_own = of_this or (owner is not None and owner.type in _FIELDS)
            return self.module.class_around(name) if is_own else name
        found = self.module.binding(name)
        return found and found.node


class _Search:
    """Looks for calls from a value outwards, over the names that it is given."""

    def __init__(self, requests: Requests, clue: Clue) -> None:
        self._requests = requests
        self._module = requests.module
        self._preference = clue.node if is_preference(clue.node) else None
        self._named: set[int] = set()

    def around(self, value: Node, depth: int) -> Iterator[Node]:
        """The calls that a value is given to."""
        if depth and value.type == "assignment_expression":
            yield from self._uses_of(value.child_by_field_name("left"), depth - 1)
            return
        if depth and set_on(value):
            yield from self._of_owner(value, depth)
            return
        yield from self._outwards(value, depth)

    def _outwards(self, value: Node, depth: int) -> Iterator[Node]:
        inner = value
        for node in self._module.around(value) if depth else ():
            if node.type == "call_expression":
                if _is_called(node, inner):
                    inner = node
                    continue
                yield from self._of_call(node, inner, depth)
                return
            if node.type == "new_expression" and _constructor(node) == "Request":
                yield node
                return
            if node.type not in _PARTS and node.type not in ("member_expression", "new_expression"):
                yield from self._of_statement(node, inner, depth)
                return
            inner = node

    def _of_call(self, call: Node, inner: Node, depth: int) -> Iterator[Node]:
        """The requests of ``f(... value ...)``."""
        name = callee_name(call)
        method = method_call(call)
        if name in ASKING:
            return
        if name in _PASSING:
            if name == "assign" and method is not None and method.arguments:
                yield from self._uses_of(method.arguments[0], depth - 1)
            yield from self.around(call, depth - 1)
        elif name in SETTERS and method is not None:
            yield from self._of_owner(call, depth)
        elif arguments_of(call)[:1] == [self._preference]:
            yield from self.around(call, depth - 1)  # what makes headers of it
        elif inner.type == "arguments":
            yield call

    def _of_owner(self, call: Node, depth: int) -> Iterator[Node]:
        """The requests of what a header or a parameter is set on."""
        chain = chain_of(call)
        root = unwrapped(chain[-1].owner)
        if root.type == "call_expression":
            yield root  # wretch(url).query(...)
        elif chain[-1].name not in SETTERS:
            yield chain[-1].node  # request.post(url).set(...)
        elif root.type == "new_expression":
            yield from self._outwards(call, depth - 1)
        else:
            yield from self._uses_of(root, depth - 1)

    def _of_statement(self, node: Node, inner: Node, depth: int) -> Iterator[Node]:
        """The requests of what a statement gives a name to, or a function returns."""
        if node.type in ("variable_declarator", *_FIELDS):
            named = node.child_by_field_name("name") or node.child_by_field_name("property")
            yield from self._uses_of(named, depth - 1)
        elif node.type == "assignment_expression":
            yield from self._uses_of(node.child_by_field_name("left"), depth - 1)
        elif node.type in ("required_parameter", "optional_parameter", "assignment_pattern"):
            pattern = node.child_by_field_name("pattern") or node.child_by_field_name("left")
            yield from self._uses_of(pattern, depth - 1)
        elif node.type in FUNCTIONS or node.type == "return_statement":
            around = self._module.functions_around(inner)
            name = name_of_function(self._module, around[0]) if around else None
            for call in self._module.calls_of.get(name, ()) if name is not None else ():
                yield from self.around(call, depth - 1)

    def _uses_of(self, named: Node | None, depth: int) -> Iterator[Node]:
        """The requests that a name's value is a part of, elsewhere in the file."""
        root = _root(named)
        if root is None or root.id in self._named:
            return
        for node in self._requests.uses(root):
            if node.id not in self._named:
                self._named.add(node.id)
                yield from self.around(node, depth)


def _kind(name: Node) -> str:
    """What places are told apart by, besides what is written there."""
    return "name" if name.type in _NAMES else "property"


def _root(node: Node | None) -> Node | None:
    """``a`` of ``a.b.c``, and ``b`` of ``this.b.c``; None: it is no such thing."""
    while node is not None and node.type in ("member_expression", "subscript_expression"):
        owner = node.child_by_field_name("object")
        if owner is not None and owner.type == "this":
            return node.child_by_field_name("property")
        node = owner
    is_name = node is not None and (node.type in _NAMES or node.type == "property_identifier")
    return node if is_name else None


def _is_called(call: Node, inner: Node) -> bool:
    """Whether a value is what is called, as in ``params.toString()``, and not what is given."""
    return call.child_by_field_name("function") == inner


def _constructor(node: Node) -> str:
    constructor = node.child_by_field_name("constructor")
    return "" if constructor is None else text_of(constructor)
