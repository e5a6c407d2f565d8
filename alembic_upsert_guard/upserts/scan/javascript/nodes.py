"""The syntax tree of TypeScript and JavaScript: what a node calls, names or says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = [
    "CLASSES",
    "FUNCTIONS",
    "MethodCall",
    "arguments_of",
    "called_name",
    "callee_name",
    "chain_of",
    "hook_call",
    "key_of",
    "line_of",
    "method_call",
    "string_in",
    "tagged",
    "text_of",
    "unwrapped",
]

FUNCTIONS = frozenset(
    {
        *("arrow_function", "function_declaration", "function_expression", "method_definition"),
        *("generator_function", "generator_function_declaration"),
    }
)
CLASSES = frozenset({"abstract_class_declaration", "class", "class_declaration"})

_WRAPPERS = frozenset(
    {
        *("as_expression", "await_expression", "instantiation_expression", "non_null_expression"),
        *("parenthesized_expression", "satisfies_expression", "type_assertion"),
    }
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCall:
    """``owner.name(arguments)``."""

    node: Node
    owner: Node
    name: str
    name_node: Node
    arguments: list[Node]


def text_of(node: Node) -> str:
    """Return the source of a node."""
    return "" if node.text is None else node.text.decode(errors="replace")


def line_of(node: Node) -> int:
    """Return the line that a node begins in, counted from 1."""
    return node.start_point[0] + 1


def unwrapped(node: Node) -> Node:
    """Return an expression without parentheses, ``await``, ``as``, ``satisfies`` and ``!``."""
    while node.type in _WRAPPERS and node.named_children:
        node = node.named_children[-1 if node.type == "type_assertion" else 0]
    return node


def method_call(call: Node) -> MethodCall | None:
    """Return the call of a method, as ``a.b()`` or ``a['b']()``; None: it is none, or its method has no name."""
    if call.type != "call_expression":
        return None
    function = call.child_by_field_name("function")
    # the grammar takes `await x.upsert<T>(...)` for a call of what is awaited
    function = None if function is None else unwrapped(function)
    if function is None or function.type not in ("member_expression", "subscript_expression"):
        return None
    owner = function.child_by_field_name("object")
    name = function.child_by_field_name("property") or function.child_by_field_name("index")
    said = None if name is None else key_of(name)
    if owner is None or name is None or said is None or name.type == "identifier":
        return None
    return MethodCall(
        node=call, owner=owner, name=said, name_node=name, arguments=arguments_of(call)
    )


def hook_call(call: Node) -> MethodCall | None:
    """Return the call of a hook, ``useX(owner, ...)``, as one of a method; None: it is none."""
    name, arguments = called_name(call), arguments_of(call)
    function = call.child_by_field_name("function")
    if name is None or not name.startswith("use") or not arguments or function is None:
        return None
    return MethodCall(
        node=call, owner=arguments[0], name=name, name_node=function, arguments=arguments[1:]
    )


def chain_of(call: Node) -> list[MethodCall]:
    """Return the calls of methods in ``a.b().c()``, the last one first."""
    found: list[MethodCall] = []
    node = unwrapped(call)
    while (link := method_call(node)) is not None:
        found.append(link)
        node = unwrapped(link.owner)
    return found


def called_name(call: Node) -> str | None:
    """Return the name of the function in ``f(x)``; None: something else is called."""
    function = call.child_by_field_name("function") if call.type == "call_expression" else None
    function = None if function is None else unwrapped(function)
    return text_of(function) if function is not None and function.type == "identifier" else None


def callee_name(call: Node) -> str | None:
    """Return the last name of what is called: ``f`` of ``f(x)`` and of ``a.f(x)``; None: it has none."""
    method = method_call(call)
    return called_name(call) if method is None else method.name


def tagged(node: Node) -> tuple[Node, Node] | None:
    """Return the tag and the template of ``sql`...```; None: it is no tagged template.

    The grammar takes ``sql<T>`...``` for two comparisons.
    """
    tag: Node | None = None
    template: Node | None = None
    if node.type == "call_expression":
        tag, template = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    elif node.type == "binary_expression":
        left, template = node.child_by_field_name("left"), node.child_by_field_name("right")
        is_generic = left is not None and left.type == "binary_expression"
        tag = left.child_by_field_name("left") if left is not None and is_generic else None
    if tag is None or template is None or template.type != "template_string":
        return None
    tag = unwrapped(tag)
    return (tag, template) if tag.type in ("identifier", "member_expression") else None


def arguments_of(call: Node) -> list[Node]:
    """Return what a call is given; empty: nothing, or a tagged template."""
    found = call.child_by_field_name("arguments")
    if found is None or found.type != "arguments":
        return []
    return [node for node in found.named_children if node.type != "comment"]


def key_of(node: Node) -> str | None:
    """Return the name of a property as an object states it; None: it is computed."""
    if node.type == "string":
        return string_in(node)
    return None if node.type == "computed_property_name" else text_of(node)


def string_in(node: Node) -> str | None:
    """Return what a literal says, escapes resolved; None: it is no string, or a template with holes."""
    if node.type not in ("string", "template_string"):
        return None
    parts: list[str] = []
    for part in node.named_children:
        if part.type == "string_fragment":
            parts.append(text_of(part))
        elif part.type == "escape_sequence":
            parts.append(unescaped(text_of(part)))
        elif part.type != "html_character_reference":
            return None
    return "".join(parts)


def unescaped(sequence: str) -> str:
    r"""Return the character of ``\n``, ``\x41``, ``\u0041`` or ``\u{41}``."""
    body = sequence[1:].replace("\r\n", "\n")
    if body[:1] in ("x", "u") and len(body) > 1:
        digits = body[1:].strip("{}")
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError):
            return body
    return _ESCAPES.get(body, body)
