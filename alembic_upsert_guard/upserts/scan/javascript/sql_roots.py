"""The strings of a file that may be SQL, each with all that is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .nodes import method_call, tagged, text_of, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

    from .module import Module

__all__ = ["is_sum", "operands_of", "roots_of"]

STRINGS = frozenset({"string", "template_string"})
_LOOKING = frozenset(
    {
        *("endsWith", "includes", "indexOf", "lastIndexOf", "replace", "replaceAll", "split"),
        *("startsWith", "toContain", "toMatch"),
    }
)
"""Methods that look for their first argument."""


def _may_be_sql(node: Node) -> bool:
    lower = (node.text or b"").lower()
    words = (b"conflict", b"on duplicate", b"insert", b"merge", b"replace into")
    return any(word in lower for word in words)


def roots_of(module: Module) -> list[Node]:
    """Return the largest string expressions that have a word of an upsert in them, in their order."""
    found = {}
    known: dict[int, Node] = {}
    for node in module.nodes:
        if node.type not in STRINGS or not _may_be_sql(node):
            continue
        parent = module.parent(node)
        if parent is None or parent.type != "literal_type":
            root = _root(module, node, known)
            if not _is_looked_for(module, root):
                found[root.id] = root
    return list(found.values())


def _is_looked_for(module: Module, root: Node) -> bool:
    """Whether a string is only looked for in another one, which may run: ``sql.includes('ON CONFLICT')``."""
    arguments = module.parent(root)
    call = None if arguments is None else module.parent(arguments)
    method = None if call is None or call.type != "call_expression" else method_call(call)
    return method is not None and method.name in _LOOKING and method.arguments[:1] == [root]


def _root(module: Module, node: Node, known: dict[int, Node]) -> Node:
    """The largest string expression around a literal.

    :param known: those of the expressions that were passed before.
    """
    root = node
    passed: list[int] = []
    for around in module.around(node):
        if around.id in known:
            root = known[around.id]
            break
        parts = tagged(around)
        if parts is not None and parts[1] == root:
            root = around
        elif around.type in ("parenthesized_expression", "template_substitution") or (
            around.type in ("array", "member_expression") and _is_joined(module, around)
        ):
            continue
        elif around.type == "template_string" or is_sum(around) or _joins(around):
            root = around
        else:
            break
        passed.append(around.id)
    known.update(dict.fromkeys(passed, root))
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


def operands_of(node: Node) -> list[Node]:
    """Return what is added up in ``a + b + c``, in this order."""
    found: list[Node] = []
    while is_sum(node):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            break
        found.append(right)
        node = unwrapped(left)
    return [node, *reversed(found)]
