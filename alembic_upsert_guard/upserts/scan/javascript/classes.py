"""The members of classes and enums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .meaning import Expression
from .nodes import CLASSES, FUNCTIONS, key_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from .module import Module

__all__ = ["can_vary", "enum_member", "field_value", "method_of"]


def field_value(of: Expression, name: str, *, is_static: bool) -> Expression | None:
    """Return what a class sets its field to where it is declared; None: it has no such field, or no value there."""
    body = of.node.child_by_field_name("body")
    for field in [] if body is None else body.named_children:
        if field.type not in ("public_field_definition", "field_definition"):
            continue
        named = field.child_by_field_name("name") or field.child_by_field_name("property")
        value = field.child_by_field_name("value")
        static = any(child.type == "static" for child in field.children)
        if (
            named is not None
            and text_of(named) == name
            and static is is_static
            and value is not None
        ):
            return of.at(value)
    return None


def can_vary(of: Expression, name: str) -> bool:
    """Return whether a field can have another value than it is declared with: set again, or in a class that extends."""
    return _is_set_on_this(of.module, of.node, name) or _is_overridden(of, name)


def method_of(of: Expression, name: str) -> Expression | None:
    """Return a method of a class, or a field that is a function; None: it has none of that name."""
    body = of.node.child_by_field_name("body")
    for member in [] if body is None else body.named_children:
        named = member.child_by_field_name("name") or member.child_by_field_name("property")
        if named is None or text_of(named) != name:
            continue
        value = (
            member if member.type == "method_definition" else member.child_by_field_name("value")
        )
        if value is not None and value.type in FUNCTIONS:
            return Expression(of.module, value)
    return None


def enum_member(enum: Expression, name: str) -> Expression | None:
    """Return what a member of an enum is set to; None: nothing, or there is none."""
    body = enum.node.child_by_field_name("body")
    for member in [] if body is None else body.named_children:
        named = member.child_by_field_name("name")
        value = member.child_by_field_name("value")
        if named is not None and value is not None and key_of(named) == name:
            return enum.at(value)
    return None


def _is_set_on_this(module: Module, of: Node, name: str) -> bool:
    """Whether a class sets its field: ``this.name = x``."""
    return any(
        node.type in ("assignment_expression", "augmented_assignment_expression")
        and text_of(node).startswith(f"this.{name}")
        and module.class_around(node) == of
        for node in module.nodes
    )


def _is_overridden(of: Expression, name: str) -> bool:
    """Whether a class of the same file that extends this one has the field, too."""
    named = of.node.child_by_field_name("name")
    if named is None:
        return False
    return any(
        node.type in CLASSES
        and any(
            child.type == "class_heritage" and text_of(named) in text_of(child)
            for child in node.named_children
        )
        and name in text_of(node)
        for node in of.module.nodes
    )
