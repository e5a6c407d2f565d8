"""What says that a request is an upsert of PostgREST's, and which request that is.

A parameter ``on_conflict``, or a header ``Prefer: resolution=merge-duplicates`` (``ignore-duplicates``), wherever it is
written: in the call, in an object that a name is given to, or set on headers or parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .functions import name_of_function
from .nodes import (
    FUNCTIONS,
    arguments_of,
    callee_name,
    key_of,
    method_call,
    string_in,
    text_of,
    unwrapped,
)
from .postgrest_addresses import ON_CONFLICT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from .module import Module

__all__ = ["SETTERS", "Clue", "clues_in", "requests_of"]

_NAME = "on_conflict"
_SETS = frozenset({"append", "set"})
SETTERS = _SETS | {*("addHeader", "header", "headers", "query", "setHeader", "setRequestHeader")}
"""Methods that give what they are called on a header or a parameter."""
_PASSING = frozenset(
    {
        *("assign", "concat", "encodeURI", "encodeURIComponent", "entries", "freeze"),
        *("fromEntries", "merge", "stringify", "String", "toString"),
    }
)
"""Functions that return what they are given, in another form."""
_ASKING = frozenset(
    {
        *("debug", "endsWith", "equal", "error", "expect", "includes", "indexOf", "info", "log"),
        *("match", "startsWith", "toBe", "toContain", "toEqual", "toMatch", "toStrictEqual"),
        "warn",
    }
)
"""Functions that send nothing."""
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
_STRINGS = frozenset({"string", "template_string"})
_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Clue:
    """One place that says it."""

    node: Node
    columns: Node | None = None
    """What ``on_conflict`` is set to; None: an address states it, or a header asks for the primary key."""


def clues_in(module: Module) -> Iterator[Clue]:
    """Return all such places of a file, in their order."""
    for node in module.nodes:
        if node.type in _STRINGS:
            is_one = ON_CONFLICT.encode() in (node.text or b"") or _is_preference(node)
            if is_one and not _is_asked_for(module, node):
                yield Clue(node)
        elif node.type in _SETTING:
            columns = _columns_of(node)
            if columns is not None and unwrapped(columns).type != "object":  # Hasura's
                yield Clue(node, columns)


def _columns_of(node: Node) -> Node | None:
    """What ``on_conflict`` is set to; None: it is not."""
    match node.type:
        case "pair":
            key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
            return value if key is not None and key_of(key) == _NAME else None
        case "shorthand_property_identifier":
            return node if text_of(node) == _NAME else None
        case "assignment_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            return right if left is not None and _member(left) == _NAME else None
    given = node.named_children if node.type == "array" else _set_on(node)
    return given[1] if len(given) == _PAIR and string_in(given[0]) == _NAME else None


_SETTING = frozenset(
    {
        *("array", "assignment_expression", "call_expression", "pair"),
        "shorthand_property_identifier",
    }
)
_PAIR = 2
"""A name and a value."""


def _is_preference(string: Node) -> bool:
    """Whether a string is a header ``Prefer`` that upserts, and no sentence about one."""
    source = string.text or b""
    if b"resolution=" not in source or b"-duplicates" not in source:
        return False
    said = text_of(string).strip("'\"`")
    stated = (part.strip() for part in said.removeprefix("Prefer:").split(","))
    return all("=" in part and " " not in part for part in stated) or "${" in said


def _is_asked_for(module: Module, string: Node) -> bool:
    """Whether it is ``expect(sent).toContain('resolution=merge-duplicates')``."""
    arguments = module.parent(string)
    call = None if arguments is None else module.parent(arguments)
    return call is not None and callee_name(call) in _ASKING


def _set_on(call: Node) -> list[Node]:
    """What ``searchParams.set('on_conflict', columns)`` is given; empty: it is another call."""
    method = method_call(call)
    return method.arguments if method is not None and method.name in _SETS else []


def _member(node: Node) -> str | None:
    """``b`` of ``a.b`` and of ``a['b']``; None: it is something else."""
    name = node.child_by_field_name("property") or node.child_by_field_name("index")
    return None if name is None else key_of(name)


def requests_of(module: Module, clue: Clue) -> list[Node]:
    """Return the calls that send what a clue is in; empty: which they are is not known."""
    return list(dict.fromkeys(_Search(module, clue).around(clue.node, _DEPTH)))


class _Search:
    """Looks for calls from a value outwards, over the names that it is given."""

    def __init__(self, module: Module, clue: Clue) -> None:
        self._module = module
        self._preference = clue.node if _is_preference(clue.node) else None
        self._named: set[int] = set()

    def around(self, value: Node, depth: int) -> Iterator[Node]:
        """The calls that a value is given to."""
        if depth and value.type == "assignment_expression":
            yield from self._uses_of(value.child_by_field_name("left"), depth - 1)
            return
        if depth and _set_on(value):
            yield from self._of_call(value, value, depth)
            return
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
        if name in _ASKING:
            return
        if name in _PASSING:
            if name == "assign" and method is not None and method.arguments:
                yield from self._uses_of(method.arguments[0], depth - 1)
            yield from self.around(call, depth - 1)
        elif name in SETTERS and method is not None:
            owner = unwrapped(method.owner)
            if method_call(owner) is not None:
                yield call  # request.post(url).set('Prefer', ...)
                return
            yield from self._uses_of(owner, depth - 1)
        elif arguments_of(call)[:1] == [self._preference]:
            yield from self.around(call, depth - 1)  # what makes headers of it
        elif inner.type == "arguments":
            yield call

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
            for call in self._module.calls if name is not None else ():
                if callee_name(call) == name:
                    yield from self.around(call, depth - 1)

    def _uses_of(self, named: Node | None, depth: int) -> Iterator[Node]:
        """The requests that a name's value is a part of, elsewhere in the file."""
        root = _root(named)
        if root is None or root.id in self._named:
            return
        binding = self._binding(root)
        for node in self._module.nodes:
            is_name = node.type == root.type or {node.type, root.type} <= _NAMES
            if not is_name or text_of(node) != text_of(root) or node.id in self._named:
                continue
            if self._binding(node) == binding:
                self._named.add(node.id)
                yield from self.around(node, depth)

    def _binding(self, name: Node) -> object:
        """What a name is one of; of a field the class is."""
        if name.type not in _NAMES:
            owner = self._module.parent(name)
            of_this = owner is not None and text_of(owner).startswith("this")
            is_own = of_this or (owner is not None and owner.type in _FIELDS)
            return self._module.class_around(name) if is_own else name
        found = self._module.binding(name)
        return found and found.node


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
