"""Classes of other files that extend one, and have a member of theirs in the place of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .nodes import CLASSES, key_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from .meaning import Expression
    from .modules import Modules

__all__ = ["is_overridden_elsewhere"]


def is_overridden_elsewhere(modules: Modules, of: Expression, name: str) -> bool:
    """Return whether a class of another file that extends a class, as it seems by its name, has a member, too."""
    named = of.node.child_by_field_name("name")
    if named is None or _is_private(of.node, name):
        return False
    waiting, asked = [text_of(named)], set[str]()
    while waiting:
        ancestor = waiting.pop()
        if ancestor in asked:
            continue
        asked.add(ancestor)
        for heir in _heirs(modules, ancestor):
            if any(key_of(key) == name for key in _members(heir)):
                return True
            said = heir.child_by_field_name("name")
            waiting += [] if said is None else [text_of(said)]
    return False


def _heirs(modules: Modules, ancestor: str) -> Iterator[Node]:
    for module in modules.mentioning(f"extends {ancestor}"):
        for node in module.nodes:
            if node.type in CLASSES and ancestor in _extended(node):
                yield node


def _extended(of: Node) -> list[str]:
    """The names that a class says it extends, without what is in front of them."""
    heritage = [child for child in of.named_children if child.type == "class_heritage"]
    clauses = [part for each in heritage for part in (each.named_children or [each])]
    values = [clause.child_by_field_name("value") or clause for clause in clauses]
    return [text_of(value).removeprefix("extends").strip().rpartition(".")[2] for value in values]


def _members(of: Node) -> Iterator[Node]:
    body = of.child_by_field_name("body")
    for member in [] if body is None else body.named_children:
        key = member.child_by_field_name("name") or member.child_by_field_name("property")
        if key is not None:
            yield key


def _is_private(of: Node, name: str) -> bool:
    """Whether a class keeps a member to itself."""
    if name.startswith("#"):
        return True
    keys = [key for key in _members(of) if key_of(key) == name]
    return any(
        child.type == "accessibility_modifier" and text_of(child) == "private"
        for key in keys
        if key.parent is not None
        for child in key.parent.children
    )
