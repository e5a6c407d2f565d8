"""What a file exports, by its statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .nodes import key_of, string_in, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from .module import Module

__all__ = ["Export", "Exports", "exports_of"]


@dataclass(frozen=True, slots=True)
class Export:
    """One exported name."""

    local: Node | None
    """What it stands for, or its name in the file that it comes from; None: that file itself."""
    source: str | None
    """The file that it comes from, as it is written; None: this one."""


@dataclass(slots=True)
class Exports:
    """Everything that a file exports."""

    named: dict[str, Export] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    """The files that all is exported from again."""


def exports_of(module: Module) -> Exports:
    """Return what a file exports; ``*`` is what it exports as a whole (``module.exports = x``)."""
    found = Exports()
    for statement in _statements(module):
        source = _source(statement)
        for name, local in _exports(statement):
            found.named.setdefault(name, Export(local, source))
        if source is not None and any(text_of(child) == "*" for child in statement.children):
            found.stars.append(source)
    return found


def _statements(module: Module) -> Iterator[Node]:
    for node in module.root.named_children:
        if node.type == "export_statement" or (
            node.type == "expression_statement" and b"exports" in (node.text or b"")[:40]
        ):
            yield node


def _source(statement: Node) -> str | None:
    source = statement.child_by_field_name("source")
    return None if source is None else string_in(source)


def _exports(statement: Node) -> Iterator[tuple[str, Node | None]]:
    """The names that a statement exports, each with what it stands for; None: a module."""
    if statement.type == "expression_statement":
        yield from _common_exports(statement)
        return
    declaration = statement.child_by_field_name("declaration")
    is_default = any(child.type == "default" for child in statement.children)
    value = statement.child_by_field_name("value")
    if value is not None:
        yield "default", value
    if declaration is not None:
        for declared in _declared(declaration):
            yield ("default" if is_default else text_of(declared)), declared
    for clause in statement.named_children:
        if clause.type == "namespace_export":
            yield text_of(clause.named_children[0]), None
        if clause.type == "export_clause":
            for specifier in clause.named_children:
                name = specifier.child_by_field_name("name")
                if name is not None:
                    yield text_of(specifier.child_by_field_name("alias") or name), name


def _declared(declaration: Node) -> Iterator[Node]:
    if declaration.type in ("lexical_declaration", "variable_declaration"):
        for declarator in declaration.named_children:
            name = declarator.child_by_field_name("name")
            if name is not None and name.type == "identifier":
                yield name
            elif name is not None and name.type == "object_pattern":
                for part in name.named_children:
                    yield part.child_by_field_name("value") or part
        return
    name = declaration.child_by_field_name("name")
    if name is not None:
        yield name


def _common_exports(statement: Node) -> Iterator[tuple[str, Node | None]]:
    """``module.exports = { a, b }``, ``exports.a = x``."""
    assignment = statement.named_children[0] if statement.named_children else None
    if assignment is None or assignment.type != "assignment_expression":
        return
    left, right = assignment.child_by_field_name("left"), assignment.child_by_field_name("right")
    if left is None or right is None:
        return
    said = text_of(left)
    if said == "module.exports":
        yield "*", right
        if right.type == "object":
            for part in right.named_children:
                key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
                if part.type == "shorthand_property_identifier":
                    yield text_of(part), part
                elif key is not None and value is not None and (name := key_of(key)) is not None:
                    yield name, value
    elif said.startswith(("exports.", "module.exports.")):
        yield said.rpartition(".")[2], right
