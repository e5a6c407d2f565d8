"""The syntax tree of TypeScript and JavaScript: what a node calls, binds or changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bounds import check_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

__all__ = [
    "arguments_of",
    "binds",
    "is_set_through",
    "method_of",
    "nodes_in",
    "owner_of",
    "text_of",
    "unwrapped",
    "value_of_const",
]

_WRAPPERS = frozenset(
    {
        "as_expression",
        "await_expression",
        "non_null_expression",
        "parenthesized_expression",
        "satisfies_expression",
        "type_assertion",
    }
)


def is_set_through(member: Node) -> bool:
    """Whether ``options.x`` or ``options[x]`` is assigned to, deleted or passed on."""
    parent = member.parent
    if parent is None:
        return False
    if parent.type in ("assignment_expression", "augmented_assignment_expression"):
        return parent.child_by_field_name("left") == member
    return parent.type in ("update_expression", "unary_expression")


def binds(node: Node) -> bool:
    """Whether an identifier is where a name is bound, as far as its place says."""
    if node.type == "shorthand_property_identifier_pattern":
        return True
    parent = node.parent
    if parent is None:
        return False
    if parent.type in ("member_expression", "pair", "arguments", "call_expression"):
        return False
    if parent.type == "variable_declarator":
        return parent.child_by_field_name("name") == node
    return parent.type in _BINDING_PLACES or (
        parent.type in ("assignment_expression", "augmented_assignment_expression")
        and parent.child_by_field_name("left") == node
    )


_BINDING_PLACES = frozenset(
    {
        *("array_pattern", "assignment_pattern", "catch_clause", "class_declaration"),
        *("formal_parameters", "function_declaration", "import_clause", "import_specifier"),
        *("namespace_import", "object_pattern", "optional_parameter", "pair_pattern"),
        *("required_parameter", "rest_pattern", "for_in_statement", "arrow_function"),
    }
)


def value_of_const(node: Node) -> Node | None:
    declarator = node.parent
    if declarator is None or declarator.type != "variable_declarator":
        return None
    declaration = declarator.parent
    if declaration is None or declaration.type != "lexical_declaration":
        return None
    kind = declaration.child_by_field_name("kind")
    if kind is None or text_of(kind) != "const":
        return None
    return declarator.child_by_field_name("value")


def unwrapped(node: Node) -> Node:
    while node.type in _WRAPPERS and node.named_children:
        node = node.named_children[-1 if node.type == "type_assertion" else 0]
    return node


def _member(call: Node) -> Node | None:
    """The member expression that is called; None: something else is."""
    function = call.child_by_field_name("function") if call.type == "call_expression" else None
    if function is not None:
        # the grammar takes `await x.upsert<T>(...)` for a call of what is awaited
        function = unwrapped(function)
    return function if function is not None and function.type == "member_expression" else None


def method_of(call: Node) -> Node | None:
    """The name of the method that is called; None: no method is."""
    member = _member(call)
    return None if member is None else member.child_by_field_name("property")


def owner_of(call: Node) -> Node | None:
    """What the method is called on."""
    member = _member(call)
    return None if member is None else member.child_by_field_name("object")


def arguments_of(call: Node) -> list[Node]:
    found = call.child_by_field_name("arguments")
    return [] if found is None else [n for n in found.named_children if n.type != "comment"]


def nodes_in(root: Node) -> Iterator[Node]:
    """Every node, in the order of the source."""
    waiting = [root]
    while waiting:
        check_time()
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def text_of(node: Node) -> str:
    return "" if node.text is None else node.text.decode(errors="replace")
