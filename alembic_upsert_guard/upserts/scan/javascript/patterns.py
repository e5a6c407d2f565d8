"""The names that patterns and imports bind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .nodes import key_of, string_in, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

__all__ = ["PATTERNS", "bound_by", "imported_names"]

PATTERNS = frozenset({"array_pattern", "object_pattern"})


def bound_by(  # noqa: C901 - a table, a kind of pattern a case
    pattern: Node, path: tuple[str, ...] | None = (), default: Node | None = None
) -> Iterator[tuple[Node, tuple[str, ...] | None, Node | None]]:
    """Return the names that a pattern binds, each with its path of properties and its default; None: it has no path."""
    match pattern.type:
        case "identifier":
            yield pattern, path, default
        case "shorthand_property_identifier_pattern":
            yield pattern, None if path is None else (*path, text_of(pattern)), default
        case "assignment_pattern" | "object_assignment_pattern":
            left, right = pattern.child_by_field_name("left"), pattern.child_by_field_name("right")
            if left is not None:
                # a default in the middle of a path is not followed
                nested = left.type in PATTERNS
                yield from bound_by(left, None if nested else path, right)
        case "pair_pattern":
            key, value = pattern.child_by_field_name("key"), pattern.child_by_field_name("value")
            name = None if key is None else key_of(key)
            if value is not None:
                yield from bound_by(value, None if path is None or name is None else (*path, name))
        case "object_pattern":
            for child in pattern.named_children:
                yield from bound_by(child, path)
        case "array_pattern" | "rest_pattern":
            for child in pattern.named_children:
                yield from bound_by(child, None)


def imported_names(statement: Node) -> Iterator[tuple[Node, str]]:
    """Return the names that an import binds, each with the name that is imported; ``*``: the module itself."""
    for clause in statement.named_children:
        if clause.type == "import_require_clause" and clause.named_children:
            yield clause.named_children[0], "*"
        if clause.type != "import_clause":
            continue
        for part in clause.named_children:
            if part.type == "identifier":
                yield part, "default"
            elif part.type == "namespace_import":
                yield part.named_children[0], "*"
            elif part.type == "named_imports":
                for specifier in part.named_children:
                    name = specifier.child_by_field_name("name")
                    if specifier.type == "import_specifier" and name is not None:
                        bound = specifier.child_by_field_name("alias") or name
                        yield bound, string_in(name) or text_of(name)
