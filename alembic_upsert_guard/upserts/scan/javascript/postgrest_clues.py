"""What says that a request is an upsert of PostgREST's.

A parameter ``on_conflict``, or a header ``Prefer: resolution=merge-duplicates`` (``ignore-duplicates``), wherever it is
written: in the call, in an object that a name is given to, or set on headers or parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .nodes import callee_name, key_of, method_call, string_in, text_of, unwrapped
from .postgrest_addresses import ON_CONFLICT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from .module import Module

__all__ = ["ASKING", "NAME", "Clue", "clues_in", "is_preference", "set_on"]

NAME = "on_conflict"
"""The parameter."""
_SETS = frozenset({"append", "set"})
ASKING = frozenset(
    {
        *("debug", "endsWith", "equal", "error", "expect", "includes", "indexOf", "info", "log"),
        *("match", "startsWith", "toBe", "toBeCalledWith", "toContain", "toEqual"),
        *("toHaveBeenCalledWith", "toHaveBeenLastCalledWith", "toHaveBeenNthCalledWith"),
        *("toMatch", "toMatchObject", "toStrictEqual", "warn"),
    }
)
"""Functions that send nothing."""
_STRINGS = frozenset({"string", "template_string"})


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
            is_one = ON_CONFLICT.encode() in (node.text or b"") or is_preference(node)
            if is_one and not _is_asked_for(module, node):
                yield Clue(node)
        elif node.type in _SETTING:
            columns = _columns_of(node)
            is_one = columns is not None and unwrapped(columns).type != "object"  # Hasura's
            if is_one and not _is_asked_for(module, node):
                yield Clue(node, columns)


def _columns_of(node: Node) -> Node | None:
    """What ``on_conflict`` is set to; None: it is not."""
    match node.type:
        case "pair":
            key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
            return value if key is not None and key_of(key) == NAME else None
        case "shorthand_property_identifier":
            return node if text_of(node) == NAME else None
        case "assignment_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            return right if left is not None and _member(left) == NAME else None
    given = node.named_children if node.type == "array" else set_on(node)
    return given[1] if len(given) == _PAIR and string_in(given[0]) == NAME else None


_SETTING = frozenset(
    {
        *("array", "assignment_expression", "call_expression", "pair"),
        "shorthand_property_identifier",
    }
)
_PAIR = 2
"""A name and a value."""


def is_preference(string: Node) -> bool:
    """Return whether a string is a header ``Prefer`` that upserts, and no sentence about one."""
    source = string.text or b""
    if b"resolution=" not in source or b"-duplicates" not in source:
        return False
    said = text_of(string).strip("'\"`")
    stated = (part.strip() for part in said.removeprefix("Prefer:").split(","))
    return all("=" in part and " " not in part for part in stated) or "${" in said


def _is_asked_for(module: Module, part: Node) -> bool:
    """Whether it is ``expect(sent).toContain('resolution=merge-duplicates')``, or in an object that is expected."""
    for around in module.around(part):
        if around.type == "call_expression":
            return callee_name(around) in ASKING
        if around.type not in ("arguments", "array", "object", "pair"):
            return False
    return False


def set_on(call: Node) -> list[Node]:
    """Return what ``searchParams.set('on_conflict', columns)`` is given; empty: it is another call."""
    method = method_call(call)
    return method.arguments if method is not None and method.name in _SETS else []


def _member(node: Node) -> str | None:
    """``b`` of ``a.b`` and of ``a['b']``; None: it is something else."""
    name = node.child_by_field_name("property") or node.child_by_field_name("index")
    return None if name is None else key_of(name)
