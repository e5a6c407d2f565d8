"""Hasura's GraphQL: ``insert_t(objects: ..., on_conflict: { constraint: t_key, update_columns: [...] })``.

Which table a field stands for is in Hasura's metadata, and so is how it writes names: all are seen, and unresolved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Constraint, Unread
from ...upsert import Form
from ..sql import HOLE
from .graphql import fields_in
from .meaning import Expression
from .nodes import key_of, text_of
from .site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from ...target import Target
    from .graphql import Field
    from .module import Module
    from .values import Values

__all__ = ["Hasura"]

_NAMES = frozenset({"onConflict", "on_conflict"})
_COLUMNS = frozenset({"updateColumns", "update_columns"})
_STRINGS = frozenset({"string", "template_string"})


class Hasura:
    """Sees the upserts of documents and of their variables."""

    def __init__(self, values: Values) -> None:
        """Nothing is read yet."""
        self._values = values

    def sites(self, module: Module) -> Iterator[tuple[Node, Site]]:
        """Return every upsert of a file, with what says so."""
        for node in module.nodes:
            if node.type in _STRINGS:
                yield from ((node, _site(f.name, f.constraint)) for f in self._fields(node))
            elif node.type == "pair" and self._is_clause(module, node):
                value = node.child_by_field_name("value")
                if value is not None:
                    yield node, _site(None, self._constraint(Expression(module, value)))

    @staticmethod
    def _fields(string: Node) -> Iterator[Field]:
        source = text_of(string)
        if not any(name in source for name in _NAMES):
            return
        written = (
            HOLE if part.type == "template_substitution" else text_of(part)
            for part in string.named_children
        )
        yield from fields_in("".join(written), _NAMES)

    def _is_clause(self, module: Module, pair: Node) -> bool:
        """Whether it is ``on_conflict: { constraint, update_columns }``."""
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is None or value is None or key_of(key) not in _NAMES:
            return False
        named = self._values.properties(Expression(module, value)).named.keys()
        return "constraint" in named and bool(_COLUMNS & named)

    def _constraint(self, clause: Expression) -> str | None:
        stated = self._values.properties(clause).named.get("constraint")
        said = None if stated is None else self._values.text(stated)
        return said if isinstance(said, str) else None


def _site(field: str | None, constraint: str | None) -> Site:
    is_known = field is not None and HOLE not in field
    what = f"{field} stands for" if is_known else "it inserts into"
    table = Unread(f"which table {what} is in its metadata")
    target: Target | Unread = Unread("the constraint is not named in it")
    if constraint is not None:
        is_kept = constraint == constraint.lower() and HOLE not in constraint
        target = (
            Constraint(constraint)
            if is_kept
            else Unread("which constraint it names cannot be read")
        )
    return Site(form=Form.HASURA, table=table, target=target)
