"""The strings of a file that may be SQL, each with all that is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .nodes import method_call, tagged, text_of, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

    from .module import Module

__all__ = ["STRINGS", "is_sum", "roots_of"]

STRINGS = frozenset({"string", "template_string"})


def _may_be_sql(node: Node) -> bool:
    lower = (node.text or b"").lower()
    return b"conflict" in lower or b"on duplicate" in lower or b"insert" in lower


def roots_of(module: Module) -> list[Node]:
    """Return the largest string expressions that have a word of an upsert in them, in their order."""
    found = {}
    for node in module.nodes:
        if node.type not in STRINGS or not _may_be_sql(node):
            continue
        parent = module.parent(node)
        if parent is None or parent.type != "literal_type":
            root = _root(module, node)
            found[root.id] = root
    return list(found.values())


def _root(module: Module, node: Node) -> Node:
    """The largest string expression around a literal."""
    root = node
    for around in module.around(node):
        parts = tagged(around)
        if parts is not None and parts[1] == root:
            root = around
        elif around.type in ("parenthesized_expression", "template_substitution") or (
            around.type == "array" and _is_joined(module, around)
        ):
            continue
        elif around.type == "template_string" or is_sum(around) or _joins(around):
            root = around
        elif around.type == "member_expression" and _is_joined(module, around):
            continue
        else:
            break
    return root


def _is_joined(module: Module, node: Node) -> bool:
    """Whether a list, or ``list.join``, is all that a call joins."""
    parent = module.parent(node)
    if parent is not None and parent.type == "member_expression":
        parent = module.parent(parent)
    return parent is not None and _joins(parent)


def _joins(node: Node) -> bool:
    call = method_call(node)
    if call is None:
        return False
    if call.name == "trim":
        return unwrapped(call.owner).type in (*STRINGS, "binary_expression", "call_expression")
    return call.name == "join" and unwrapped(call.owner).type == "array"


def is_sum(node: Node) -> bool:
    """Return whether it is ``a + b``."""
    operator = node.child_by_field_name("operator")
    return node.type == "binary_expression" and operator is not None and text_of(operator) == "+"
