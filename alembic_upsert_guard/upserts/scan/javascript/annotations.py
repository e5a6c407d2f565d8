"""Which entity a repository is of, as the types of TypeScript say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .classes import method_of
from .meaning import Expression
from .nodes import CLASSES, text_of, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

    from .values import Values

__all__ = ["annotated_entity"]

_REPOSITORIES = frozenset({"MongoRepository", "Repository", "TreeRepository"})


def annotated_entity(values: Values, owner: Expression) -> Expression | None:
    """Return E where the owner is annotated as ``Repository<E>``: a parameter, or a field or parameter of the class.

    So is one whose class extends it, and ``this`` in such a class.
    """
    node = unwrapped(owner.node)
    if node.type in ("super", "this"):
        own = owner.module.class_around(node)
        is_its = own is not None and (node.type == "super" or not _has_its_own(owner.at(own)))
        return _extended_entity(owner.at(own)) if own is not None and is_its else None
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
    types = [_stated_in(values, owner.at(annotation)) for annotation in candidates]
    found = [each for each in types if each is not None]
    return found[0] if len(found) == 1 else None


def _extended_entity(repository: Expression) -> Expression | None:
    """Return E of ``class X extends Repository<E>``; None: the class extends something else."""
    heritage = (c for c in repository.node.named_children if c.type == "class_heritage")
    clauses = [clause for each in heritage for clause in each.named_children]
    for clause in clauses:
        extended = clause.child_by_field_name("value")
        arguments = clause.child_by_field_name("type_arguments")
        if extended is None or arguments is None or text_of(extended) not in _REPOSITORIES:
            continue
        if len(arguments.named_children) == 1:
            return repository.at(arguments.named_children[0])
    return None


def _stated_in(values: Values, annotation: Expression) -> Expression | None:
    """E of ``: Repository<E>``, or of a class of the project's that extends it."""
    entity = _entity_of(annotation.node)
    if entity is not None:
        return annotation.at(entity)
    named = annotation.node.named_children
    meaning = values.meaning(annotation.at(named[0])) if len(named) == 1 else None
    is_class = isinstance(meaning, Expression) and meaning.node.type in CLASSES
    if not isinstance(meaning, Expression) or not is_class or _has_its_own(meaning):
        return None
    return _extended_entity(meaning)


def _has_its_own(repository: Expression) -> bool:
    """Whether a class has an ``upsert()`` of its own, of which nothing is known."""
    return method_of(repository, "upsert") is not None


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
