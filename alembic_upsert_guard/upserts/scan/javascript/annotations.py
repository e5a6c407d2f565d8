"""Which entity a repository is of, as the types of TypeScript say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .nodes import CLASSES, text_of, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

    from .meaning import Expression

__all__ = ["annotated_entity"]

_REPOSITORIES = frozenset({"MongoRepository", "Repository", "TreeRepository"})


def annotated_entity(owner: Expression) -> Expression | None:
    """Return E where the owner is annotated as ``Repository<E>``: a parameter, or a field or parameter of the class."""
    node = unwrapped(owner.node)
    if node.type == "member_expression":
        inner, name = node.child_by_field_name("object"), node.child_by_field_name("property")
        around = owner.module.class_around(node)
        if inner is None or name is None or inner.type != "this" or around is None:
            return None
        candidates = _annotated(owner, around, text_of(name))
    elif node.type == "identifier":
        functions = owner.module.functions_around(node)
        candidates = [a for f in functions for a in _annotated(owner, f, text_of(node))][:1]
    else:
        return None
    types = [_entity_of(annotation) for annotation in candidates]
    found = [each for each in types if each is not None]
    return owner.at(found[0]) if len(found) == 1 else None


def _annotated(of: Expression, around: Node, name: str) -> list[Node]:
    """The types of what a class or a function calls by a name: its fields and parameters."""
    found = []
    for node in of.module.nodes:
        if node.type not in ("public_field_definition", "required_parameter", "optional_parameter"):
            continue
        named = node.child_by_field_name("name") or node.child_by_field_name("pattern")
        annotation = node.child_by_field_name("type")
        if named is None or annotation is None or text_of(named) != name:
            continue
        if around.type in CLASSES:
            if of.module.class_around(node) == around and (
                node.type == "public_field_definition"
                or any(child.type == "accessibility_modifier" for child in node.named_children)
                or any(child.type == "readonly" for child in node.children)
            ):
                found.append(annotation)
        elif of.module.functions_around(node)[:1] == [around]:
            found.append(annotation)
    return found


def _entity_of(annotation: Node) -> Node | None:
    """E of ``: Repository<E>``."""
    generic = annotation.named_children[0] if annotation.named_children else None
    if generic is None or generic.type != "generic_type":
        return None
    named, arguments = (
        generic.child_by_field_name("name"),
        generic.child_by_field_name("type_arguments"),
    )
    if named is None or arguments is None or text_of(named) not in _REPOSITORIES:
        return None
    inner = arguments.named_children
    return inner[0] if len(inner) == 1 and inner[0].type == "type_identifier" else None
